"""Phantom files: eight orientations, two photometrics, every syntax; read back by pydicom, not by us."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from app.commands.render import rendered
from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.imaging.background import padding_mask
from app.core.phantom.encode import ENCAPSULATED, LOSSY, NATIVE, TRANSFER_SYNTAXES
from app.core.phantom.exam import PhantomExam, PhantomView, make_exam
from app.core.phantom.stored import stored_orientations, turn_view
from app.core.phantom.write import WINDOWS, write_exam, write_view

SMALL = (208, 160)


@pytest.fixture(scope="module")
def exam() -> PhantomExam:
    return make_exam(2, shape=SMALL, density="a", lesions=["mass", "mass", "mass"], prior=True)


@pytest.fixture(scope="module")
def marked(exam: PhantomExam) -> PhantomView:
    """An oblique view with truth and, for these tests, a planted square that no anatomy can hide."""
    view = next(view for view in exam.views if view.truth and view.view == "MLO")
    pixels = view.pixels.copy()
    pixels[:] = np.where(pixels > 0, 500 + np.arange(SMALL[0])[:, None] * 3 + np.arange(SMALL[1]), 0)
    mark = view.truth[0]
    pixels[mark.mask] = 4000
    return replace(view, pixels=pixels, truth=(mark,))


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("index", range(8))
def test_truth_lies_on_the_lesion_in_every_stored_form(
    marked: PhantomView, tmp_path: Path, index: int, photometric: str
) -> None:
    orientation = stored_orientations(marked)[index]
    stored, _ = write_view(marked, tmp_path / "x.dcm", orientation=orientation, photometric=photometric)
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    assert tuple(ds.PatientOrientation) == orientation
    values = ds.pixel_array.astype(int)
    bright = values if photometric == "MONOCHROME2" else 4095 - values
    assert np.array_equal(bright == 4000, stored.truth[0].mask)
    row0, column0, row1, column1 = (int(edge) for edge in stored.truth[0].box)
    assert (bright[row0:row1, column0:column1] == 4000).any(axis=1).all()
    assert (bright[row0:row1, column0:column1] == 4000).any(axis=0).all()
    assert (bright == 4000).sum() == (bright[row0:row1, column0:column1] == 4000).sum()
    padding = 0 if photometric == "MONOCHROME2" else 4095
    assert ds.PixelPaddingValue == padding
    assert ((values == padding) == (bright == 0)).all()


@pytest.mark.parametrize("index", range(8))
def test_letters_say_where_rows_and_columns_run(marked: PhantomView, index: int) -> None:
    """The nipple is anterior; the planted slope (3 a row, 1 a column) grows towards the canonical ends."""
    stored = turn_view(marked, stored_orientations(marked)[index])
    row_letter, column_letter = (letters[0] for letters in stored.orientation)
    values = stored.pixels.astype(int)
    inside = (values > 0) & (values < 4000)
    both = inside[:, 1:] & inside[:, :-1]
    along_row = np.median((values[:, 1:] - values[:, :-1])[both])
    both = inside[1:] & inside[:-1]
    along_column = np.median((values[1:] - values[:-1])[both])
    right = marked.side == "R"
    # Canonical: a row of a right breast runs to P and grows by 1, of a left one to A and grows by 1;
    # a column runs to the feet and grows by 3.
    grows = {"P": 1 if right else -1, "A": -1 if right else 1, "F": 3, "H": -3}
    assert along_row == grows[row_letter]
    assert along_column == grows[column_letter]


def test_eight_orientations_differ(marked: PhantomView) -> None:
    assert len(set(stored_orientations(marked))) == 8
    with pytest.raises(ValueError, match="cannot be stored"):
        turn_view(marked, ("A", "P"))


@pytest.mark.parametrize("transfer_syntax", NATIVE + ENCAPSULATED)
def test_every_lossless_transfer_syntax_keeps_every_pixel(
    exam: PhantomExam, tmp_path: Path, transfer_syntax: str
) -> None:
    view = exam.views[0]
    write_view(view, tmp_path / "x.dcm", transfer_syntax=transfer_syntax)
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    assert ds.file_meta.TransferSyntaxUID == transfer_syntax
    assert np.array_equal(ds.pixel_array, view.pixels)


def test_all_transfer_syntaxes_of_the_issue_can_be_written() -> None:
    wanted = (
        "",
        ".1",
        ".2",
        ".1.99",
        ".5",
        *(f".4.{one}" for one in (50, 51, 57, 70, 80, 81, 90, 91, 201, 203)),
    )
    assert {f"1.2.840.10008.1.2{one}" for one in wanted} == set(TRANSFER_SYNTAXES)


FORMS = [
    {},
    {"photometric": "MONOCHROME1", "voi": "sigmoid"},
    {"padding": False, "voi": "lut"},
    {"voi": "lut", "photometric": "MONOCHROME1"},
]


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("transfer_syntax", LOSSY)
def test_a_lossy_file_says_so_and_shows_nearly_the_same(
    exam: PhantomExam, tmp_path: Path, transfer_syntax: str, form: dict[str, Any]
) -> None:
    view = exam.views[0]
    write_view(view, tmp_path / "exact.dcm", **form)
    stored, _ = write_view(view, tmp_path / "x.dcm", transfer_syntax=transfer_syntax, **form)
    assert [mark.box for mark in stored.truth] == [mark.box for mark in view.truth]
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    assert ds.LossyImageCompression == "01"
    stream = len(next(generate_frames(ds.PixelData, number_of_frames=1)))
    pixels = ds.Rows * ds.Columns * ds.BitsAllocated // 8
    assert float(ds.LossyImageCompressionRatio) == pytest.approx(pixels / stream, rel=0.01)
    assert ds.LossyImageCompressionMethod == LOSSY[transfer_syntax]
    seen = [rendered(tmp_path / name).astype(int) for name in ("x.dcm", "exact.dcm")]
    # 8 bits: a step of 16 in a window of 2500 is 420 of 65535, and JPEG adds to it.
    assert np.abs(seen[0] - seen[1]).max() < (3000 if transfer_syntax.endswith(".50") else 1000)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("transfer_syntax", LOSSY)
def test_the_padding_of_a_lossy_file_is_a_range_around_it(
    exam: PhantomExam, tmp_path: Path, transfer_syntax: str, photometric: Any
) -> None:
    view = exam.views[2]
    write_view(view, tmp_path / "x.dcm", transfer_syntax=transfer_syntax, photometric=photometric)
    image = read_image(tmp_path / "x.dcm")
    mask = padding_mask(read_frame(image, 0).stored, image.grey[0])
    assert mask is not None
    assert np.array_equal(mask, view.pixels == 0)


def test_a_lossy_image_is_another_image(exam: PhantomExam, tmp_path: Path) -> None:
    uids = {
        write_view(exam.views[0], tmp_path / "x.dcm", transfer_syntax=syntax)[1]
        for syntax in (ExplicitVRLittleEndian, *LOSSY)
    }
    assert len(uids) == 1 + len(LOSSY)


@pytest.mark.parametrize("transfer_syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"])
def test_jpeg_does_not_hold_14_bits(exam: PhantomExam, tmp_path: Path, transfer_syntax: str) -> None:
    with pytest.raises(ValueError, match="bits, not 14"):
        write_view(exam.views[0], tmp_path / "x.dcm", transfer_syntax=transfer_syntax, intent="processing")


def test_a_transfer_syntax_that_is_no_image_is_refused(exam: PhantomExam, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        write_view(exam.views[0], tmp_path / "x.dcm", transfer_syntax="1.2.840.10008.1.2.4.100")


def _linear(x: np.ndarray, c: float, w: float) -> np.ndarray:
    """PS3.3 C.11.2.1.2.1, output 0..1."""
    return np.clip((x - (c - 0.5)) / (w - 1) + 0.5, 0, 1)


def _sigmoid(x: np.ndarray, c: float, w: float) -> np.ndarray:
    """PS3.3 C.11.2.1.3.1, output 0..1."""
    return 1 / (1 + np.exp(-4 * (x - c) / w))


@pytest.mark.parametrize(("voi", "formula"), [("window", _linear), ("sigmoid", _sigmoid)])
def test_both_photometrics_mean_the_same_grey(exam: PhantomExam, tmp_path: Path, voi: str, formula) -> None:
    shown = {}
    for photometric in ("MONOCHROME2", "MONOCHROME1"):
        write_view(exam.views[0], tmp_path / "x.dcm", photometric=photometric, voi=voi)
        ds = pydicom.dcmread(tmp_path / "x.dcm")
        assert len(ds.WindowCenter) == len(WINDOWS) == len(ds.WindowCenterWidthExplanation)
        grey = formula(ds.pixel_array.astype(float), float(ds.WindowCenter[1]), float(ds.WindowWidth[1]))
        shown[photometric] = 1 - grey if photometric == "MONOCHROME1" else grey
        assert ds.PresentationLUTShape == ("INVERSE" if photometric == "MONOCHROME1" else "IDENTITY")
    assert np.allclose(shown["MONOCHROME1"], shown["MONOCHROME2"], atol=1e-9)


def test_both_photometrics_mean_the_same_grey_through_a_table(exam: PhantomExam, tmp_path: Path) -> None:
    shown = {}
    for photometric in ("MONOCHROME2", "MONOCHROME1"):
        write_view(exam.views[0], tmp_path / "x.dcm", photometric=photometric, voi="lut")
        ds = pydicom.dcmread(tmp_path / "x.dcm")
        item = ds.VOILUTSequence[0]
        assert list(item.LUTDescriptor) == [4096, 0, 12]
        grey = np.frombuffer(item.LUTData, "<u2")[ds.pixel_array].astype(int)
        shown[photometric] = 4095 - grey if photometric == "MONOCHROME1" else grey
    assert np.array_equal(shown["MONOCHROME1"], shown["MONOCHROME2"])


def test_for_processing_counts_most_where_there_is_least_tissue(exam: PhantomExam, tmp_path: Path) -> None:
    view = exam.views[2]
    for photometric, sign in (("MONOCHROME1", 1), ("MONOCHROME2", -1)):
        write_view(view, tmp_path / "x.dcm", intent="processing", photometric=photometric)
        ds = pydicom.dcmread(tmp_path / "x.dcm")
        assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.1.2.1"
        assert (ds.PresentationIntentType, ds.PixelIntensityRelationship) == ("FOR PROCESSING", "LIN")
        assert ds.PixelIntensityRelationshipSign == sign
        assert "WindowCenter" not in ds
        breast = view.pixels > 0
        slope = np.corrcoef(ds.pixel_array[breast], view.pixels[breast])[0, 1]
        assert slope * sign < -0.7
        assert (ds.pixel_array[~breast] == ds.PixelPaddingValue).all()


def test_air_without_padding_is_dark_and_unnamed(exam: PhantomExam, tmp_path: Path) -> None:
    view = exam.views[0]
    write_view(view, tmp_path / "x.dcm", padding=False, voi="none")
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    assert "PixelPaddingValue" not in ds
    assert "WindowCenter" not in ds
    assert ds.pixel_array[view.pixels == 0].max() < 30
    assert np.array_equal(ds.pixel_array[view.pixels > 0], view.pixels[view.pixels > 0])


def test_an_exam_and_its_prior_are_two_studies_of_one_patient(exam: PhantomExam, tmp_path: Path) -> None:
    assert exam.prior is not None
    files = write_exam(exam, tmp_path / "now") + write_exam(exam.prior, tmp_path / "then")
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
    assert len({ds.PatientID for ds in headers}) == 1
    assert len({ds.StudyInstanceUID for ds in headers}) == 2
    assert len({ds.SOPInstanceUID for ds in headers}) == 8
    assert {int(ds.StudyDate[:4]) for ds in headers} == {2024, 2026}
    assert all("Phantom" in str(ds.PatientName) for ds in headers)
    assert all(ds.ImageComments == "Synthetic phantom, not a patient" for ds in headers)
    again = write_exam(exam, tmp_path / "again")
    first = [ds.SOPInstanceUID for ds in headers[:4]]
    assert [pydicom.dcmread(path).SOPInstanceUID for path in again] == first
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files[:4]]


def test_another_stored_form_is_another_object(exam: PhantomExam, tmp_path: Path) -> None:
    view = exam.views[0]
    options = ({}, {"photometric": "MONOCHROME1"}, {"orientation": ("A", "L")}, {"voi": "lut"})
    uids = [write_view(view, tmp_path / "x.dcm", **option)[1] for option in options]
    uids.append(write_view(view, tmp_path / "x.dcm", intent="processing")[1])
    assert len(set(uids)) == 5
    compressed = write_view(view, tmp_path / "x.dcm", transfer_syntax="1.2.840.10008.1.2.4.90")[1]
    assert compressed == uids[0]


def test_the_truth_file_gives_boxes_by_uid_in_stored_pixels(exam: PhantomExam, tmp_path: Path) -> None:
    files = write_exam(exam, tmp_path, photometric="MONOCHROME1")
    truth = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert [entry["path"] for entry in truth["views"]] == [path.name for path in files]
    for entry, view in zip(truth["views"], exam.views, strict=True):
        ds = pydicom.dcmread(tmp_path / entry["path"], stop_before_pixels=True)
        assert ds.SOPInstanceUID == entry["sop_uid"]
        assert ds.ViewCodeSequence[0].CodeValue == {"CC": "399162004", "MLO": "399368009"}[entry["view"]]
        assert ds.ImageLaterality == entry["laterality"] == view.side
        assert [finding["box"] for finding in entry["findings"]] == [list(mark.box) for mark in view.truth]


def test_spacing_in_the_file_is_that_of_the_view(exam: PhantomExam, tmp_path: Path) -> None:
    write_view(exam.views[0], tmp_path / "x.dcm")
    ds = pydicom.dcmread(tmp_path / "x.dcm")
    assert [float(step) for step in ds.ImagerPixelSpacing] == pytest.approx([233 / 208] * 2, rel=1e-5)
    assert float(ds.EstimatedRadiographicMagnificationFactor) == 1.0

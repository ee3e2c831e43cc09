"""Strict numbers, paths that stay inside, masks of any kind: what all adapters stand on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from dicom_files import J2K, phantom_pixels, write_mg

from app.core.manifest import Lesion, read_manifest, write_manifest
from trainer.datasets import index
from trainer.errors import TrainerError
from trainer.examine import examine, examine_all, files_below
from trainer.rois import (
    as_mask,
    aspect_difference,
    box_of,
    box_of_points,
    clipped,
    parts_of,
    read_mask,
    resized,
    scaled,
)
from trainer.tables import age, below, decimal, find_table, laterality, rows_of, whole


@pytest.mark.parametrize(("text", "value"), [("3", 3), (" 12 ", 12), ("4.0", 4), ("-2", -2), ("+7", 7)])
def test_whole_numbers(text: str, value: int) -> None:
    assert whole(text, "n", -5, 20) == value


@pytest.mark.parametrize("text", ["", "3.5", "1e3", "1_0", "nan", "0x10", "٣", "21", "-6", "1 2", "1" * 5000])
def test_what_is_no_whole_number_within_bounds(text: str) -> None:
    with pytest.raises(ValueError, match=r"^n "):
        whole(text, "n", -5, 20)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1,5", "1_0", "1e999", "0x1p3", "5e1", "--1"])
def test_what_is_no_decimal_number_within_bounds(text: str) -> None:
    with pytest.raises(ValueError, match=r"^x "):
        decimal(text, "x", 0, 10)


def test_decimal_numbers() -> None:
    assert [decimal(text, "x", 0, 10) for text in ("1.5", ".5", "2.", "1e-1", " 3 ")] == [1.5, 0.5, 2, 0.1, 3]


@pytest.mark.parametrize(("text", "side"), [("LEFT", "L"), ("right", "R"), (" l ", "L"), ("R", "R")])
def test_lateralities(text: str, side: str) -> None:
    assert laterality(text) == side


def test_an_age_may_be_missing_but_not_impossible() -> None:
    assert (age("61"), age("61.0"), age(""), age("NaN")) == ("61", "61", "", "")
    with pytest.raises(ValueError, match="age 130"):
        age("130")


@pytest.mark.parametrize(
    "text", ["..", "a/../b", "/a", "\\a", "C:\\a", "c:a", "\\\\host\\a", "", ".", "a\x00b", "a\nb"]
)
def test_a_path_never_leaves_its_folder(text: str) -> None:
    with pytest.raises(ValueError, match="does not lead"):
        below(Path("/data"), text)


def test_paths_below_a_folder() -> None:
    assert below(Path("/data"), "a\\b/./c..d.png") == Path("/data/a/b/c..d.png")


def test_cells_over_several_lines_are_trimmed_and_lines_counted(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbfPatient_ID, Other  Name\n1,"a\n"\n\n2\n')
    lines = list(rows_of(tmp_path / "t.csv", ("patient id",)))
    assert lines == [(3, {"patient id": "1", "other name": "a"}), (5, {"patient id": "2", "other name": ""})]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"a,b\n1,2\n", "lacks the column 'c'"),
        (b"c,C\n1,2\n", "stands there twice"),
        (b"c\n1,2\n", "line 2 has more cells"),
        (b"c\n\xff\n", "cannot be read"),
        (b"", "lacks the column"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(TrainerError, match=word):
        list(rows_of(tmp_path / "t.csv", ("c",)))


def test_a_table_is_found_in_the_nearest_folder(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "T.CSV").write_text("deep")
    assert find_table(tmp_path, ("t.csv",)) == tmp_path / "a" / "b" / "T.CSV"
    (tmp_path / "a" / "t.csv").write_text("near")
    assert find_table(tmp_path, ("t.csv",)) == tmp_path / "a" / "t.csv"
    assert find_table(tmp_path, ("other.csv",)) is None


# Masks and boxes


def square(shape: tuple[int, int] = (40, 30)) -> np.ndarray:
    mask = np.zeros(shape, np.bool_)
    mask[10:20, 5:25] = True
    return mask


def test_a_box_has_its_edges_at_pixel_corners() -> None:
    assert box_of(square()) == (10.0, 5.0, 20.0, 25.0)
    assert box_of(np.zeros((4, 4), np.bool_)) is None
    assert box_of_points([(3.0, 4.0)]) == (3.0, 4.0, 4.0, 5.0)


def test_parts_that_touch_at_a_corner_are_one() -> None:
    mask = np.zeros((10, 10), np.bool_)
    mask[0:2, 0:2] = mask[2:4, 2:4] = mask[7:9, 6:10] = True
    assert parts_of(mask) == ((0.0, 0.0, 4.0, 4.0), (7.0, 6.0, 9.0, 10.0))


def test_a_mask_enlarged_and_a_box_scaled_agree() -> None:
    assert box_of(resized(square(), 80, 90)) == (20.0, 15.0, 40.0, 75.0)
    assert scaled((10, 5, 20, 25), (40, 30), (80, 90)) == (20.0, 15.0, 40.0, 75.0)


def test_aspects() -> None:
    assert aspect_difference((100, 50), (200, 100)) == 0
    assert aspect_difference((100, 51), (200, 100)) == pytest.approx(0.02)


def test_boxes_are_cut_at_the_images_edge() -> None:
    assert clipped((-5, 3, 8, 99), 10, 20) == (0.0, 3.0, 8.0, 20.0)
    assert clipped((10, 0, 12, 5), 10, 20) is None


def test_two_values_are_a_mask_and_a_film_is_none() -> None:
    assert np.array_equal(as_mask(square().astype(np.uint8) * 255), square())
    assert np.array_equal(as_mask(square().astype(np.uint16) * 3 + 7), square())
    assert as_mask(phantom_pixels(60, 40, bits=16)) is None
    assert as_mask(phantom_pixels(60, 40, bits=8)) is None


@pytest.mark.parametrize("suffix", ["png", "jpg", "dcm"])
def test_a_mask_is_read_from_any_kind_of_file(tmp_path: Path, suffix: str) -> None:
    path, mask = tmp_path / f"m.{suffix}", square((80, 60))
    if suffix == "dcm":
        write_mg(
            path,
            mask.astype(np.uint8),
            bits_stored=8,
            transfer_syntax=J2K,
            SeriesDescription="ROI mask images",
        )
    else:
        PIL.Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    assert np.array_equal(read_mask(path, 80, 60), mask)
    assert read_mask(path, 40, 30).shape == (40, 30)


def test_a_film_is_not_taken_for_a_mask(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="more than two values"):
        read_mask(write_mg(tmp_path / "a.dcm"), 96, 64)


# Files


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", J2K], ids=["native", "jpeg 2000"])
def test_a_file_that_is_cut_off_is_found_without_decoding_it(tmp_path: Path, syntax: str) -> None:
    path = write_mg(tmp_path / "a.dcm", transfer_syntax=syntax)
    assert examine(path).image.rows == 96
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrainerError, match=r"a\.dcm: ends before its last pixel"):
        examine(path)


def test_files_that_cannot_be_read_are_reported_by_name_and_in_order(tmp_path: Path) -> None:
    good = write_mg(tmp_path / "a.dcm")
    for name, content in (("b.dcm", b""), ("c.png", b"no picture"), ("d.dcm", b"x" * 500)):
        (tmp_path / name).write_bytes(content)
    said: list[str] = []
    found = examine_all(files_below(tmp_path, (".dcm", ".png")), said.append)
    assert list(found) == [good]
    assert [sentence.split(":")[0].rpartition("/")[2] for sentence in said] == ["b.dcm", "c.png", "d.dcm"]


def test_of_several_frames_the_first_is_taken_and_that_is_said(tmp_path: Path) -> None:
    path = write_mg(tmp_path / "a.dcm", np.stack([phantom_pixels()] * 3))
    said: list[str] = []
    assert list(examine_all([path], said.append)) == [path]
    assert "3 frames" in said[0]


def test_descriptors_and_a_thousand_lesions_come_back_from_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "normal" / "p").mkdir(parents=True)
    write_mg(tmp_path / "normal" / "p" / "1.dcm")
    row = index("folder", tmp_path, lambda sentence: None)[0]
    lesion = Lesion(
        "calcification", (1.0, 2.0, 3.0, 4.0), None, None, (("shape", 'ROUND, "odd"\n'), ("x", ""))
    )
    many = replace(row, findings=(lesion,) * 2000)
    write_manifest([many], tmp_path / "manifest.csv")
    assert read_manifest(tmp_path / "manifest.csv").rows == (many,)
    assert lesion.descriptor("shape") == 'ROUND, "odd"\n'
    assert lesion.descriptor("margins") == ""


def test_a_lesion_without_descriptors_is_written_as_ever(tmp_path: Path) -> None:
    (tmp_path / "normal" / "p").mkdir(parents=True)
    write_mg(tmp_path / "normal" / "p" / "1.dcm")
    row = index("folder", tmp_path, lambda sentence: None)[0]
    write_manifest([replace(row, findings=(Lesion("CIRC"),))], tmp_path / "manifest.csv")
    cell = '{""label"": ""CIRC"", ""box"": null, ""mask"": null, ""pathology"": null}'
    assert cell in (tmp_path / "manifest.csv").read_text()

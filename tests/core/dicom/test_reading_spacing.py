"""Millimetres: which element wins, what is divided out, what is impossible."""

import pytest
from dicom_files import CR, DX_PRESENTATION, SECONDARY_CAPTURE, TOMOSYNTHESIS, write_mg
from pydicom.dataset import Dataset

from app.core.dicom.reader import read_image


def spacing(path, **elements):
    elements.setdefault("ImagerPixelSpacing", None)
    image = read_image(write_mg(path / "a.dcm", **elements))
    return image.spacing, {note.code: note.level for note in image.notes}


def test_at_the_detector_where_no_magnification_is_stated(tmp_path):
    found, notes = spacing(tmp_path, ImagerPixelSpacing=[0.07, 0.08])
    assert (found.row_mm, found.col_mm, found.basis, found.factor) == (0.07, 0.08, "at detector", 1.0)
    assert "magnification-missing" in notes


def test_a_magnification_of_one_leaves_it_at_the_detector(tmp_path):
    found, notes = spacing(
        tmp_path, ImagerPixelSpacing=[0.1, 0.1], EstimatedRadiographicMagnificationFactor=1
    )
    assert (found.row_mm, found.basis) == (0.1, "at detector")
    assert not {"magnification-missing", "magnification-ignored"} & set(notes)


def test_the_magnification_factor_is_divided_out(tmp_path):
    found, _ = spacing(
        tmp_path, ImagerPixelSpacing=[0.09, 0.18], EstimatedRadiographicMagnificationFactor=1.8
    )
    assert (found.row_mm, found.col_mm) == pytest.approx((0.05, 0.1))
    assert (found.basis, found.factor) == ("magnified", 1.8)
    assert "1.8" in found.label


@pytest.mark.parametrize("factor", [0, 0.9, -1.8, 50, "abc"])
def test_an_impossible_factor_is_ignored_with_a_note(tmp_path, factor):
    found, notes = spacing(
        tmp_path, ImagerPixelSpacing=[0.1, 0.1], EstimatedRadiographicMagnificationFactor=factor
    )
    assert (found.row_mm, found.basis) == (0.1, "at detector")
    assert notes["magnification-ignored"] == "warning"


def test_distances_do_not_replace_a_missing_factor(tmp_path):
    found, _ = spacing(
        tmp_path, ImagerPixelSpacing=[0.1, 0.1], DistanceSourceToDetector=660, DistanceSourceToPatient=330
    )
    assert (found.row_mm, found.basis) == (0.1, "at detector")


def test_in_mammography_pixel_spacing_never_overrides_the_imager(tmp_path):
    found, notes = spacing(
        tmp_path,
        ImagerPixelSpacing=[0.1, 0.1],
        PixelSpacing=[0.05, 0.05],
        PixelSpacingCalibrationType="GEOMETRY",
    )
    assert found.row_mm == 0.1
    assert notes["spacing-conflict"] == "warning"


def test_in_mammography_a_pixel_spacing_alone_is_given_but_not_called_calibrated(tmp_path):
    found, notes = spacing(tmp_path, PixelSpacing=[0.05, 0.06])
    assert (found.row_mm, found.col_mm, found.label) == (0.05, 0.06, "not calibrated")
    assert notes["spacing-uncalibrated"] == "warning"


def test_an_equal_pixel_spacing_is_no_conflict(tmp_path):
    _, notes = spacing(tmp_path, ImagerPixelSpacing=[0.1, 0.1], PixelSpacing=[0.1, 0.1])
    assert "spacing-conflict" not in notes


@pytest.mark.parametrize(
    "impossible", [[0, 0], [-0.1, -0.1], ["NaN", "NaN"], [1000, 1000], [0.1], ["a", "b"]]
)
def test_an_impossible_spacing_is_none_with_a_note(tmp_path, impossible):
    found, notes = spacing(tmp_path, ImagerPixelSpacing=impossible)
    assert found is None
    assert notes["spacing-invalid"] == "warning"
    assert notes["spacing-missing"] == "warning"


@pytest.mark.parametrize("sop_class", [CR, DX_PRESENTATION, SECONDARY_CAPTURE])
class TestOtherThanMammography:
    def test_a_pixel_spacing_that_differs_is_calibrated(self, tmp_path, sop_class):
        found, _ = spacing(
            tmp_path, sop_class=sop_class, ImagerPixelSpacing=[0.1, 0.1], PixelSpacing=[0.09, 0.09]
        )
        assert (found.row_mm, found.basis) == (0.09, "calibrated")

    def test_a_pixel_spacing_with_a_calibration_type_is_calibrated(self, tmp_path, sop_class):
        found, _ = spacing(
            tmp_path,
            sop_class=sop_class,
            ImagerPixelSpacing=[0.1, 0.1],
            PixelSpacing=[0.1, 0.1],
            PixelSpacingCalibrationType="FIDUCIAL",
        )
        assert found.basis == "calibrated"

    def test_a_pixel_spacing_alone_is_given_but_not_called_calibrated(self, tmp_path, sop_class):
        found, notes = spacing(tmp_path, sop_class=sop_class, PixelSpacing=[0.05, 0.06])
        assert (found.row_mm, found.col_mm, found.label) == (0.05, 0.06, "not calibrated")
        assert notes["spacing-uncalibrated"] == "warning"

    def test_a_pixel_spacing_alone_with_a_calibration_type_is_calibrated(self, tmp_path, sop_class):
        found, notes = spacing(
            tmp_path, sop_class=sop_class, PixelSpacing=[0.05, 0.05], PixelSpacingCalibrationType="FIDUCIAL"
        )
        assert found.basis == "calibrated"
        assert "spacing-uncalibrated" not in notes

    def test_an_equal_pixel_spacing_is_not_calibrated(self, tmp_path, sop_class):
        found, _ = spacing(
            tmp_path, sop_class=sop_class, ImagerPixelSpacing=[0.1, 0.1], PixelSpacing=[0.1, 0.1]
        )
        assert (found.row_mm, found.basis) == (0.1, "at detector")

    def test_then_the_imager_then_the_film(self, tmp_path, sop_class):
        found, _ = spacing(
            tmp_path,
            sop_class=sop_class,
            ImagerPixelSpacing=[0.1, 0.1],
            NominalScannedPixelSpacing=[0.05, 0.05],
        )
        assert found.basis == "at detector"
        found, _ = spacing(tmp_path, sop_class=sop_class, NominalScannedPixelSpacing=[0.05, 0.04])
        assert (found.row_mm, found.col_mm, found.basis) == (0.05, 0.04, "at film")

    def test_without_any_only_pixels_count(self, tmp_path, sop_class):
        found, notes = spacing(tmp_path, sop_class=sop_class)
        assert found is None
        assert "spacing-missing" in notes


def test_tomosynthesis_takes_the_spacing_of_its_slices(tmp_path):
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.09, 0.1]
    shared.PixelMeasuresSequence = [measures]
    found, _ = spacing(tmp_path, sop_class=TOMOSYNTHESIS, SharedFunctionalGroupsSequence=[shared])
    assert (found.row_mm, found.col_mm, found.basis) == (0.09, 0.1, "calibrated")


def test_tomosynthesis_prefers_its_slices_to_the_detector_and_says_that_they_differ(tmp_path):
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.1, 0.1]
    shared.PixelMeasuresSequence = [measures]
    found, notes = spacing(
        tmp_path,
        sop_class=TOMOSYNTHESIS,
        SharedFunctionalGroupsSequence=[shared],
        ImagerPixelSpacing=[0.14, 0.14],
        EstimatedRadiographicMagnificationFactor=1.1,
    )
    assert (found.row_mm, found.basis, found.factor) == (0.1, "calibrated", 1.0)
    assert notes["spacing-conflict"] == "info"

"""The real files of ../shared/data, against what dcmdump shows of their headers."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from app.core.dicom.finder import find
from app.core.dicom.pixels import first_look, read_frame
from app.core.dicom.reader import complete, read_image

pytestmark = pytest.mark.shared_data


def notes(image):
    return {note.code for note in image.notes}


def test_the_ge_image(shared_data):
    image = read_image(shared_data / "ffdm-ge" / "ge-essential-rmlo.dcm")
    assert (image.label, image.orientation, image.source, image.intent) == (
        "RMLO",
        ("P", "FL"),
        "ffdm",
        "presentation",
    )
    assert (image.rows, image.columns, image.grey[0].bits_stored) == (3062, 2394, 12)
    assert image.grey[0].padding == (0, 30)
    windows, tables = image.grey[0].voi[:3], image.grey[0].voi[3:]
    assert [(w.center, w.width, w.function, w.explanation) for w in windows] == [
        (2653, 900, "SIGMOID", "NORMAL"),
        (2713, 750, "SIGMOID", "HARDER"),
        (2569, 1050, "SIGMOID", "SOFTER"),
    ]
    assert [(t.first, len(t.data), t.bits, t.explanation) for t in tables] == [
        (625, 3447, 12, "NORMAL"),
        (1023, 3016, 12, "HARDER"),
        (203, 3887, 12, "SOFTER"),
    ]
    assert (image.spacing.row_mm, image.spacing.basis) == (pytest.approx(0.09409090909091), "at detector")
    assert image.patient.birth_date is None
    assert image.age == ""
    assert "birth-date-invalid" in notes(image)
    assert dict(image.corner)["Organ dose"] == "1.521 mGy"
    stored = read_frame(image).stored
    assert stored.shape == (3062, 2394)
    assert "orientation-contradicted" not in notes(complete(image, stored))


def test_the_screening_exam_is_one_study_of_four_views(shared_data):
    found = find([shared_data / "screening-exam"])
    (patient,) = found.patients
    (study,) = patient.studies
    assert sorted(image.label for image in study.images) == ["LCC", "LMLO", "RCC", "RMLO"]
    assert study.date == date(2018, 1, 1)
    assert patient.facts.id == "SAMPLE-1"
    assert [item.path.name for item in found.left_out] == ["LICENSE.txt"]


def test_a_first_look_of_the_screening_exam_is_near_its_means(shared_data):
    image = read_image(shared_data / "screening-exam" / "LCC.dcm")
    full, look = read_frame(image).stored, first_look(image)
    assert look.stored.shape == (650, 500)
    means = full.reshape(650, 4, 500, 4).mean((1, 3))
    assert np.abs(look.stored - means).mean() < 0.02 * 4095  # a low band is no mean, but near


def test_the_tomosynthesis_header(shared_data):
    image = read_image(shared_data / "dbt-header" / "hologic-bto-noise.dcm")
    assert (image.label, image.source, image.frames, image.orientation) == ("LCC", "dbt", 4, ("P", "L"))
    assert len(image.grey) == 1
    assert (image.grey[0].voi[0].center, image.grey[0].voi[0].width) == (512, 512)
    assert image.spacing is None
    frames = [read_frame(image, number).stored for number in range(4)]
    assert all(frame.shape == (128, 128) and frame.max() < 1024 for frame in frames)
    assert not np.array_equal(frames[0], frames[1])


def test_the_cbis_crops_hold_a_view_where_the_orientation_should_be(shared_data):
    image = read_image(shared_data / "cbis" / "Mass-Test_P_00116_RIGHT_MLO_1_cropped.dcm")
    assert (image.laterality, image.view, image.orientation, image.source) == ("R", "MLO", None, "film")
    assert {"view-inferred", "orientation-unusable", "cut-out"} <= notes(image)
    assert complete(image, read_frame(image).stored).orientation is None


def test_the_whole_folder_is_read_and_what_is_left_out_is_named(shared_data):
    found = find([shared_data])
    count = sum(len(study.images) for patient in found.patients for study in patient.studies)
    files = [path for path in Path(shared_data).rglob("*") if path.is_file()]
    assert count + len(found.left_out) == len(files)
    assert {item.path.suffix for item in found.left_out} <= {".txt", ".csv", ".md", ".xlsx", ".json", ""}
    exam = next(patient for patient in found.patients if patient.facts.id == "SAMPLE-1")
    assert len(exam.studies[0].images) == 4


def test_pictures_take_side_and_view_from_their_names(shared_data):
    image = read_image(shared_data / "cbis" / "Calc-Test_P_00127_RIGHT_MLO.png")
    assert (image.laterality, image.view, image.kind) == ("R", "MLO", "raster")
    assert read_frame(image).stored.shape == (image.rows, image.columns)
    mias = sorted((shared_data / "mini-mias" / "png").iterdir())[0]
    assert read_image(mias).label == ""

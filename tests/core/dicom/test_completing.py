"""What only pixels tell: where the chest wall is."""

from dataclasses import replace

import numpy as np
import pytest
from dicom_files import code_item, phantom_pixels, write_mg

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image

CANONICAL = {
    ("R", "CC"): ("P", "L"),
    ("L", "CC"): ("A", "R"),
    ("R", "MLO"): ("P", "FL"),
    ("L", "MLO"): ("A", "FR"),
}


def notes(image):
    return {note.code: note.level for note in image.notes}


def opened(path, pixels, **elements):
    image = read_image(write_mg(path / "a.dcm", pixels, **elements))
    return complete(image, read_frame(image).stored)


@pytest.mark.parametrize(("laterality", "view"), CANONICAL)
def test_a_missing_orientation_is_inferred_and_marked(tmp_path, laterality, view):
    pixels = phantom_pixels(300, 200, chest="right" if laterality == "R" else "left")
    image = opened(tmp_path, pixels, laterality=laterality, view=view, orientation=None)
    assert image.orientation[0] == CANONICAL[laterality, view][0]
    assert notes(image)["orientation-inferred"] == "inferred"
    (told,) = [note.text for note in image.notes if note.code == "orientation-inferred"]
    # Only an oblique's pixels tell up from down; that of a cranio-caudal view is a guess, and said to be.
    assert ("is assumed" in told) == (view == "CC")


def test_a_mirrored_image_is_recognised_by_its_chest_wall(tmp_path):
    pixels = phantom_pixels(300, 200, chest="left")
    image = opened(tmp_path, pixels, laterality="R", view="CC", orientation=None)
    assert image.orientation[0] == "A"


def test_a_stated_orientation_is_kept_even_against_the_pixels_and_doubted(tmp_path):
    pixels = phantom_pixels(300, 200, chest="left")
    image = opened(tmp_path, pixels, laterality="R", view="CC", orientation=("P", "L"))
    assert image.orientation == ("P", "L")
    assert notes(image)["orientation-contradicted"] == "warning"


def test_a_stated_orientation_that_fits_raises_no_doubt(tmp_path):
    pixels = phantom_pixels(300, 200, chest="right")
    image = opened(tmp_path, pixels, laterality="R", view="CC", orientation=("P", "L"))
    assert not {"orientation-contradicted", "orientation-inferred"} & set(notes(image))


@pytest.mark.parametrize("code", ["399163009", "399055006"])
def test_magnification_and_spot_views_are_left_alone(tmp_path, code):
    view = code_item("R-10242", "SRT", "cc", [code_item(code, "SCT", "close up")])
    pixels = phantom_pixels(300, 200, chest="left")
    image = opened(tmp_path, pixels, laterality="R", ViewCodeSequence=[view], orientation=("P", "L"))
    assert "orientation-contradicted" not in notes(image)
    blank = opened(tmp_path, pixels, laterality="R", ViewCodeSequence=[view], orientation=None)
    assert blank.orientation is None


def test_a_cut_out_is_left_alone(tmp_path):
    image = opened(tmp_path, phantom_pixels(300, 200), orientation=None, SeriesDescription="cropped images")
    assert image.orientation is None
    assert notes(image)["cut-out"] == "warning"


def test_without_a_side_nothing_is_inferred(tmp_path):
    image = opened(tmp_path, phantom_pixels(300, 200), laterality=None, orientation=None)
    assert image.orientation is None


def test_completing_twice_changes_nothing(tmp_path):
    pixels = phantom_pixels(300, 200)
    once = opened(tmp_path, pixels, orientation=None)
    assert complete(once, pixels) == once


def test_an_image_without_a_breast_says_nothing(tmp_path):
    image = opened(tmp_path, np.full((200, 200), 100, np.uint16), orientation=None)
    assert image.orientation is None


@pytest.mark.shared_data
@pytest.mark.parametrize("label", ["RCC", "LCC", "RMLO", "LMLO"])
def test_the_real_exam_is_hung_from_its_pixels_as_it_is_stated(shared_data, label):
    image = read_image(shared_data / "screening-exam" / f"{label}.dcm")
    stored = read_frame(image).stored
    assert not {"orientation-contradicted", "orientation-inferred"} & set(notes(complete(image, stored)))
    blank = complete(replace(image, orientation=None), stored)
    assert blank.orientation == image.orientation

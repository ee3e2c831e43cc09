"""The orientation inferred from pixels, judged by where it hangs the picture."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from app.core.imaging.background import background_mask
from app.core.imaging.image import Grey
from app.core.imaging.orientation import Hang, canonical, chest_wall, turn

EIGHT = [Hang(*bits) for bits in product([False, True], repeat=3)]
UNMIRRORED = [Hang(), Hang(True, True, False), Hang(True, False, True), Hang(False, True, True)]  # rotations


def hung(laterality: str, view: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (pixels, mask) of a breast as it hangs; an MLO has its muscle in the upper corner."""
    row, col = np.mgrid[0:300, 0:220]
    breast = ((row - 150) / 130) ** 2 + (col / 140) ** 2 < 1
    pixels = np.where(breast, 1000 + 200 * np.sin(row / 9.0), 0)
    if view == "MLO":
        muscle = row + 1.8 * col < 200
        neck = (row < 150) & (col < 100)
        pixels = np.where(muscle, 3000, np.where(neck & ~breast, 900, pixels))
    pixels = pixels.astype(np.uint16)
    pixels = pixels if laterality == "L" else np.ascontiguousarray(pixels[:, ::-1])
    return pixels, pixels == 0


@pytest.mark.parametrize(("laterality", "hang"), list(product("LR", EIGHT)))
def test_the_chest_wall_of_a_cranio_caudal_is_found_in_all_eight_orientations(laterality, hang):
    pixels, mask = hung(laterality, "CC")
    stored = turn(pixels, hang)
    letters = chest_wall(stored, turn(mask, hang), laterality, "CC")
    again = turn(stored, canonical(letters, laterality, "CC"))
    # lateral and medial cannot be told apart, the side of the chest wall can
    wall = -1 if laterality == "R" else 0
    assert again.shape == pixels.shape
    assert (again[:, wall] > 0).sum() > 200
    assert not again[:, 0 if laterality == "R" else -1].any()


@pytest.mark.parametrize(("laterality", "hang"), list(product("LR", EIGHT)))
def test_an_oblique_with_a_plain_muscle_comes_back_exactly(laterality, hang):
    pixels, mask = hung(laterality, "MLO")
    stored = turn(pixels, hang)
    letters = chest_wall(stored, turn(mask, hang), laterality, "MLO")
    assert np.array_equal(turn(stored, canonical(letters, laterality, "MLO")), pixels)


@pytest.mark.parametrize(
    ("laterality", "view", "letters"),
    [("R", "CC", ("P", "L")), ("L", "CC", ("A", "R")), ("R", "MLO", ("P", "FL")), ("L", "MLO", ("A", "FR"))],
)
def test_an_image_that_hangs_already_gets_the_canonical_letters(laterality, view, letters):
    assert chest_wall(*hung(laterality, view), laterality, view) == letters


def test_an_oblique_without_a_plain_muscle_is_taken_to_be_upright():
    pixels, mask = hung("L", "CC")
    assert chest_wall(pixels, mask, "L", "MLO") == ("A", "FR")
    assert chest_wall(pixels[::-1], mask[::-1], "L", "MLO") == ("A", "FR")


@pytest.mark.parametrize("hang", [h for h in UNMIRRORED if h.transpose])
def test_a_turned_image_is_taken_to_be_turned_not_mirrored(hang):
    pixels, mask = hung("L", "CC")
    pixels = pixels.copy()
    pixels[5:9, 100:104] = 7  # something that is not symmetric
    stored = turn(pixels, hang)
    letters = chest_wall(stored, turn(mask, hang), "L", "CC")
    assert np.array_equal(turn(stored, canonical(letters, "L", "CC")), pixels)


@pytest.mark.parametrize("inverse", [False, True])
def test_polarity_does_not_matter(inverse):
    pixels, mask = hung("R", "MLO")
    upside_down = pixels[::-1]
    stored = 4095 - upside_down if inverse else upside_down
    assert chest_wall(stored, mask[::-1], "R", "MLO") == ("P", "HR")


@pytest.mark.parametrize("mask", [np.zeros((50, 40), bool), np.ones((50, 40), bool)])
def test_without_air_or_without_breast_nothing_is_inferred(mask):
    assert chest_wall(np.ones((50, 40), np.uint16), mask, "R", "CC") is None


def test_a_round_specimen_has_no_chest_wall():
    row, col = np.mgrid[0:200, 0:200]
    outside = (row - 100) ** 2 + (col - 100) ** 2 > 60**2
    assert chest_wall((~outside).astype(np.uint16), outside, "R", "CC") is None


def test_without_laterality_only_the_side_is_stated():
    assert chest_wall(*hung("R", "CC"), None, "CC") == ("P", "")


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="another shape"):
        chest_wall(np.zeros((3, 3)), np.zeros((4, 3), bool), "L", "CC")


@pytest.mark.shared_data
@pytest.mark.parametrize("label", ["RCC", "LCC", "RMLO", "LMLO"])
def test_a_real_exam_is_inferred_as_its_header_says(shared_data, label):
    pydicom = pytest.importorskip("pydicom")
    dataset = pydicom.dcmread(shared_data / "screening-exam" / f"{label}.dcm")
    stored = dataset.pixel_array
    mask = background_mask(stored, Grey(bits_stored=dataset.BitsStored))
    assert chest_wall(stored, mask, label[0], label[1:]) == tuple(dataset.PatientOrientation)


@pytest.mark.shared_data
def test_real_films_of_the_right_breast_have_their_chest_wall_on_the_right(shared_data):
    import cv2

    hits, films = 0, sorted((shared_data / "mini-mias" / "png").glob("mdb*.png"))[::10]
    for film in films:
        stored = cv2.imread(str(film), cv2.IMREAD_UNCHANGED)
        right = int(film.stem[3:6]) % 2 == 1  # pairs of films, left is even (Info.txt)
        letters = chest_wall(
            stored, background_mask(stored, Grey(bits_stored=8)), "R" if right else "L", "MLO"
        )
        wanted = ("P", "FL") if right else ("A", "FR")
        assert letters is None or letters == wanted
        hits += letters == wanted
    assert hits >= 0.9 * len(films)

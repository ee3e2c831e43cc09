"""Hanging by Patient Orientation: beads planted by anatomy, looked for on the hung image."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from app.core.imaging.orientation import (
    Hang,
    canonical,
    edge_letters,
    hang_affine,
    hung_letters,
    hung_shape,
    opposite,
    turn,
)

EIGHT = [Hang(*bits) for bits in product([False, True], repeat=3)]
OPPOSITE = {"A": "P", "P": "A", "L": "R", "R": "L", "F": "H", "H": "F"}
MEDIAL = {"R": "L", "L": "R"}  # the medial side of the right breast lies to the patient's left


def stored_image(row: str, column: str, rows: int = 40, columns: int = 30):
    """Build an image whose rows run to `row` and columns to `column`: one bead at each patient direction.

    The bead of a direction lies in the middle of the edge that the direction points to, so it is found
    by anatomy alone: beads[letter] is its value.
    """
    pixels = np.zeros((rows, columns), np.uint16)
    beads = {}
    places = {
        row: (rows // 2, columns - 1),
        OPPOSITE[row]: (rows // 2, 0),
        column: (rows - 1, columns // 2),
        OPPOSITE[column]: (0, columns // 2),
    }
    for value, (letter, place) in enumerate(places.items(), start=1):
        pixels[place] = value
        beads[letter] = value
    return pixels, beads


def orientations(other: str):
    """All eight ways to store a plane spanned by A-P and another direction."""
    for anterior, second, turned in product("AP", (other, OPPOSITE[other]), (False, True)):
        yield (second, anterior) if turned else (anterior, second)


CASES = [
    (laterality, view, letters)
    for laterality, view in product("LR", ("CC", "MLO"))
    for letters in orientations("F" if view == "MLO" else "L")
]


@pytest.mark.parametrize(("laterality", "view", "letters"), CASES)
def test_chest_wall_and_feet_or_medial_side_end_up_where_a_radiologist_wants_them(laterality, view, letters):
    pixels, beads = stored_image(*letters)
    hang = canonical(letters, laterality, view)
    hung = turn(pixels, hang)
    chest_wall_column = hung.shape[1] - 1 if laterality == "R" else 0
    assert np.argwhere(hung == beads["P"])[0][1] == chest_wall_column
    below = "F" if view == "MLO" else MEDIAL[laterality]
    assert np.argwhere(hung == beads[below])[0][0] == hung.shape[0] - 1


@pytest.mark.parametrize(("laterality", "view", "letters"), CASES)
def test_hung_letters_are_the_canonical_ones(laterality, view, letters):
    hang = canonical(letters, laterality, view)
    expected = {"R": "P", "L": "A"}[laterality], ("F" if view == "MLO" else MEDIAL[laterality])
    assert hung_letters(letters, hang) == expected


@pytest.mark.parametrize(
    ("laterality", "view", "letters"),
    [("R", "CC", ("P", "L")), ("L", "CC", ("A", "R")), ("R", "MLO", ("P", "FL")), ("L", "MLO", ("A", "FR"))],
)
def test_the_four_canonical_orientations_hang_as_stored(laterality, view, letters):
    assert canonical(letters, laterality, view) == Hang()


@pytest.mark.parametrize("view", ["MLO", "ML", "LM", "LMO", "SIO", "ISO"])
def test_obliques_and_laterals_hang_feet_down(view):
    assert canonical(("P", "HL"), "R", view) == Hang(flip_rows=True)


@pytest.mark.parametrize("view", ["CC", "XCC", "XCCL", "XCCM", "FB"])
def test_cranio_caudals_hang_with_the_lateral_side_up(view):
    assert canonical(("P", "R"), "R", view) == Hang(flip_rows=True)
    assert canonical(("A", "L"), "L", view) == Hang(flip_rows=True)


def test_combined_letters_count_by_what_they_contain():
    assert canonical(("PL", "FL"), "R", "MLO") == Hang()
    assert canonical(("FL", "PR"), "R", "MLO") == Hang(transpose=True)


def test_an_oblique_that_names_neither_head_nor_feet_is_judged_by_its_side():
    assert canonical(("A", "R"), "L", "MLO") == Hang()  # R is the medial side of L, as in A\\FR
    assert canonical(("A", "L"), "L", "MLO") == Hang(flip_rows=True)


def test_lower_case_letters_are_understood():
    assert canonical(("a", "fr"), "R", "MLO") == Hang(flip_cols=True)


@pytest.mark.parametrize("letters", [None, ("L", "F"), ("", "")])
def test_nothing_is_turned_on_a_guess(letters):
    assert canonical(letters, "R", "MLO") == Hang()


def test_a_specimen_hangs_as_stored():
    assert canonical(("A", "H"), "R", "SPECIMEN") == Hang()


@pytest.mark.parametrize("laterality", [None, "B"])
def test_without_a_side_only_what_does_not_depend_on_it_is_done(laterality):
    assert canonical(("A", "H"), laterality, "MLO") == Hang(flip_rows=True)
    assert canonical(("A", "L"), laterality, "CC") == Hang()
    assert canonical(("F", "P"), laterality, "MLO") == Hang(transpose=True)


@pytest.mark.parametrize("hang", EIGHT)
@pytest.mark.parametrize("shape", [(4, 7), (5, 5), (1, 3)])
def test_the_affine_says_where_turn_puts_each_pixel(hang, shape):
    pixels = np.arange(shape[0] * shape[1]).reshape(shape)
    hung = turn(pixels, hang)
    assert hung.shape == hung_shape(hang, *shape)
    affine = hang_affine(hang, *shape)
    for place in np.ndindex(shape):
        there = affine.apply(place).astype(int)
        assert hung[tuple(there)] == pixels[place]


def test_the_eight_operations_are_all_different():
    pixels = np.arange(9).reshape(3, 3)
    assert len({turn(pixels, hang).tobytes() for hang in EIGHT}) == 8


def test_turning_keeps_colour_channels():
    assert turn(np.zeros((4, 7, 3)), Hang(transpose=True)).shape == (7, 4, 3)


def test_the_readers_flip_comes_after_the_hang():
    pixels = np.arange(12).reshape(3, 4)
    hang = Hang(transpose=True, flip_cols=True)
    flipped = turn(pixels, hang.flipped(horizontally=True))
    assert np.array_equal(flipped, turn(pixels, hang)[:, ::-1])
    assert hang.flipped(vertically=True).flipped(vertically=True) == hang


def test_opposite_letters():
    assert opposite("FL") == "HR"
    assert opposite("AH") == "PF"


def test_edge_letters_go_round_from_the_top():
    # RMLO as hung: rows run to the chest wall on the right, columns to the feet
    assert edge_letters(("P", "F"), Hang()) == ("H", "P", "F", "A")
    assert edge_letters(("P", "F"), Hang(flip_cols=True)) == ("H", "A", "F", "P")
    assert edge_letters(None, Hang()) is None
    assert hung_letters(None, Hang()) is None

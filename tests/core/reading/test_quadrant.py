"""Quadrant and clock face: arithmetic of a breast seen from in front, for both breasts."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from app.core.imaging.image import Image, Spacing
from app.core.reading.quadrant import Aside, aside, clock_face, estimate

LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}


def _image(label: str, **facts) -> Image:
    made = Image(
        path=Path(f"{label}.dcm"),
        sop_uid=label,
        rows=1000,
        columns=800,
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        label=label,
        orientation=LETTERS.get(label),
        spacing=Spacing(0.1, 0.2, "at detector"),
    )
    return replace(made, **facts)


# Facing the patient, her right breast is on the viewer's left: outward in it is towards 9 o'clock.
@pytest.mark.parametrize(
    ("outward", "upward", "right", "left"),
    [
        (0, 1, 12, 12),
        (0, -1, 6, 6),
        (1, 0, 9, 3),
        (-1, 0, 3, 9),
        (math.sin(math.radians(30)), math.cos(math.radians(30)), 11, 1),
        (math.sin(math.radians(60)), math.cos(math.radians(60)), 10, 2),
        (math.sin(math.radians(120)), math.cos(math.radians(120)), 8, 4),
        (-math.sin(math.radians(150)), math.cos(math.radians(150)), 5, 7),
    ],
)
def test_clock_faces_of_the_two_breasts_mirror_each_other(outward, upward, right, left):
    assert clock_face(outward, upward, "R") == right
    assert clock_face(outward, upward, "L") == left


# RCC hangs with the outer side up (columns run to the patient's left, inward); so does LCC (to her right).
@pytest.mark.parametrize("label", ["RCC", "LCC"])
def test_a_cc_tells_outer_from_inner_in_millimetres_of_rows(label):
    above = aside((300.0, 100.0), (500.0, 700.0), _image(label))
    assert above == Aside("outward", pytest.approx(20.0), 0.0, calibrated=True)
    assert above.half == "outer"
    assert aside((600.0, 100.0), (500.0, 700.0), _image(label)).half == "inner"


@pytest.mark.parametrize("label", ["RMLO", "LMLO"])
def test_an_mlo_tells_upper_from_lower(label):
    above = aside((300.0, 100.0), (500.0, 700.0), _image(label))
    assert above == Aside("upward", pytest.approx(20.0), 45.0, calibrated=True)
    assert aside((600.0, 100.0), (500.0, 700.0), _image(label)).half == "lower"


def test_an_image_stored_on_its_side_or_upside_down_tells_the_same():
    turned = _image("RCC", orientation=("R", "A"))  # growing columns run outward: 0.2 mm each
    assert aside((0.0, 150.0), (0.0, 100.0), turned).value == pytest.approx(10.0)
    upside_down = _image("RMLO", orientation=("A", "HR"))
    assert aside((600.0, 0.0), (500.0, 0.0), upside_down).value == pytest.approx(10.0)


@pytest.mark.parametrize("lacking", ["orientation", "laterality", "view"])
def test_nothing_is_guessed_where_the_image_does_not_say(lacking):
    assert aside((0.0, 0.0), (9.0, 9.0), _image("RCC", **{lacking: None})) is None


def test_without_spacing_a_half_is_told_and_never_a_quadrant():
    one = aside((300.0, 0.0), (500.0, 0.0), _image("RCC", spacing=None))
    assert one.half == "outer"
    assert estimate(one, Aside("upward", 30.0, 90.0, True), "R") is None


def test_two_views_of_one_direction_make_no_quadrant():
    one = Aside("outward", 20.0, 0.0, True)
    assert estimate(one, one, "R") is None


def _projected(outward: float, upward: float, degrees: float) -> float:
    """Where a beam at that angle from the vertical throws a place: the upper direction of its image."""
    turn = math.radians(degrees)
    return outward * math.cos(turn) + upward * math.sin(turn)


@pytest.mark.parametrize("breast", ["R", "L"])
@pytest.mark.parametrize("degrees", [45.0, 90.0])
@pytest.mark.parametrize(
    ("outward", "upward", "region", "hours"),
    [
        (30.0, 30.0, "upper-outer", {"R": {10, 11}, "L": {1, 2}}),
        (-30.0, 30.0, "upper-inner", {"R": {1, 2}, "L": {10, 11}}),
        (30.0, -52.0, "lower-outer", {"R": {7}, "L": {5}}),
        (-52.0, -30.0, "lower-inner", {"R": {4}, "L": {8}}),
    ],
)
def test_a_place_known_in_the_breast_is_found_again_from_its_pair(
    outward, upward, region, hours, degrees, breast
):
    cc = Aside("outward", outward, 0.0, True)
    side = Aside("upward", _projected(outward, upward, degrees), degrees, True)
    found = estimate(cc, side, breast)
    assert found.region == region
    assert found.clock in hours[breast]


def test_a_place_straight_outward_lies_high_in_the_oblique_and_is_still_found_at_its_hour():
    oblique = Aside("upward", 40.0 * math.cos(math.radians(45)), 45.0, True)
    assert oblique.value > 28
    found = estimate(Aside("outward", 40.0, 0.0, True), oblique, "L")
    assert found.clock == 3


def test_close_to_the_nipple_s_axis_there_is_no_hour():
    found = estimate(Aside("outward", 6.0, 0.0, True), Aside("upward", 6.0, 90.0, True), "R")
    assert (found.region, found.clock) == ("central", None)

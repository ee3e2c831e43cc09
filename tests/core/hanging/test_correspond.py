"""Where a place is looked for in another image, by arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.core.hanging.correspond import Arc, Cross, Shown, corresponding
from app.core.imaging.millimetres import length
from tests.core.hanging.test_placement import image

BREAST_R, BREAST_L = (100.0, 60.0, 300.0, 300.0), (100.0, 0.0, 300.0, 240.0)
ALL = (0.0, 0.0, 400.0, 300.0)


def test_the_other_breast_is_mirrored_about_the_chest_wall() -> None:
    # 300 columns: the chest wall of R lies at column edge 300, of L at 0; depth of column 250 is 49.5.
    found = corresponding(Shown(image("RCC"), BREAST_R), (150.0, 250.0), Shown(image("LCC"), BREAST_L))
    assert isinstance(found, Cross)
    assert found.point == pytest.approx((150.0, 49.0))


def test_a_prior_of_another_vendor_answers_in_millimetres_from_the_chest_wall_and_the_breast_s_middle() -> (
    None
):
    prior = image("RCC", mm=0.05)
    found = corresponding(
        Shown(image("RCC"), BREAST_R), (219.5, 259.5), Shown(prior, (100.0, 0.0, 200.0, 300.0))
    )
    # Height: 2 mm below the middle (edge 200 -> centre 199.5); depth: (300 - 260) * 0.1 = 4 mm.
    assert isinstance(found, Cross)
    assert found.point == pytest.approx((149.5 + 2 / 0.05, 299.5 - 4 / 0.05))


@pytest.mark.parametrize("turned", [("A", "FR"), ("FR", "P"), ("P", "HL"), ("HL", "A")])
def test_the_stored_orientation_of_the_target_does_not_matter(turned: tuple[str, str]) -> None:
    target = image("LMLO", turned, mm=0.1)
    source = Shown(image("LMLO"), ALL)
    found = corresponding(source, (30.0, 20.0), Shown(target, ALL))
    assert isinstance(found, Cross)
    back = corresponding(Shown(target, ALL), found.point, source)
    assert isinstance(back, Cross)
    assert back.point == pytest.approx((30.0, 20.0))


def test_marked_nipples_take_the_place_of_the_breast_s_middle() -> None:
    source = Shown(image("RCC"), BREAST_R, nipple=(180.0, 100.0))
    target = Shown(image("LCC"), BREAST_L, nipple=(210.0, 190.0))
    found = corresponding(source, (170.0, 120.0), target)
    # 10 rows above the nipple and 20 columns nearer to the chest wall, mirrored.
    assert isinstance(found, Cross)
    assert found.point == pytest.approx((200.0, 170.0))


def test_between_cc_and_mlo_of_one_breast_lies_an_arc_at_the_distance_to_the_nipple() -> None:
    cc = Shown(image("LCC"), BREAST_L, nipple=(200.0, 230.0))
    mlo = Shown(image("LMLO", mm=(0.1, 0.2)), BREAST_L, nipple=(220.0, 150.0))
    found = corresponding(cc, (230.0, 190.0), mlo)
    assert isinstance(found, Arc)
    assert found.radius_mm == pytest.approx(5.0)  # 3 mm and 4 mm
    for point in found.points:
        assert length((220.0, 150.0), point, mlo.image.spacing).value == pytest.approx(5.0)
    assert max(math.dist(a, b) for a, b in zip(found.points, found.points[1:], strict=False)) < 2


def test_without_both_nipples_nothing_is_said_between_cc_and_mlo() -> None:
    cc = Shown(image("LCC"), BREAST_L, nipple=(200.0, 230.0))
    assert corresponding(cc, (230.0, 190.0), Shown(image("LMLO"), BREAST_L)) is None


@pytest.mark.parametrize(
    "target",
    [
        image("RMLO"),  # another view of the other breast
        image("LCC", mm=None),
        image("LCC", modifiers=("M",)),
        replace(image("LCC"), orientation=None),
        replace(image("LCC"), laterality=None),
        image("LCC", partial=("MEDIAL",)),
    ],
)
def test_nothing_is_said_where_places_do_not_compare(target) -> None:
    source = Shown(image("LCC"), BREAST_L, nipple=(200.0, 230.0))
    assert corresponding(source, (230.0, 190.0), Shown(target, BREAST_L, nipple=(200.0, 230.0))) is None


def test_a_place_that_would_lie_outside_the_target_is_not_drawn() -> None:
    target = image("LCC", mm=0.01)
    assert corresponding(Shown(image("LCC"), ALL), (200.0, 150.0), Shown(target, ALL)) is None

"""Current and prior move together: the same breast the same way, the other one mirrored, on one mm scale."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hanging.catalogue import load_protocols
from app.core.hanging.hang import hang
from app.core.hanging.placement import anchor_of, extent_mm, place, same_scale, sizing_label
from app.core.imaging.image import Grey, Image, PatientFacts, Spacing, Study, Window
from app.services import screen as move
from app.services.state import PaneState, ScreenState

LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
VIEWS = tuple(LETTERS)
PANE = (700.0, 500.0)
HEIGHT, WIDTH = 40.0, 30.0
"""Of every image, in millimetres, whatever its pixels."""
PX_PER_MM = 9.0
PRIORS = next(protocol for protocol in load_protocols() if protocol.name == "screening-priors")


def image(study: str, label: str, spacing: float | None) -> Image:
    pixel = spacing or 0.1
    return Image(
        path=Path(f"{study}-{label}"),
        sop_uid=f"{study}-{label}",
        rows=round(HEIGHT / pixel),
        columns=round(WIDTH / pixel),
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        label=label,
        orientation=LETTERS[label],
        spacing=Spacing(spacing, spacing, "at detector") if spacing else None,
        grey=(Grey(voi=(Window(1, 2, explanation="NORMAL"),)),),
        intent="presentation",
    )


def eight(now: float | None = 0.1, before: float | None = 0.05) -> ScreenState:
    """Return current below prior; panes 0..3 are the prior's RCC LCC RMLO LMLO, 4..7 the current."""
    studies = [
        Study(uid, PatientFacts(id="1"), day, tuple(image(uid, view, spacing) for view in VIEWS))
        for uid, day, spacing in (
            ("now", date(2026, 1, 1), now),
            ("before", date(2024, 1, 1), before),
        )
    ]
    screen = move.screen_of(hang(studies[0], (studies[1],), PRIORS), studies[0], 1, {})
    assert [pane.wants for pane in screen.panes] == [f"prior {view}" for view in VIEWS] + list(VIEWS)
    return screen


def arguments(pane: PaneState) -> Any:
    shown = pane.viewport.image
    assert shown is not None
    return (shown, shown.rows, shown.columns, None, pane.viewport, pane.justify, pane.top, PANE, PX_PER_MM)


def bead(pane: PaneState, depth: float = 12.0, down: float = 17.0) -> tuple[float, float]:
    """Return where a bead is in the pane: `depth` mm from the chest wall, `down` mm from the image's top.

    The canonical letters say that the files store the right breast's chest wall at the last column and
    the left one's at the first (PS3.3 C.7.6.1.1.1), so that no flip is needed.
    """
    shown = pane.viewport.image
    assert shown is not None
    pixel = WIDTH / shown.columns
    column = depth / pixel - 0.5
    if shown.laterality == "R":
        column = shown.columns - 1 - column
    found = place(*arguments(pane)).apply(np.array([[down / pixel - 0.5, column]]))[0]
    return (float(found[0]), float(found[1]))


def flip(screen: ScreenState, index: int, **flips: bool) -> ScreenState:
    panes = list(screen.panes)
    panes[index] = replace(panes[index], viewport=replace(panes[index].viewport, **flips))
    return replace(screen, panes=tuple(panes))


def moved(before: ScreenState, after: ScreenState) -> list[tuple[float, float]]:
    """Return by how many device pixels (down, right) the bead moved in each pane."""
    pairs = zip(before.panes, after.panes, strict=True)
    return [(bead(new)[0] - bead(old)[0], bead(new)[1] - bead(old)[1]) for old, new in pairs]


FLIPS = [(False, False), (True, False), (False, True), (True, True)]


@pytest.mark.parametrize("source", range(8))
@pytest.mark.parametrize("other", range(8))
@pytest.mark.parametrize(("flip_h", "flip_v"), FLIPS)
def test_a_pan_moves_every_breast_the_same_way_in_its_body(
    source: int, other: int, flip_h: bool, flip_v: bool
) -> None:
    screen = flip(eight(), other, flip_h=flip_h, flip_v=flip_v)
    after = move.panned(screen, source, 2.0, 3.0, linked=True)
    found = moved(screen, after)
    mine = screen.panes[source].viewport
    assert found[source] == pytest.approx((2.0 * PX_PER_MM, 3.0 * PX_PER_MM))  # the hand leads
    for index, pane in enumerate(screen.panes):
        view = pane.viewport
        same_side = pane.justify == screen.panes[source].justify
        across = 1 if same_side == (view.flip_h == mine.flip_h) else -1
        along = 1 if view.flip_v == mine.flip_v else -1
        assert found[index] == pytest.approx((along * 18.0, across * 27.0)), pane.wants


@pytest.mark.parametrize("source", [0, 1, 4, 5])
@pytest.mark.parametrize(("flip_h", "flip_v"), FLIPS)
def test_a_zoom_about_a_place_keeps_that_place_of_all_of_one_view(
    source: int, flip_h: bool, flip_v: bool
) -> None:
    screen = flip(eight(), source, flip_h=flip_h, flip_v=flip_v)
    at = bead(screen.panes[source])
    anchor = anchor_of(*arguments(screen.panes[source]), at)
    after = move.zoomed(screen, source, 3.0, anchor, linked=True)
    for index in (0, 1, 4, 5):  # the four cranio-caudal views, of two spacings
        assert after.panes[index].viewport.zoom == 3.0
        assert bead(after.panes[index]) == pytest.approx(bead(screen.panes[index]), abs=1e-6)


def test_a_millimetre_is_as_long_in_a_prior_of_another_spacing_at_same_and_at_true_size() -> None:
    for sizing in ("same", "true"):
        screen = move.sized(eight(), 0, sizing, linked=True)  # type: ignore[arg-type]
        for pane in screen.panes:
            one, two = bead(pane, depth=5.0), bead(pane, depth=15.0)
            assert abs(two[1] - one[1]) == pytest.approx(10.0 * PX_PER_MM)


def test_the_largest_breast_of_both_studies_fits() -> None:
    """The prior's is 30 mm deep, the current's 20: the deeper decides, 500 px / 30 mm < 700 px / 40 mm."""
    now, before = image("now", "RCC", 0.1), image("before", "RCC", 0.05)
    shallow = (0.0, 100.0, 400.0, 300.0)  # 20 mm of 30 from the chest wall, all 40 mm high
    extents = [
        extent_mm(now, 400, 300, shallow, "right", top=False),
        extent_mm(before, 800, 600, None, "right", top=False),
    ]
    assert extents == [pytest.approx((40.0, 20.0)), pytest.approx((40.0, 30.0))]
    assert same_scale([PANE, PANE], extents) == pytest.approx(500.0 / 30.0)


@pytest.mark.parametrize("source", range(8))
def test_a_prior_without_spacing_is_fitted_says_so_and_does_not_follow_millimetres(source: int) -> None:
    screen = eight(before=None)
    after = move.panned(screen, source, 2.0, 3.0, linked=True)
    with_spacing = {index for index in range(8) if screen.panes[index].viewport.image.spacing}  # type: ignore[union-attr]
    assert with_spacing == {4, 5, 6, 7}
    follows = with_spacing if source in with_spacing else set(range(8)) - with_spacing
    assert {index for index, by in enumerate(moved(screen, after)) if by != pytest.approx((0, 0))} == follows
    pane = screen.panes[0]
    assert pane.viewport.image is not None
    assert sizing_label(pane.viewport.image, pane.viewport) == "fit, size unknown"
    # 300 x 400 image pixels in 500 x 700 device pixels: 5/3 of a device pixel for each.
    assert place(*arguments(pane)).scales == pytest.approx((5 / 3, 5 / 3))


def test_windows_and_the_zoom_follow_without_spacing_too() -> None:
    screen = eight(before=None)
    after = move.zoomed(
        move.window_dragged(screen, 4, 0.25, 2.0, linked=True), 4, 1.5, (3.0, 4.0), linked=True
    )
    for pane in after.panes:
        assert (pane.viewport.window.shift, pane.viewport.window.stretch) == (0.25, 2.0)
        assert pane.viewport.zoom == 1.5


def test_unlinked_the_prior_stays() -> None:
    screen = eight()
    after = move.panned(screen, 4, 2.0, 3.0, linked=False)
    assert [index for index in range(8) if after.panes[index] != screen.panes[index]] == [4]

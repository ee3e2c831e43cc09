"""The screen's transitions: linking, mirroring, zooming about a point, paging, jumping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.hanging.catalogue import load_protocols
from app.core.hanging.hang import hang
from app.core.hanging.placement import anchor_of, place
from app.core.imaging.image import Grey, Image, PatientFacts, Spacing, Study, Window
from app.services import screen as move
from app.services.state import PaneState, ScreenState, ViewportState, WindowState

LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
VOI = (Window(1, 2, explanation="NORMAL"), Window(1, 3, explanation="HARDER"))
RCC, LCC, RMLO, LMLO = range(4)
PANE = (700.0, 500.0)


def image(name: str, **facts: Any) -> Image:
    label = name.split("-")[0]
    facts.setdefault("grey", (Grey(voi=VOI),))
    facts.setdefault("spacing", Spacing(0.1, 0.1, "at detector"))
    return Image(
        path=Path(name),
        sop_uid=name,
        rows=400,
        columns=300,
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        orientation=LETTERS.get(label),
        intent="presentation",
        **facts,
    )


def hung(*images: Image, stage: int = 0) -> ScreenState:
    study = Study("1", PatientFacts(), None, images or tuple(image(name) for name in LETTERS))
    return move.screen_of(hang(study, (), load_protocols()[0], stage), study, 1, {})


def affine(pane: PaneState) -> Any:
    view = pane.viewport
    assert view.image is not None
    return place(view.image, 400, 300, None, view, pane.justify, pane.top, PANE, 9.0)


def test_a_hung_pane_shows_its_best_candidate_justified() -> None:
    panes = hung().panes
    assert [pane.justify for pane in panes] == ["right", "left", "right", "left"]
    assert [pane.top for pane in panes] == [False, False, True, True]
    assert all(pane.viewport.sizing == "same" and pane.viewport.pan == (0, 0) for pane in panes)


def test_the_first_filled_pane_is_active() -> None:
    assert hung(image("LCC"), image("LMLO")).active == LCC


def test_a_linked_window_moves_by_widths_of_each_images_own() -> None:
    screen = move.window_dragged(hung(), RCC, 0.25, 2.0, linked=True)
    screen = move.window_dragged(screen, LMLO, -0.05, 0.5, linked=True)
    for pane in screen.panes:
        assert pane.viewport.window.shift == pytest.approx(0.2)
        assert pane.viewport.window.stretch == pytest.approx(1.0)


def test_an_unlinked_window_moves_alone() -> None:
    screen = move.window_dragged(hung(), RCC, 0.25, 2.0, linked=False)
    assert screen.panes[RCC].viewport.window == WindowState(0, 0.25, 2.0)
    assert all(screen.panes[index].viewport.window == WindowState() for index in (LCC, RMLO, LMLO))


def test_linking_later_keeps_what_was_set_apart() -> None:
    screen = move.window_dragged(hung(), RCC, 0.25, 1.0, linked=False)
    screen = move.window_dragged(screen, LCC, 0.5, 1.0, linked=True)
    assert screen.panes[RCC].viewport.window.shift == pytest.approx(0.75)
    assert screen.panes[LCC].viewport.window.shift == pytest.approx(0.5)


def test_an_empty_pane_is_left_alone() -> None:
    screen = move.window_dragged(hung(image("RCC"), image("RMLO")), RCC, 0.25, 1.0, linked=True)
    assert screen.panes[LCC].viewport == ViewportState()


def test_a_voi_is_followed_by_name_then_by_number() -> None:
    other = (Window(1, 5, explanation="HARDER"), Window(1, 7, explanation="NORMAL"))
    alone = (Window(1, 9, explanation="only"),)
    screen = hung(image("RCC"), image("LCC", grey=(Grey(voi=other),)), image("RMLO", grey=(Grey(voi=alone),)))
    screen = move.voi_chosen(screen, RCC, 1, linked=True)
    assert [screen.panes[index].viewport.window.voi for index in (RCC, LCC, RMLO)] == [1, 0, 0]


def test_a_voi_that_does_not_exist_changes_nothing() -> None:
    assert move.voi_chosen(hung(), RCC, 2, linked=True) == hung()
    assert (
        move.voi_chosen(hung(image("RCC", grey=(Grey(),)), image("LCC")), RCC, 1, linked=False)
        .panes[RCC]
        .viewport.window
        == WindowState()
    )


def test_a_linked_pan_is_mirrored_between_the_breasts() -> None:
    screen = move.panned(hung(), RCC, 2.0, 5.0, linked=True)
    pans = [pane.viewport.pan for pane in screen.panes]
    assert pans == [(2.0, 5.0), (2.0, -5.0), (2.0, 5.0), (2.0, -5.0)]


def test_a_pan_follows_the_hand_in_a_flipped_pane() -> None:
    screen = move.flipped(move.flipped(hung(), LCC, "h"), LCC, "v")
    before = affine(screen.panes[LCC]).apply(np.array([[0.0, 0.0]]))
    screen = move.panned(screen, LCC, 2.0, 5.0, linked=True)
    after = affine(screen.panes[LCC]).apply(np.array([[0.0, 0.0]]))
    assert after - before == pytest.approx(np.array([[18.0, 45.0]]))  # 9 device pixels per millimetre
    # In the doubly flipped left breast that is up and towards its chest wall; so it is in the right one.
    assert screen.panes[LCC].viewport.pan == (-2.0, -5.0)
    assert screen.panes[RCC].viewport.pan == (-2.0, 5.0)


def test_a_pan_in_millimetres_leaves_an_image_without_spacing_alone() -> None:
    screen = move.panned(hung(image("RCC"), image("LCC", spacing=None)), RCC, 1.0, 1.0, linked=True)
    assert screen.panes[LCC].viewport.pan == (0.0, 0.0)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("flips", [{}, {"flip_h": True}, {"flip_v": True}])
def test_the_point_under_the_cursor_stays_while_zooming(index: int, flips: dict[str, bool]) -> None:
    screen = move.panned(hung(), RCC, 2.0, 5.0, linked=True)
    pane = screen.panes[index]
    pane = replace(pane, viewport=replace(pane.viewport, **flips))
    screen = replace(screen, panes=(*screen.panes[:index], pane, *screen.panes[index + 1 :]))
    assert pane.viewport.image is not None
    cursor = (123.0, 321.0)
    arguments = (pane.viewport.image, 400, 300, None, pane.viewport, pane.justify, pane.top, PANE, 9.0)
    under = affine(pane).inverse().apply(np.array([cursor]))
    screen = move.zoomed(screen, index, 1.7, anchor_of(*arguments, cursor), linked=True)
    assert affine(screen.panes[index]).apply(under) == pytest.approx(np.array([cursor]), abs=1e-6)
    assert screen.panes[index].viewport.sizing == "free"


def test_a_linked_zoom_stays_mirrored_between_the_breasts() -> None:
    screen = move.zoomed(hung(), RMLO, 2.0, (10.0, -12.0), linked=True)
    right, left = screen.panes[RMLO].viewport, screen.panes[LMLO].viewport
    assert right.zoom == left.zoom == 2.0
    assert left.pan == pytest.approx((right.pan[0], -right.pan[1]))


def test_zooming_from_fit_goes_on_from_fit() -> None:
    screen = move.sized(hung(), RCC, "fit", linked=True)
    before = affine(screen.panes[RCC]).scales[0]
    screen = move.zoomed(screen, RCC, 1.5, (0.0, 0.0), linked=True)
    assert screen.panes[RCC].viewport.base == "fit"
    assert affine(screen.panes[RCC]).scales[0] == pytest.approx(1.5 * before)
    again = move.zoomed(screen, RCC, 2.0, (0.0, 0.0), linked=True)
    assert affine(again.panes[RCC]).scales[0] == pytest.approx(3.0 * before)


def test_zoom_has_an_end() -> None:
    screen = hung()
    for _ in range(100):
        screen = move.zoomed(screen, RCC, 2.0, (1.0, 1.0), linked=True)
    assert screen.panes[RCC].viewport.zoom == move.ZOOM_RANGE[1]
    assert np.isfinite(screen.panes[RCC].viewport.pan).all()


def test_reset_hangs_as_at_first() -> None:
    first = hung()
    screen = move.inverted(move.flipped(first, RCC, "h"), RCC)
    screen = move.zoomed(move.panned(screen, RCC, 1, 2, linked=True), RCC, 2.0, (1, 1), linked=True)
    screen = move.window_dragged(screen, LCC, 1.0, 2.0, linked=True)
    assert move.was_reset(screen, LMLO, linked=True) == first


def test_invert_and_flip_act_on_one_pane_and_undo_themselves() -> None:
    first = hung()
    screen = move.flipped(move.inverted(first, RCC), RCC, "h")
    assert screen.panes[RCC].viewport.invert
    assert screen.panes[RCC].viewport.flip_h
    assert screen.panes[1:] == first.panes[1:]
    assert move.flipped(move.inverted(screen, RCC), RCC, "h") == first


def test_paging_goes_round_the_candidates() -> None:
    screen = hung(image("RCC"), image("LCC"), image("RCC-id", modifiers=("ID",)))
    for expected in ("RCC-id", "RCC", "RCC-id"):
        screen = move.paged(screen, RCC, 1, {})
        shown = screen.panes[RCC].viewport.image
        assert shown is not None
        assert shown.sop_uid == expected
    assert move.paged(screen, LCC, 1, {}) == screen


def test_a_page_comes_back_with_its_own_window() -> None:
    screen = hung(image("RCC"), image("LCC"), image("RCC-id", modifiers=("ID",)))
    screen = move.window_dragged(screen, RCC, 0.5, 1.0, linked=False)
    kept = {("RCC", "RCC"): move.to_remember(screen.panes[RCC].viewport)}
    away = move.paged(screen, RCC, 1, kept)
    assert away.panes[RCC].viewport.window == WindowState()
    assert move.paged(away, RCC, 1, kept).panes[RCC].viewport.window.shift == 0.5


def test_an_image_shown_in_another_pane_brings_its_own_chest_wall() -> None:
    tray = image("LXCCL")
    screen = move.shown_in(hung(), RMLO, tray, {})
    pane = screen.panes[RMLO]
    assert pane.viewport.image == tray
    assert (pane.justify, pane.top) == ("left", False)
    assert len(pane.candidates) == 2
    assert len(move.shown_in(screen, RMLO, tray, {}).panes[RMLO].candidates) == 2


def test_frames_stop_at_the_first_and_the_last() -> None:
    screen = hung(image("RCC", frames=4, grey=(Grey(voi=VOI),)), image("LCC"))
    assert move.framed(screen, RCC, -1).panes[RCC].viewport.frame == 0
    assert move.framed(screen, RCC, 9).panes[RCC].viewport.frame == 3
    assert move.framed(screen, LCC, 1).panes[LCC].viewport.frame == 0


def test_a_jump_puts_the_middle_of_the_box_at_the_middle_of_the_pane() -> None:
    screen = move.focused(hung(), LMLO, (100.0, 50.0, 140.0, 90.0))
    # Box edges are at pixel corners: its middle is the corner (120, 70), the centre coordinate 119.5, 69.5.
    middle = affine(screen.panes[LMLO]).apply(np.array([[119.5, 69.5]]))
    assert middle == pytest.approx(np.array([[(PANE[0] - 1) / 2, (PANE[1] - 1) / 2]]))
    assert screen.panes[LMLO].viewport.zoom == move.JUMP_ZOOM


def test_a_jump_keeps_the_readers_own_zoom() -> None:
    screen = move.zoomed(hung(), LMLO, 5.0, (0.0, 0.0), linked=False)
    assert move.focused(screen, LMLO, (1, 1, 2, 2)).panes[LMLO].viewport.zoom == 5.0


def test_what_the_pixels_told_takes_the_place_of_the_header_facts() -> None:
    bare = image("RCC")
    unknown = replace(bare, orientation=None)
    screen = move.window_dragged(hung(unknown, image("LCC")), RCC, 0.5, 1.0, linked=False)
    told = move.completed(screen, bare)
    assert told.panes[RCC].viewport.image == bare
    assert told.panes[RCC].candidates == (bare,)
    assert told.panes[RCC].viewport.window.shift == 0.5
    assert told.panes[LCC] == screen.panes[LCC]


def test_a_view_is_seen_closely_in_a_pair_alone_or_at_actual_pixels() -> None:
    four = hung()
    assert move.closely_seen(four) == set()
    assert len(move.closely_seen(hung(stage=1))) == 2
    assert move.closely_seen(replace(four, single=LCC)) == {(("LCC", "LCC"), 0)}
    assert len(move.closely_seen(move.sized(four, RCC, "actual", linked=False))) == 1


def test_a_stage_hangs_at_its_own_size_and_reset_comes_back_to_it() -> None:
    study = Study("1", PatientFacts(), None, (image("RCC"), image("LCC")))
    layout = replace(hang(study, (), load_protocols()[0]), sizing="actual", walk=True)
    screen = move.screen_of(layout, study, 1, {})
    assert screen.walk
    assert {pane.viewport.sizing for pane in screen.panes if pane.candidates} == {"actual"}
    changed = move.zoomed(move.sized(screen, RCC, "fit", linked=True), RCC, 2.0, (0.0, 0.0), linked=True)
    back = move.was_reset(changed, RCC, linked=True)
    assert [pane.viewport for pane in back.panes] == [pane.viewport for pane in screen.panes]


def test_of_one_takes_out_what_is_not_the_patients() -> None:
    screen = hung(image("RCC"), image("RCC-2"), image("LCC"), image("RXCCL"))
    none, strangers = move.of_one(screen, lambda _: True)
    assert none is screen
    assert not strangers
    kept, strangers = move.of_one(screen, lambda each: each.sop_uid in ("RCC-2", "LCC"))
    assert strangers
    assert [[each.sop_uid for each in pane.candidates] for pane in kept.panes[:2]] == [["RCC-2"], ["LCC"]]
    assert kept.panes[RCC].viewport.image == image("RCC-2")
    assert kept.tray == ()

"""Linked, a stage takes over the window that the reader left; another study begins with its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from app.core.hanging.catalogue import load_protocols
from app.core.hanging.hang import hang
from app.core.imaging.image import Grey, Image, PatientFacts, Study, Window
from app.services import screen as move
from app.services.same_window import taken_over
from app.services.state import ScreenState, WindowState

FOUR = next(protocol for protocol in load_protocols() if protocol.name == "screening-cc-mlo")
NAMES = {"CC": ("NORMAL", "HARDER"), "MLO": ("HARDER", "NORMAL", "SOFTER")}


def study_of(uid: str, names: dict[str, tuple[str, ...]] = NAMES) -> Study:
    images = tuple(
        Image(
            path=Path(f"{uid}-{label}"),
            sop_uid=f"{uid}-{label}",
            laterality=label[0],  # type: ignore[arg-type]
            view=label[1:],
            label=label,
            intent="presentation",
            grey=(Grey(voi=tuple(Window(1, 2, explanation=name) for name in names[label[1:]])),),
        )
        for label in ("RCC", "LCC", "RMLO", "LMLO")
    )
    return Study(uid, PatientFacts(id="1"), date(2026, 1, 1), images)


def stage(study: Study, number: int) -> ScreenState:
    return move.screen_of(hang(study, (), FOUR, number), study, 1, {})


def windows(screen: ScreenState) -> list[WindowState]:
    return [pane.viewport.window for pane in screen.panes]


def test_the_alternative_goes_by_its_name_and_the_drag_with_it() -> None:
    study = study_of("a")
    pair = move.voi_chosen(stage(study, 1), 0, 1, True)
    pair = move.window_dragged(pair, 0, 0.25, 2.0, True)
    assert windows(pair) == [WindowState(1, 0.25, 2.0)] * 2
    four = taken_over(stage(study, 0), pair)
    # HARDER is the second of the CC views and the first of the MLO views.
    assert windows(four) == [WindowState(1, 0.25, 2.0)] * 2 + [WindowState(0, 0.25, 2.0)] * 2


def test_without_the_name_the_number_counts_and_without_that_nothing_changes() -> None:
    study = study_of("a", {"CC": ("A", "B", "C"), "MLO": ("D", "E")})
    pair = move.voi_chosen(stage(study, 1), 0, 1, True)
    assert windows(taken_over(stage(study, 0), pair))[2:] == [WindowState(1)] * 2
    third = move.voi_chosen(stage(study, 1), 0, 2, True)
    assert windows(taken_over(stage(study, 0), third))[2:] == [WindowState(0)] * 2


def test_another_study_begins_with_its_own_window() -> None:
    pair = move.voi_chosen(stage(study_of("a"), 1), 0, 1, True)
    fresh = stage(study_of("b"), 0)
    assert taken_over(fresh, pair) is fresh
    assert taken_over(fresh, ScreenState()) is fresh
    assert taken_over(fresh, replace(pair, active=9)) is fresh

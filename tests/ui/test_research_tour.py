"""The tour of the researcher's loop tells what is there: few missed cases, none, another refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot
from training_desk import TEST, TRAIN, VAL, make_desk, row, write_splits
from ui_desk import Desk

from app.commands.research_tour import FROZEN, Loop, ResearchTour, refusal
from app.core.errors import MammoviewError
from app.services.training import frozen
from app.ui.audit.window import AuditWindow
from app.ui.panels.training import words
from app.ui.panels.training.window import open_training


@pytest.fixture
def tour(room: AuditWindow, qtbot: QtBot, tmp_path: Path) -> ResearchTour:
    def settle(done: Callable[[], bool], _seconds: float, _what: str) -> None:
        qtbot.waitUntil(done)

    station = SimpleNamespace(settle=settle, library=SimpleNamespace(busy=False), window=None)
    # At 0.5 the images i3 (0.31) and i7 (0.45) of the room, both malignant, are missed.
    loop = Loop(tmp_path / "made.csv", ("made",), "made", 1, "", tmp_path / "kept")
    return ResearchTour(station, loop, tmp_path)


def recall_from(room: AuditWindow, threshold: float, qtbot: QtBot) -> None:
    room.plots.scores.line.setValue(threshold)  # as a drag does
    qtbot.waitUntil(lambda: room.audit.state.sheet.threshold == threshold)


def labelled(room: AuditWindow) -> dict[str, str]:
    """What this reader said that labels should be, by image."""
    rows = room.audit.state.table.rows
    said = {facts.image_id: room.audit.verdict(place) for place, facts in enumerate(rows)}
    return {name: own.label for name, own in said.items() if own is not None}


def test_two_missed_cases_are_two_clicks_and_two_labels(room: AuditWindow, tour: ResearchTour) -> None:
    assert tour._found(room).startswith("2 of 2 false negatives on screen by 2 clicks in ")
    assert tour._corrected(room) == "should be normal: i3 (malignant), i7 (malignant)"
    assert labelled(room) == {"i3": "normal", "i7": "normal"}


def test_a_single_missed_case_is_named_once(room: AuditWindow, tour: ResearchTour, qtbot: QtBot) -> None:
    recall_from(room, 0.4, qtbot)
    assert tour._found(room).startswith("1 of 1 false negatives on screen by 1 click in ")
    assert tour._corrected(room) == "should be normal: i3 (malignant)"
    assert labelled(room) == {"i3": "normal"}


def test_where_nothing_was_missed_the_tour_ends_and_says_nothing_of_a_case(
    room: AuditWindow, tour: ResearchTour, qtbot: QtBot
) -> None:
    recall_from(room, 0.05, qtbot)
    for station in (tour._found, tour._corrected):
        with pytest.raises(MammoviewError, match=r"made\.csv: no false negative at the operating point"):
            station(room)
    assert labelled(room) == {}


@pytest.mark.parametrize("part", ["train", "tune"])
def test_the_refusal_of_the_frozen_test_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    made = make_desk(tmp_path, monkeypatch)
    frozen.freeze(FROZEN, made.manifest, made.splits, 0, "dr a")
    rows = [row(number, patient, tmp_path) for number, patient in enumerate((*TRAIN, *VAL, *TEST))]
    anew = made.manifest_of("anew.csv", *rows)
    parts = (TEST, TRAIN, VAL) if part == "train" else (TRAIN, TEST, VAL)
    splits = write_splits(tmp_path / "anew.json", anew, parts)
    with pytest.raises(frozen.FrozenTestError) as caught:
        frozen.guard([frozen.load(FROZEN)], anew, splits, 0)
    said = words.sentence(str(caught.value))
    assert f"would {part} " in said
    assert refusal(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "Size: 64x is no size.",
        "no name: a model is named by small letters, digits and hyphens.",
        "tour/splits.json: the splits of the frozen test have changed since it was chosen.",
        "",
    ],
)
def test_any_other_problem_of_the_form_is_no_refusal(said: str) -> None:
    with pytest.raises(MammoviewError, match="the frozen test did not refuse the training") as caught:
        refusal(said)
    assert said in str(caught.value)


def test_what_stood_in_the_form_before_is_not_the_answer_to_the_start(
    desk: Desk, tour: ResearchTour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    made = make_desk(tmp_path, monkeypatch)
    room = open_training(desk.window)
    qtbot.waitUntil(lambda: room.form.recipe.count() > 1)
    room.form.manifest.setText(str(made.manifest))
    room.form.name.setText("No Name")
    room.form.say("of before")
    assert "a model is named by small letters" in tour._started(room, "the guard")
    room.close()

"""A second screen of one study: its own stages and panes, the session's everything else, no other patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.core.imaging.image import Collection, Grey, Image, Patient, PatientFacts, Spacing, Study, Window
from app.core.settings import Settings
from app.services.companion import Companion
from app.services.library import Library
from app.services.requests import Request
from app.services.session import Session
from app.services.state import ScreenState

JANE = PatientFacts(id="7", name="Doe^Jane", birth_date=date(1960, 1, 1), sex="F")
ANN = PatientFacts(id="8", name="Roe^Ann")
VIEWS = ("RCC", "LCC", "RMLO", "LMLO")


def image(study: str, label: str, facts: PatientFacts, **more: Any) -> Image:
    return Image(
        path=Path(f"{study}-{label}"),
        sop_uid=f"{study}-{label}",
        study_uid=study,
        rows=64,
        columns=48,
        laterality=label[0],  # type: ignore[arg-type]
        view=label[1:],
        label=label,
        spacing=Spacing(0.1, 0.1, "at detector"),
        grey=(Grey(voi=(Window(50, 100),)),),
        patient=facts,
        **more,
    )


def exam(uid: str, facts: PatientFacts = JANE, day: date = date(2026, 11, 3)) -> Study:
    return Study(uid, facts, day, tuple(image(uid, label, facts) for label in VIEWS))


class Shelf(Library):
    """A library that is given its collection and decodes nothing."""

    def _useful(self, request: Request) -> bool:
        return False

    def put(self, *patients: tuple[Study, ...]) -> None:
        self._set_collection(Collection(tuple(Patient(each[0].patient, each) for each in patients)))

    @property
    def pinned(self) -> set[str]:
        return {key[1] for key, _ in self._screen}


@pytest.fixture
def shelf(qtbot: QtBot) -> Iterator[Shelf]:
    library = Shelf()
    yield library
    library.stop()


@pytest.fixture
def session(shelf: Shelf) -> Session:
    session = Session(shelf)
    shelf.put((exam("a"), exam("b", day=date(2024, 11, 3))), (exam("c", ANN),))
    return session


@pytest.fixture
def second(session: Session) -> Companion:
    companion = Companion(session, "second")
    companion.open()
    return companion


def shown(screen: ScreenState) -> list[str]:
    return [pane.viewport.image.sop_uid for pane in screen.panes if pane.viewport.image]


def test_it_opens_at_the_stage_after_the_sessions(session: Session, second: Companion) -> None:
    assert session.screen.stage_title == "Four views"
    assert (second.screen.protocol, second.screen.stage_title) == ("screening-cc-mlo", "CC pair")
    assert shown(second.screen) == ["a-RCC", "a-LCC"]


def test_stages_protocols_and_panes_are_its_own(session: Session, second: Companion) -> None:
    before = session.screen
    second.set_protocol("screening-priors")
    second.next_stage()
    second.invert(0)
    second.zoom_at(0, 2.0)
    second.drag_window(0, 0.5, 2.0)
    assert session.screen is before
    session.next_stage()
    session.flip(0, "h")
    assert (second.screen.protocol, second.screen.stage) == ("screening-priors", 1)
    assert not second.screen.panes[0].viewport.flip_h


def test_overlays_tool_settings_and_marks_are_the_sessions(session: Session, second: Companion) -> None:
    second.set_overlay(corner="off")
    second.set_tool("pan")
    assert (session.overlay.corner, session.tool) == ("off", "pan")
    assert second.overlay is session.overlay
    assert second.work is session.work
    assert second.settings is session.settings
    assert second.seen is session.seen
    with pytest.raises(AttributeError):
        second.no_such_thing  # noqa: B018


def test_it_follows_the_study_and_keeps_its_protocol_and_stage(session: Session, second: Companion) -> None:
    second.set_protocol("screening-cc-mlo")
    second.set_stage([*second.screen.stage_titles].index("RMLO"))
    second.invert(0)
    session.open_study("c")
    assert (second.screen.stage_title, shown(second.screen)) == ("RMLO", ["c-RMLO"])
    assert not second.screen.panes[0].viewport.invert
    session.open_study("a")
    assert (second.screen.stage_title, shown(second.screen)) == ("RMLO", ["a-RMLO"])


def test_next_study_asked_for_in_the_second_window_moves_both(session: Session, second: Companion) -> None:
    second.next_study()
    assert session.screen.study is second.screen.study
    assert session.screen.study is not None
    assert session.screen.study.key == "b"


def test_both_screens_stay_in_memory_and_closing_gives_the_second_back(
    session: Session, second: Companion, shelf: Shelf
) -> None:
    session.set_stage([*session.screen.stage_titles].index("LMLO"))
    second.set_stage([*second.screen.stage_titles].index("RCC"))
    assert shelf.pinned == {"a-LMLO", "a-RCC"}
    session.set_stage(0)
    assert shelf.pinned == {f"a-{view}" for view in VIEWS}
    session.set_stage([*session.screen.stage_titles].index("LMLO"))
    assert shelf.pinned == {"a-LMLO", "a-RCC"}
    second.close()
    assert shelf.pinned == {"a-LMLO"}
    assert second.screen.panes == ()


def test_closed_it_hangs_nothing_until_it_is_opened_again(session: Session, second: Companion) -> None:
    second.close()
    session.open_study("c")
    assert second.screen.study is None
    second.open()
    assert shown(second.screen) == ["c-RCC", "c-LCC"]


def test_an_empty_collection_empties_it(session: Session, second: Companion, shelf: Shelf) -> None:
    shelf.put()
    assert session.screen.study is None
    assert second.screen.study is None
    assert second.screen.panes == ()
    shelf.put((exam("d"),))
    assert second.screen.study is session.screen.study


def test_naming_an_image_by_hand_hangs_it_there_too(session: Session, second: Companion) -> None:
    study = session.screen.study
    assert study is not None
    second.set_stage([*second.screen.stage_titles].index("RCC"))
    session.assign(study.images[3], "R", "CC")
    assert {each.sop_uid for each in second.screen.panes[0].candidates} == {"a-RCC", "a-LMLO"}
    assert second.screen.stage_title == "RCC"


def test_two_patients_never_share_the_two_windows(
    session: Session, second: Companion, shelf: Shelf, qtbot: QtBot
) -> None:
    strange = image("c", "RCC", ANN)
    with qtbot.waitSignal(second.message) as told:
        second.show_in(0, strange)
    assert told.args == ["That image is of another patient."]
    session.open_study("c")
    with qtbot.waitSignal(second.message):
        second.show_in(0, image("a", "RCC", JANE))
    assert {name[0] for name in (*shown(session.screen), *shown(second.screen))} == {"c"}


# Two patients on one screen: all ways in


def everyone(screen: ScreenState) -> set[PatientFacts]:
    return {image.patient for pane in screen.panes for image in pane.candidates} | {
        image.patient for image in screen.tray
    }


SAME_ID = replace(JANE, name="Smith^Mary")


@pytest.mark.parametrize("protocol", ["screening-cc-mlo", "screening-priors"])
def test_a_forged_collection_gives_no_prior_of_another_patient(
    session: Session, second: Companion, shelf: Shelf, protocol: str
) -> None:
    wrong = exam("wrong", SAME_ID, date(2025, 1, 1))
    shelf.put((exam("a"), wrong, exam("right", JANE, date(2024, 1, 1))))
    session.open_study("a")
    for one in (session, second):
        one.set_protocol(protocol)
        for stage in range(one.screen.stages):
            one.set_stage(stage)
            assert everyone(one.screen) == {JANE}


def test_a_strange_image_inside_a_study_is_taken_out_and_told(
    session: Session, shelf: Shelf, qtbot: QtBot
) -> None:
    own = exam("a")
    forged = replace(own, images=(*own.images, replace(image("x", "RCC", SAME_ID), study_uid="a")))
    with qtbot.waitSignal(session.message) as told:
        shelf.put((forged,))
        session.open_study("a")
    assert told.args == ["An image of another patient was not shown."]
    assert everyone(session.screen) == {JANE}
    session.page(0, 1)
    assert shown(session.screen)[0] == "a-RCC"


def test_an_image_with_the_same_id_and_another_name_is_refused_in_a_pane(
    session: Session, shelf: Shelf, qtbot: QtBot
) -> None:
    wrong = exam("wrong", SAME_ID, date(2025, 1, 1))
    shelf.put((exam("a"), wrong))  # forged: under one patient
    session.open_study("a")
    with qtbot.waitSignal(session.message) as told:
        session.show_in(0, wrong.images[0])
    assert told.args == ["That image is of another patient."]
    assert everyone(session.screen) == {JANE}


def test_a_jump_to_an_image_of_another_patient_shows_nothing_of_it(session: Session, shelf: Shelf) -> None:
    session.jump_to(("c-RCC", "c-RCC"), (0.0, 0.0, 4.0, 4.0))
    assert everyone(session.screen) == {JANE}


class Oracle(QObject):
    """An inference that only notes that it was asked."""

    look_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def run(self, study: Study, models: tuple[str, ...] | None) -> None:
        self.asked.append(study.key)

    def cancel(self) -> None: ...


def test_what_was_seen_in_the_second_window_counts_as_seen(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "settled", lambda key, frame=0: True)
    oracle = Oracle()
    session = Session(shelf, oracle, Settings(second_look="after every view has been seen"))
    shelf.put((exam("a"),))
    second = Companion(session, "second")
    second.open()  # the CC pair
    assert oracle.asked == []
    second.next_stage()
    assert second.screen.stage_title == "MLO pair"
    assert session.screen.stage_title == "Four views"
    assert oracle.asked == ["a"]

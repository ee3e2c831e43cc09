"""The session: studies, hanging, linked panes, second looks; with a library that decodes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.core.imaging.background import Surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.image import (
    Collection,
    Grey,
    Image,
    LeftOut,
    Patient,
    PatientFacts,
    Spacing,
    Study,
    Window,
)
from app.core.imaging.pyramid import build
from app.core.reading.findings import ModelFacts, SecondLook, ViewLook
from app.core.settings import Settings
from app.services.frames import FramePixels
from app.services.library import Library
from app.services.requests import Request
from app.services.session import Session
from app.services.state import ScreenState

LETTERS = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}


def image(study: str, label: str, **facts: Any) -> Image:
    name = f"{study}-{label}"
    facts.setdefault("orientation", LETTERS.get(label))
    return Image(
        path=Path(name),
        sop_uid=name,
        study_uid=study,
        rows=64,
        columns=48,
        laterality=label[0] if label[0] in "RL" else None,  # type: ignore[arg-type]
        view=label[1:] if label[0] in "RL" else None,
        label=label,
        spacing=Spacing(0.1, 0.1, "at detector"),
        grey=(Grey(voi=(Window(50, 100),)),),
        **facts,
    )


def exam(uid: str, *labels: str, day: date = date(2026, 11, 3), patient: str = "1") -> Study:
    images = tuple(image(uid, label) for label in labels or LETTERS)
    return Study(uid, PatientFacts(id=patient), day, images)


class Shelf(Library):
    """A library that is given its collection and its frames."""

    def _useful(self, request: Request) -> bool:
        return False

    def put(self, *patients: tuple[Study, ...]) -> None:
        people = tuple(Patient(studies[0].patient, studies) for studies in patients)
        self._set_collection(Collection(people))

    def give(self, given: Image, frame: int = 0, told: Image | None = None, refining: bool = False) -> None:
        stored = np.zeros((given.rows, given.columns), np.uint16)
        mask = np.zeros(stored.shape, bool)
        pyramid = build(stored, Surroundings(mask, None), given.grey_of(frame))
        box = (0, 0, given.rows, given.columns)
        pixels = FramePixels(
            told or given,
            frame,
            stored,
            mask,
            pyramid,
            given.grey_of(0).voi,
            refining,
            False,
            box,
            Affine.identity(),
        )
        if refining:
            self._looks[pixels.key] = pixels
        else:
            self.cache.put(pixels)
        self.frame_ready.emit(given.key, frame)


class Oracle(QObject):
    """An inference that answers when told to."""

    look_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, tuple[str, ...] | None]] = []
        self.cancelled = 0

    def run(self, study: Study, models: tuple[str, ...] | None) -> None:
        self.asked.append((study.key, models))

    def cancel(self) -> None:
        self.cancelled += 1

    def answer(self, study: Study | str, model: str = "m", keys: tuple[tuple[str, str], ...] = ()) -> None:
        facts = ModelFacts(model, "1", "", "", False, None, None, (), "", "", "research")
        key = study if isinstance(study, str) else study.key
        views = tuple(ViewLook(key, "RCC", "scored") for key in keys)
        self.look_changed.emit(SecondLook(key, facts, "no findings", views))


@pytest.fixture
def shelf(qtbot: QtBot) -> Iterator[Shelf]:
    library = Shelf()
    yield library
    library.stop()


@pytest.fixture
def oracle(qtbot: QtBot) -> Oracle:
    return Oracle()


@pytest.fixture
def session(shelf: Shelf, oracle: Oracle) -> Session:
    return Session(shelf, oracle)


def shown(screen: ScreenState) -> list[str]:
    return [pane.viewport.image.label if pane.viewport.image else "" for pane in screen.panes]


def test_the_first_study_comes_on_screen_hung(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    assert session.screen.study is not None
    assert session.screen.study.uid == "a"
    assert session.screen.protocol == "screening-cc-mlo"
    assert shown(session.screen) == ["RCC", "LCC", "RMLO", "LMLO"]


def test_an_empty_collection_empties_the_screen(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    shelf.put()
    assert session.screen.study is None
    assert session.screen.panes == ()


def test_opening_what_holds_no_mammogram_says_why(session: Session, shelf: Shelf) -> None:
    said: list[str] = []
    session.message.connect(said.append)
    shelf.put()
    assert said == ["No mammogram was found there."]
    reasons = LeftOut(Path("folder/text.dcm"), "is not a DICOM file"), LeftOut(Path("b.dcm"), "is empty")
    shelf._set_collection(Collection(left_out=reasons))
    assert said[1:] == ["text.dcm: is not a DICOM file"]


def test_opening_nothing_keeps_the_open_study_and_says_one_sentence(session: Session, shelf: Shelf) -> None:
    said: list[str] = []
    session.message.connect(said.append)
    shelf.put((exam("a"),))
    before = session.screen
    shelf.nothing_found.emit(Collection(left_out=(LeftOut(Path("f/letter.dcm"), "is not a DICOM file"),)))
    shelf.nothing_found.emit(Collection())
    assert session.screen == before
    assert said == ["letter.dcm: is not a DICOM file", "No mammogram was found there."]


def test_a_file_left_out_beside_a_study_is_not_the_readers_business(session: Session, shelf: Shelf) -> None:
    said: list[str] = []
    session.message.connect(said.append)
    study = exam("a")
    left_out = (LeftOut(Path("text.dcm"), "is not a DICOM file"),)
    shelf._set_collection(Collection((Patient(study.patient, (study,)),), left_out))
    assert said == []


def test_studies_go_forth_and_back_and_stop_at_the_ends(session: Session, shelf: Shelf, qtbot: QtBot) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    said: list[str] = []
    session.message.connect(said.append)
    session.next_study()
    assert session.screen.study is not None
    assert session.screen.study.uid == "b"
    session.next_study()
    assert said == ["This is the last study."]
    session.previous_study()
    session.previous_study()
    assert session.screen.study.uid == "a"
    assert said[-1] == "This is the first study."


def test_read_studies_are_passed_over_and_the_search_goes_round(session: Session, shelf: Shelf) -> None:
    shelf.put(*((exam(uid, patient=uid),) for uid in "abc"))
    heard: list[frozenset[str]] = []
    session.reads_changed.connect(heard.append)
    session.next_study()
    session.mark_read()
    session.previous_study()
    session.mark_read()
    session.next_unread()
    assert session.screen.study is not None
    assert session.screen.study.uid == "c"
    assert session.reads == heard[-1] == frozenset("ab")
    session.mark_read()
    session.next_unread()
    assert session.screen.study.uid == "c"
    session.open_study("a")
    session.mark_read(read=False)
    session.open_study("c")
    session.next_unread()
    assert session.screen.study.uid == "a"


def test_marking_as_read_can_move_on(session: Session, shelf: Shelf) -> None:
    session.set_settings(replace(Settings(), read_moves_on=True))
    shelf.put(*((exam(uid, patient=uid),) for uid in "ab"))
    session.mark_read()
    assert session.screen.study is not None
    assert session.screen.study.uid == "b"


def test_every_stage_protocol_and_study_has_a_generation_of_its_own(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    seen = [session.screen.generation]
    for step in (session.next_stage, session.previous_stage, session.next_study):
        step()
        seen.append(session.screen.generation)
    session.set_protocol("mlo-pair")
    seen.append(session.screen.generation)
    assert seen == sorted(set(seen))
    session.invert(0)
    assert session.screen.generation == seen[-1]


def test_stages_stop_at_the_ends(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    session.previous_stage()
    assert session.screen.stage == 0
    for _ in range(20):
        session.next_stage()
    assert session.screen.stage_title == "LMLO, all pixels"
    assert shown(session.screen) == ["LMLO"]
    assert session.screen.stage == session.screen.stages - 1


def test_window_and_flip_follow_an_image_through_the_stages_and_end_with_the_study(
    session: Session, shelf: Shelf
) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    session.invert(0)
    session.flip(0, "h")
    session.drag_window(0, 0.5, 2.0)
    session.pan_by(0, 1, 1)
    session.next_stage()
    view = session.screen.panes[0].viewport
    assert (view.invert, view.flip_h, view.window.shift, view.pan) == (True, True, 0.5, (0.0, 0.0))
    session.next_study()
    session.previous_study()
    view = session.screen.panes[0].viewport
    assert (view.invert, view.flip_h, view.window.shift) == (False, False, 0.0)


def test_a_panes_own_changes_stay_its_own_when_unlinked(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    session.set_linked(False)
    session.drag_window(1, 0.5, 1.0)
    session.zoom_at(1, 2.0)
    assert [pane.viewport.window.shift for pane in session.screen.panes] == [0, 0.5, 0, 0]
    assert [pane.viewport.zoom for pane in session.screen.panes] == [1, 2, 1, 1]


def test_one_pane_fills_the_grid_and_gives_it_back(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    session.toggle_single(2)
    assert (session.screen.single, session.screen.active) == (2, 2)
    session.toggle_single(2)
    assert session.screen.single is None


def test_a_pane_that_does_not_exist_does_nothing(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    before = session.screen
    for act in (session.invert, session.reset, session.set_active, session.toggle_single, session.page):
        act(9)
        act(-1)
    session.drag_window(9, 1, 1)
    session.flip(0, "x")
    assert session.screen == before


def test_nothing_is_said_when_nothing_changed(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    heard: list[object] = []
    for signal in (session.screen_changed, session.overlay_changed, session.tool_changed):
        signal.connect(heard.append)
    session.reset(0)
    session.set_active(session.screen.active)
    session.set_overlay(boxes=session.overlay.boxes)
    session.set_tool(session.tool)
    session.set_tool("hammer")
    assert heard == []


def test_an_unknown_overlay_field_is_an_error(session: Session) -> None:
    with pytest.raises(TypeError):
        session.set_overlay(sparkle=True)


def test_the_library_hears_what_is_on_screen(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),))
    session.set_stage(1)
    assert shelf._screen == {(("a-RCC", "a-RCC"), 0), (("a-LCC", "a-LCC"), 0)}


def test_an_orientation_found_in_the_pixels_comes_on_screen(session: Session, shelf: Shelf) -> None:
    study = exam("a")
    bare = replace(study.images[0], orientation=None)
    shelf.put((replace(study, images=(bare, *study.images[1:])),))
    generation = session.screen.generation
    shelf.give(bare, told=study.images[0])
    assert session.screen.panes[0].viewport.image == study.images[0]
    assert session.screen.generation == generation


def test_an_image_of_another_patient_is_never_shown_in_a_pane(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    said: list[str] = []
    session.message.connect(said.append)
    before = session.screen
    session.show_in(0, image("b", "RCC"))
    assert session.screen == before
    assert said == ["That image is of another patient."]


def test_an_earlier_image_of_the_patient_says_prior(session: Session, shelf: Shelf) -> None:
    earlier = exam("old", day=date(2024, 11, 3))
    shelf.put((exam("a"), earlier))
    session.show_in(0, earlier.images[0])
    assert session.screen.panes[0].prior == "PRIOR, -24 months"
    session.page(0, 1)
    assert shown(session.screen)[0] == "RCC"
    assert session.screen.panes[0].prior == ""


def test_naming_an_image_by_hand_hangs_it(session: Session, shelf: Shelf) -> None:
    study = exam("a", "RCC", "LCC", "RMLO", "xxx")
    shelf.put((study,))
    assert [each.label for each in session.screen.tray] == ["xxx"]
    session.assign(study.images[3], "L", "MLO")
    assert shown(session.screen) == ["RCC", "LCC", "RMLO", "LMLO"]
    assert session.screen.tray == ()
    named = session.screen.panes[3].viewport.image
    assert named is not None
    assert "assigned-by-hand" in [note.code for note in named.notes]


def test_two_pictures_named_by_hand_get_a_four_view_hanging(session: Session, shelf: Shelf) -> None:
    study = exam("a", "xxx", "yyy")
    shelf.put((study,))
    assert session.screen.protocol == "single"
    session.assign(study.images[0], "L", "MLO")
    session.assign(study.images[1], "R", "MLO")
    assert session.screen.protocol == "screening-cc-mlo"
    assert shown(session.screen) == ["", "", "RMLO", "LMLO"]


# Second looks


def test_a_second_look_is_off_until_asked_for(session: Session, shelf: Shelf, oracle: Oracle) -> None:
    study = exam("a")
    shelf.put((study,))
    assert oracle.asked == []
    oracle.answer(study)
    assert session.looks == ()
    session.analyse()
    assert oracle.asked == [("a", None)]
    oracle.answer(study, "one")
    oracle.answer(study, "two")
    oracle.answer(study, "one")
    assert [look.model.name for look in session.looks] == ["one", "two"]


def test_an_answer_for_another_study_is_never_shown(session: Session, shelf: Shelf, oracle: Oracle) -> None:
    first, second = exam("a"), exam("b", patient="2")
    shelf.put((first,), (second,))
    session.analyse()
    oracle.answer(first)
    heard: list[tuple[SecondLook, ...]] = []
    session.looks_changed.connect(heard.append)
    session.next_study()
    assert heard == [()]
    assert oracle.cancelled > 0
    session.analyse()
    oracle.answer(first)
    assert session.looks == ()
    # The right study key with an image of another study is no answer either.
    oracle.answer(second, keys=(first.images[0].key,))
    assert session.looks == ()
    oracle.answer(second, keys=(second.images[0].key,))
    assert len(session.looks) == 1


def test_going_back_shows_no_look_until_asked_again(session: Session, shelf: Shelf, oracle: Oracle) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    session.analyse()
    oracle.answer("a")
    session.next_study()
    session.previous_study()
    assert session.looks == ()
    oracle.answer("a")
    assert session.looks == ()


def test_the_reading_set_is_asked(session: Session, shelf: Shelf, oracle: Oracle) -> None:
    session.set_settings(replace(Settings(), models=("one",), second_look="when a study opens"))
    shelf.put((exam("a"),))
    assert oracle.asked == [("a", ("one",))]


def test_a_second_look_can_wait_until_every_view_was_seen_closely(
    session: Session, shelf: Shelf, oracle: Oracle
) -> None:
    session.set_settings(replace(Settings(), second_look="after every view has been seen"))
    study = exam("a")
    shelf.put((study,))
    for each in study.images:
        shelf.give(each)
    assert oracle.asked == []  # four small pictures are not a reading
    session.next_stage()
    assert oracle.asked == []
    session.next_stage()
    assert oracle.asked == [("a", None)]
    session.next_stage()
    assert len(oracle.asked) == 1


def test_a_view_that_is_still_refining_was_not_seen(session: Session, shelf: Shelf, oracle: Oracle) -> None:
    session.set_settings(replace(Settings(), second_look="after every view has been seen"))
    study = exam("a", "RMLO")
    shelf.put((study,))
    shelf.give(study.images[0], refining=True)
    assert oracle.asked == []
    shelf.give(study.images[0])
    assert oracle.asked == [("a", None)]


def test_a_view_that_cannot_be_shown_is_not_waited_for(
    session: Session, shelf: Shelf, oracle: Oracle
) -> None:
    session.set_settings(replace(Settings(), second_look="after every view has been seen"))
    study = exam("a", "RMLO")
    shelf.put((study,))
    key = (study.images[0].key, 0)
    shelf._failures[key] = "a.dcm: is broken"
    shelf.frame_failed.emit(*key, "a.dcm: is broken")
    assert oracle.asked == [("a", None)]


def test_what_was_wrong_with_the_settings_is_told(shelf: Shelf, qtbot: QtBot) -> None:
    session = Session(shelf, None, Settings(notes=("settings.json: is damaged; defaults are used",)))
    with qtbot.waitSignal(session.message) as told:
        pass
    assert told.args == ["settings.json: is damaged; defaults are used"]


def test_without_models_the_session_says_so(shelf: Shelf) -> None:
    session = Session(shelf)
    said: list[str] = []
    session.message.connect(said.append)
    session.analyse()
    shelf.put((exam("a"),))
    session.analyse()
    assert said == ["There is nothing to analyse.", "No models are installed."]


# Jumping to a finding


def test_a_jump_goes_to_the_pane_that_shows_the_image(session: Session, shelf: Shelf) -> None:
    study = exam("a")
    shelf.put((study,))
    session.jump_to(study.images[3].key, (10, 10, 20, 30))
    assert session.screen.active == 3
    assert session.screen.panes[3].viewport.focus == (14.5, 19.5)
    assert session.screen.panes[0].viewport.focus is None


def test_a_jump_pages_to_a_candidate(session: Session, shelf: Shelf) -> None:
    study = exam("a")
    spot = image("a", "RCC", modifiers=("S",))
    spot = replace(spot, sop_uid="spot", path=Path("spot"))
    shelf.put((replace(study, images=(*study.images, spot)),))
    session.jump_to(spot.key, (0, 0, 2, 2))
    assert session.screen.panes[0].viewport.image == spot


def test_a_jump_changes_the_stage_if_it_must(session: Session, shelf: Shelf) -> None:
    study = exam("a")
    shelf.put((study,))
    session.next_stage()
    session.jump_to(study.images[2].key, (0, 0, 2, 2))
    assert shown(session.screen)[session.screen.active] == "RMLO"


def test_a_jump_opens_an_image_of_the_tray_in_the_active_pane(session: Session, shelf: Shelf) -> None:
    study = exam("a", "RCC", "LCC", "RXCCL")
    shelf.put((study,))
    session.set_active(1)
    session.jump_to(study.images[2].key, (0, 0, 2, 2), frame=0)
    assert shown(session.screen)[1] == "RXCCL"
    assert session.screen.panes[1].justify == "right"


def test_a_jump_to_another_study_is_refused(session: Session, shelf: Shelf) -> None:
    shelf.put((exam("a"),), (exam("b", patient="2"),))
    before = session.screen
    session.jump_to(("b-RCC", "b-RCC"), (0, 0, 2, 2))
    assert session.screen == before


def test_a_jump_in_full_screen_fills_the_grid_with_the_right_pane(session: Session, shelf: Shelf) -> None:
    study = exam("a")
    shelf.put((study,))
    session.toggle_single(0)
    session.jump_to(study.images[1].key, (0, 0, 2, 2))
    assert session.screen.single == 1

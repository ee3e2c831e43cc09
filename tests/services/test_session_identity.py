"""A study is known by its key: two people may share a Study Instance UID, and a file may have none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.core.dicom.grouping import group
from app.core.hanging.priors import priors_of
from app.core.imaging.image import (
    Collection,
    Grey,
    Image,
    Patient,
    PatientFacts,
    Spacing,
    Study,
    Window,
)
from app.core.reading.findings import ModelFacts, SecondLook
from app.services.library import Library
from app.services.requests import Request
from app.services.session import Session
from app.services.worklist import following, same_patient, studies_of

NOW, EARLIER = date(2026, 11, 3), date(2024, 11, 3)
MODEL = ModelFacts("m", "1", "", "", False, None, None, (), "", "", "research")


def image(name: str, person: PatientFacts, uid: str, day: date | None = NOW) -> Image:
    return Image(
        path=Path(name) / f"{name}.dcm",
        sop_uid=name,
        study_uid=uid,
        study_date=day,
        patient=person,
        rows=64,
        columns=48,
        laterality="R",
        view="CC",
        label="RCC",
        orientation=("P", "L"),
        spacing=Spacing(0.1, 0.1, "at detector"),
        grey=(Grey(voi=(Window(50, 100),)),),
    )


def study(name: str, person: str, uid: str, day: date | None = NOW) -> Study:
    facts = PatientFacts(id=person, name=person)
    return Study(uid, facts, day, (image(name, facts, uid, day),), key=f"key of {name}")


def collection_of(*patients: tuple[Study, ...]) -> Collection:
    return Collection(tuple(Patient(studies[0].patient, studies) for studies in patients))


class Shelf(Library):
    """A library that is given its collection and decodes nothing."""

    def _useful(self, request: Request) -> bool:
        return False

    def put(self, collection: Collection) -> None:
        self._set_collection(collection)


class Oracle(QObject):
    """An inference that answers when told to."""

    look_changed = Signal(object)

    def run(self, study: Study, models: tuple[str, ...] | None) -> None:
        """Wait."""

    def cancel(self) -> None:
        """Nothing runs."""

    def answer(self, study: Study) -> None:
        self.look_changed.emit(SecondLook(study.key, MODEL, "no findings"))


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


def on_screen(session: Session) -> str:
    assert session.screen.study is not None
    shown = {pane.viewport.image.sop_uid for pane in session.screen.panes if pane.viewport.image is not None}
    assert shown == {each.sop_uid for each in session.screen.study.images}
    return shown.pop()


@pytest.fixture(params=["1.2.3", ""], ids=["one uid", "no uid"])
def three(request: pytest.FixtureRequest) -> tuple[Study, Study, Study]:
    """Three people whose studies the uid does not tell apart."""
    one, two, three = (study(name, name, request.param) for name in ("one", "two", "three"))
    return one, two, three


def test_each_of_them_can_be_opened(session: Session, shelf: Shelf, three: tuple[Study, ...]) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    for each, name in zip(three, ("one", "two", "three"), strict=True):
        session.open_study(each.key)
        assert on_screen(session) == name


def test_next_and_previous_visit_all_of_them(
    session: Session, shelf: Shelf, three: tuple[Study, ...]
) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    seen = [on_screen(session)]
    for _ in range(2):
        session.next_study()
        seen.append(on_screen(session))
    session.previous_study()
    assert (*seen, on_screen(session)) == ("one", "two", "three", "two")


def test_marking_one_read_does_not_mark_the_others(
    session: Session, shelf: Shelf, three: tuple[Study, ...]
) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    session.mark_read()
    assert session.reads == {three[0].key}
    session.next_unread()
    assert on_screen(session) == "two"
    session.mark_read()
    session.next_unread()
    assert on_screen(session) == "three"
    session.open_study(three[0].key)
    session.mark_read(read=False)
    assert session.reads == {three[1].key}


def test_an_answer_for_one_is_not_shown_on_another(
    session: Session, shelf: Shelf, oracle: Oracle, three: tuple[Study, ...]
) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    session.analyse()
    session.next_study()
    session.analyse()
    oracle.answer(three[0])
    assert session.looks == ()
    oracle.answer(three[1])
    assert [look.study_key for look in session.looks] == [three[1].key]


def test_an_image_of_another_of_them_is_refused(
    session: Session, shelf: Shelf, three: tuple[Study, ...]
) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    session.open_study(three[1].key)
    said: list[str] = []
    session.message.connect(said.append)
    session.show_in(0, three[0].images[0])
    session.jump_to(three[2].images[0].key, (0, 0, 4, 4))
    assert on_screen(session) == "two"
    assert said == ["That image is of another patient.", "That image is not of this patient."]


def test_the_study_that_is_open_stays_when_an_image_of_it_is_named_by_hand(
    session: Session, shelf: Shelf, three: tuple[Study, ...]
) -> None:
    shelf.put(collection_of(*((each,) for each in three)))
    session.open_study(three[1].key)
    session.assign(three[1].images[0], "L", "MLO")
    assert on_screen(session) == "two"
    assert session.screen.study is not None
    assert session.screen.study.images[0].view == "MLO"


@pytest.mark.parametrize("uid", ["1.2.3", ""])
def test_priors_are_never_of_another_patient(uid: str) -> None:
    strangers = study("stranger", "a", uid), study("stranger before", "a", "9", EARLIER)
    now, before = study("now", "b", uid), study("before", "b", uid, EARLIER)
    collection = collection_of(strangers, (now, before))
    assert priors_of(collection, now) == (before,)
    assert priors_of(collection, strangers[0]) == (strangers[1],)
    assert priors_of(collection, before) == ()


def test_the_pane_of_an_earlier_image_with_the_same_uid_says_prior(session: Session, shelf: Shelf) -> None:
    now, before = study("now", "b", "1.2.3"), study("before", "b", "1.2.3", EARLIER)
    shelf.put(collection_of((now, before)))
    session.show_in(0, before.images[0])
    assert session.screen.panes[0].prior == "PRIOR, -24 months"


def test_the_list_goes_on_from_the_key() -> None:
    collection = collection_of((study("one", "a", ""),), (study("two", "b", ""),))
    one, two = studies_of(collection)
    assert following((one, two), two.key, -1) is one
    assert following((one, two), two.key, 1) is None
    assert same_patient(collection, two.key, two.images[0])
    assert not same_patient(collection, two.key, one.images[0])


@pytest.mark.parametrize("uid", ["1.2.3", ""])
def test_what_grouping_keeps_apart_the_session_keeps_apart(session: Session, shelf: Shelf, uid: str) -> None:
    people = [
        PatientFacts(id=number, name=name) for number, name in (("1", "Ada"), ("2", "Bea"), ("1", "Cleo"))
    ]
    patients = group(image(f"of {person.name}", person, uid) for person in people)
    shelf.put(Collection(patients))
    seen = []
    for patient in patients:
        (found,) = patient.studies
        session.open_study(found.key)
        seen.append(on_screen(session))
        session.mark_read()
    assert seen == ["of Ada", "of Bea", "of Cleo"]
    assert len(session.reads) == 3

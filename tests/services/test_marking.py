"""Marks and answers to findings as the reader's work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication

from app.core.imaging.image import Image
from app.core.reading.annotations import corners
from app.core.reading.findings import Finding
from app.services.marking import Marking, answer_to, nipple_of
from app.services.work import ReaderWork

IMAGE = Image(Path("made.dcm"), "image-1", rows=200, columns=100)
OTHER = Image(Path("other.dcm"), "image-2", rows=200, columns=100)
FOUND = Finding("mass", 0.7, False, 0, (10.0, 20.0, 40.0, 60.0))
MODEL = ("model-a", "1.0")


@pytest.fixture
def work(qapp: QCoreApplication) -> ReaderWork:
    made = ReaderWork()
    made.begin("study")
    return made


@pytest.fixture
def marking(work: ReaderWork) -> Marking:
    return Marking(work, lambda image: "", lambda: "Dr Roe")


def only(work: ReaderWork):
    (mark,) = work.state.work.annotations
    return mark


def test_a_mark_says_who_made_it_on_which_image_and_frame(work, marking):
    marking.draw("length", IMAGE, 3, ((1, 2), (3, 4)))
    mark = only(work)
    assert (mark.kind, mark.image, mark.frame, mark.reader) == ("length", "image-1", 3, "Dr Roe")
    assert mark.points == ((1, 2), (3, 4))


def test_each_image_has_one_nipple(work, marking):
    marking.draw("nipple", IMAGE, 0, ((1, 2),))
    marking.draw("nipple", OTHER, 0, ((5, 6),))
    marking.draw("nipple", IMAGE, 0, ((3, 4),))
    assert nipple_of(work.state, IMAGE).points == ((3, 4),)
    assert nipple_of(work.state, OTHER).points == ((5, 6),)
    assert len(work.state.work.annotations) == 2


def test_an_accepted_finding_keeps_what_was_proposed_and_by_whom(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    mark = only(work)
    assert (mark.kind, mark.decision, mark.text, mark.points) == (
        "finding",
        "accepted",
        "mass",
        corners(FOUND.box),
    )
    proposal = mark.proposal
    assert (proposal.model, proposal.version, proposal.label, proposal.score) == (
        "model-a",
        "1.0",
        "mass",
        0.7,
    )
    assert proposal.box == FOUND.box
    assert not proposal.calibrated
    assert work.state.selected == mark.uid


def test_a_second_answer_changes_the_first(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    first = only(work)
    marking.answer(IMAGE, FOUND, *MODEL, "rejected")
    assert (only(work).uid, only(work).decision) == (first.uid, "rejected")
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    assert only(work) == first


def test_findings_of_other_models_images_and_frames_are_answered_for_themselves(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    marking.answer(IMAGE, FOUND, "model-b", "1.0", "rejected")
    marking.answer(IMAGE, FOUND, "model-a", "1.1", "rejected")
    marking.answer(OTHER, FOUND, *MODEL, "rejected")
    marking.answer(IMAGE, replace(FOUND, frame=1), *MODEL, "rejected")
    assert [each.decision for each in work.state.work.annotations] == ["accepted", *["rejected"] * 4]
    assert answer_to(work.state, IMAGE, FOUND, *MODEL).decision == "accepted"


@pytest.mark.parametrize("what", ["box", "name"])
def test_an_accepted_finding_that_is_changed_is_corrected(work, marking, what):
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    proposal = only(work).proposal
    if what == "box":
        marking.change(replace(only(work), points=((5, 5), (30, 30))))
    else:
        marking.rename(only(work).uid, "cyst")
    assert only(work).decision == "corrected"
    assert only(work).proposal == proposal


def test_a_correction_that_is_taken_back_by_hand_is_an_acceptance_again(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    marking.rename(only(work).uid, "cyst")
    marking.rename(only(work).uid, "mass")
    assert only(work).decision == "accepted"


def test_asking_to_correct_leaves_a_correction_as_it_is(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "corrected")
    assert only(work).decision == "accepted"  # nothing is corrected yet
    marking.change(replace(only(work), points=((5, 5), (30, 30))))
    work.select("")
    marking.answer(IMAGE, FOUND, *MODEL, "corrected")
    assert only(work).points == ((5, 5), (30, 30))
    assert work.state.selected == only(work).uid


def test_an_answer_can_be_undone_and_withdrawn(work, marking):
    marking.answer(IMAGE, FOUND, *MODEL, "rejected")
    work.undo()
    assert answer_to(work.state, IMAGE, FOUND, *MODEL) is None
    work.redo()
    marking.withdraw(IMAGE, FOUND, *MODEL)
    assert answer_to(work.state, IMAGE, FOUND, *MODEL) is None


def test_a_text_without_words_is_deleted_and_a_finding_keeps_its_name(work, marking):
    marking.draw("text", IMAGE, 0, ((1, 2),), "skin fold")
    marking.rename(only(work).uid, "  ")
    assert not work.state.work.annotations
    marking.answer(IMAGE, FOUND, *MODEL, "accepted")
    marking.rename(only(work).uid, "")
    assert only(work).text == "mass"


def test_a_change_that_changes_nothing_is_no_step_to_undo(work, marking):
    marking.draw("length", IMAGE, 0, ((1, 2), (3, 4)))
    marking.change(only(work))
    work.undo()
    assert not work.state.work.annotations


def test_a_mark_on_a_prior_goes_to_the_work_on_that_study(qapp):
    given = []

    class Ledger(ReaderWork):
        def add(self, annotation, study=""):
            given.append(study)

    Marking(Ledger(), lambda image: "prior" if image is OTHER else "", str).draw(
        "arrow", OTHER, 0, ((0, 0), (9, 9))
    )
    assert given == ["prior"]


def test_an_image_that_is_not_open_any_more_gets_no_mark(work):
    Marking(work, lambda image: None, str).draw("nipple", IMAGE, 0, ((5.0, 5.0),))
    assert work.state.work.annotations == ()

"""Verdicts and blinded answers as items of the store, and what a reader study shows."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from made_cases import MODEL, row, table

from app.core.audit.blinded import (
    Answer,
    Session,
    answer_item,
    answer_text,
    is_answer,
    read_answer,
    read_answers,
    reading_order,
)
from app.core.audit.columns import sheet_of
from app.core.audit.readings import agreement_csv, answers_csv, readings, said_kappa
from app.core.audit.verdicts import (
    CaseVerdict,
    identity,
    places,
    read_items,
    read_verdict,
    said_of,
    verdict_item,
    verdict_of,
    verdict_text,
)
from app.core.metrics.agreement import cohen

ROWS = [row(k, "malignant" if k < 2 else "normal") for k in range(4)]
FULL = CaseVerdict(
    "ab/0", "label wrong", "benign", "scar – seen", ("a", "b"), "i0", "p0", "s0", "/x", "ab", 0, "malignant",
    "m", "1", "d", 0.25, 0.5, "Dr. Ü/ä", "2026-01-01T00:00:00+00:00",
)  # fmt: skip


def test_a_verdict_comes_back_as_it_was_written() -> None:
    assert read_verdict(verdict_text(FULL)) == FULL
    bare = CaseVerdict("ab/0", "agree")
    assert read_verdict(verdict_text(bare)) == bare


def test_an_items_name_gives_back_reader_and_image() -> None:
    assert verdict_of(verdict_item("Dr. Ü/ä", "ab/0")) == ("Dr. Ü/ä", "ab/0")
    assert verdict_of("report") is None
    assert verdict_of(answer_item(Answer("s", "ab/0", 3))) is None


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "nonsense"},
        {"note": 3},
        {"tags": "a"},
        {"frame": -1},
        {"frame": True},
        {"score": "high"},
        {"x": 1},
    ],
)
def test_a_damaged_verdict_is_passed_over_and_noted(change) -> None:
    text = json.dumps({**json.loads(verdict_text(FULL)), **change})
    items = {
        verdict_item("a", "ab/0"): text,
        verdict_item("b", "ab/0"): verdict_text(replace(FULL, reader="b")),
    }
    found, notes = read_items(items)
    assert [one.reader for one in found] == ["b"]
    assert len(notes) == 1


def test_an_image_is_known_by_its_files_hash_and_frame() -> None:
    assert identity(ROWS[1]) == f"{1:064x}/0"
    assert identity(replace(ROWS[1], sha256="", frame=2)) == "i1/2"
    moved = replace(ROWS[1], path=ROWS[0].path, image_id="other")
    assert identity(moved) == identity(ROWS[1])


def test_readers_who_differ_are_said_to_and_one_reader_can_be_asked_alone() -> None:
    said = [
        CaseVerdict(identity(ROWS[0]), "agree", reader="a", made="2"),
        CaseVerdict(identity(ROWS[0]), "model wrong", reader="b", made="1", tags=("t",)),
        CaseVerdict(identity(ROWS[1]), "unsure", reader="a", made="3"),
        CaseVerdict("a file of another data set/0", "agree", reader="a"),
        CaseVerdict(identity(ROWS[2]), reader="a"),
    ]
    both = said_of(said, places(ROWS), 4)
    assert [both.verdict[k] for k in range(4)] == ["readers differ", "unsure", "", ""]
    assert [one.reader for one in both.of[0]] == ["b", "a"]
    assert both.tags == {0: frozenset({"t"})}
    assert [said_of(said, places(ROWS), 4, "b").verdict[k] for k in range(2)] == ["model wrong", ""]


def answer(
    number: int, assessment: int, reader: str, *, helped: bool = False, seconds: float = 10.0
) -> Answer:
    return Answer(
        "study", identity(ROWS[number]), assessment, ((1.0, 2.0, 3.0, 4.5),), seconds, helped, reader, "t"
    )


def test_an_answer_comes_back_and_a_damaged_one_is_noted() -> None:
    given = answer(0, 4, "Dr. /Ü")
    assert read_answer(answer_text(given)) == given
    items = {answer_item(given): answer_text(given), answer_item(answer(1, 2, "b")): answer_text(given)}
    found, notes = read_answers({**items, "read": "x", answer_item(answer(2, 2, "b")): None})
    assert found == (given,)
    assert notes == ("an answer: its name is not its own",)
    assert is_answer(answer_item(given))
    for change in ({"assessment": 6}, {"seconds": -1}, {"marks": [[1, 2, 3]]}, {"with_model": 1}):
        text = json.dumps({**json.loads(answer_text(given)), **change})
        assert len(read_answers({answer_item(given): text})[1]) == 1


def test_each_reader_and_arm_reads_in_an_order_of_its_own_and_always_the_same() -> None:
    cases = list(range(30))
    one = reading_order(cases, "s", "a", False)
    assert sorted(one) == cases
    assert reading_order(cases, "s", "a", False) == one
    assert len({reading_order(cases, "s", reader, arm) for reader in "ab" for arm in (False, True)}) == 4


def test_truth_is_hidden_until_it_is_answered() -> None:
    session = Session("s", "a", False, (2, 0), {2: answer(2, 1, "a")})
    assert [session.hides(k) for k in range(4)] == [True, False, False, False]
    assert session.left == (0,)


def test_a_reader_study_in_numbers() -> None:
    # Truth 1 1 0 0, model 0.9 0.2 0.6 0.1 at 0.5. Recall is 4 and more.
    sheet = sheet_of(table(ROWS, (0.9, 0.2, 0.6, 0.1), models=(MODEL,)), 0, 0.5)
    answers = [answer(k, mark, "a", seconds=10.0 + k) for k, mark in enumerate((5, 2, 1, 4))]
    answers += [answer(k, mark, "b") for k, mark in enumerate((4, 4, 1, 1))]
    answers += [answer(k, mark, "a", helped=True) for k, mark in enumerate((5, 4, 1, 1))]
    answers += [replace(answer(0, 5, "z"), image="elsewhere/0")]
    (found,) = readings(answers, sheet)
    a, helped, b = found.results
    assert [(one.reader, one.with_model) for one in found.results] == [
        ("a", False),
        ("a", True),
        ("b", False),
    ]
    assert (a.answered, a.seconds) == (4, 11.5)
    assert (a.sensitivity.value, a.specificity.value) == (0.5, 0.5)
    assert (helped.sensitivity.value, helped.specificity.value) == (1.0, 1.0)
    assert (a.model_sensitivity.value, a.model_specificity.value) == (0.5, 0.5)
    assert a.auc == 0.75  # of 5 and 2 against 1 and 4: all pairs but 2 against 4
    assert b.auc == 1.0
    assert [(pair.one, pair.other) for pair in found.pairs] == [("a", "b"), ("a", "a with model")]
    # Recalls of a 1 0 0 1, of b 1 1 0 0: agree on two of four, by chance 0.5.
    assert found.pairs[0].recall.value == pytest.approx(0.0)
    # Fleiss of two: pooled half and half, observed 0.5.
    assert found.fleiss.value == pytest.approx(0.0)


def test_a_reader_agrees_with_the_model_on_the_images_that_have_a_score() -> None:
    # Truth 1 1 0 0; the model recalls 1 0 0 at 0.5 and failed on the last; the reader recalls 1 0 0 1.
    sheet = sheet_of(table(ROWS, (0.9, 0.2, 0.1, "failed"), models=(MODEL,)), 0, 0.5)
    answers = [answer(k, mark, "a") for k, mark in enumerate((5, 2, 1, 4))]
    (found,) = readings(answers, sheet)
    kappa = found.results[0].with_models
    assert (kappa.value, kappa.n) == (1.0, 3)
    assert said_kappa(kappa) == "1.00, no interval: all agree"
    # From 0.95 on the model recalls none: agreement of 2 in 3, by chance too, so that nothing lies beyond it.
    (found,) = readings(answers, sheet_of(sheet.table, 0, 0.95))
    assert found.results[0].with_models.value == pytest.approx(0.0)
    (found,) = readings(answers[1:3], sheet_of(sheet.table, 0, 0.95))
    assert said_kappa(found.results[0].with_models) == "not defined: all answers are the same"
    assert said_kappa(None) == "no image in common"


def test_no_interval_is_said_where_the_standard_error_is_zero() -> None:
    one, other = np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1])
    assert said_kappa(cohen(one, other, 2)) == "-1.00, no interval: all disagree"
    # One of the two gives everybody the same answer: what is seen is what chance gives, whatever the cases.
    same = np.array([0, 0, 0, 0])
    assert said_kappa(cohen(one, same, 2)) == "0.00, no interval: its standard error is 0"
    # Unequal disagreement has a spread: 3 of (0, 1) and 1 of (1, 0) give -0.6, variance by Fleiss, Cohen and
    # Everitt (1.92 - 1.44) / (4 0.625^2) = 0.3072, so that the upper end is -0.6 + 1.96 0.5543.
    found = cohen(np.array([0, 0, 0, 1]), np.array([1, 1, 1, 0]), 2)
    assert said_kappa(found) == "-0.60 (-1.00 to 0.49)"


def test_the_numbers_of_a_reader_study_are_a_table() -> None:
    sheet = sheet_of(table(ROWS, (0.9, 0.2, 0.6, 0.1), models=(MODEL,)), 0, 0.5)
    answers = [answer(k, mark, "a") for k, mark in enumerate((5, 2, 1, 4))]
    answers += [answer(k, mark, "b") for k, mark in enumerate((5, 5, 1, 1))]
    answers += [answer(k, mark, "a", helped=True) for k, mark in enumerate((5, 2, 1, 4))]
    lines = list(csv.DictReader(agreement_csv(readings(answers, sheet), "one 1", 0.5).splitlines()))
    found = {(one["number"], one["one"], one["other"]): one for one in lines}
    assert len(found) == len(lines)
    same = found["Cohen's kappa of recall", "a", "a with model"]
    assert (same["session"], same["value"], same["n"], same["unit"]) == ("study", "1", "4", "image")
    assert (same["low"], same["high"]) == ("", ""), "all agree: the standard error is 0"
    assert float(found["Cohen's kappa of recall", "a", "b"]["value"]) == pytest.approx(0.0)
    # a recalls 1 0 0 1, the model 1 0 1 0: two of four alike, as by chance.
    assert float(found["Cohen's kappa of recall", "a", "one 1 at 0.5"]["value"]) == pytest.approx(0.0)
    half = found["sensitivity", "a", ""]
    assert (half["value"], half["n"]) == ("0.5", "2")
    # Wilson's interval of 1 of 2 (1927): 0.5 more or less 1.96 sqrt(0.125 + 1.96^2 / 16) / (1 + 1.96^2 / 2).
    wide = 1.959964 * (0.125 + 1.959964**2 / 16) ** 0.5 / (1 + 1.959964**2 / 2)
    assert float(half["low"]) == pytest.approx(0.5 - wide, abs=1e-5)
    assert found["sensitivity", "b", ""]["value"] == "1"
    assert found["sensitivity", "b", "one 1 at 0.5"]["value"] == "0.5"
    assert float(found["Fleiss' kappa of recall", "all readers without the model", ""]["value"]) == 0.0


def test_answers_as_csv_have_the_truth_beside_them() -> None:
    lines = answers_csv(
        [answer(0, 4, "a"), replace(answer(1, 2, "a"), image="x/0")], table(ROWS, (0.1,) * 4)
    ).split("\n")
    assert lines[0].startswith("session,reader,with_model,image_id")
    assert lines[1] == "study,a,0,i0,p0,malignant,4,1,10.0,1 2 3 4.5,t"
    assert lines[2] == ""
    assert np.isfinite(len(lines))

"""Filters and orders over the table of cases."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_cases import MODEL, row, table

from app.core.audit.columns import NUMBERS, TEXTS, numbers, sheet_of
from app.core.audit.filters import (
    Among,
    Between,
    CaseFilter,
    Holds,
    Noted,
    Tagged,
    passing,
    read_filters,
    words,
    write_filters,
)
from app.core.audit.sorting import AS_IT_IS, SORTABLE, Sorting, ordered
from app.core.audit.verdicts import CaseVerdict, identity, places, said_of
from app.core.errors import ReadError

ROWS = [row(k, "malignant" if k in (0, 5) else "normal") for k in range(8)]
SCORES = (0.9, 0.2, 0.7, 0.2, 0.6, 0.4, 0.1, "declined")
OTHERS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@pytest.fixture
def sheet():
    said = [
        CaseVerdict(
            identity(ROWS[2]), "model wrong", tags=("scar",), note="Old biopsy", reader="a", made="1"
        ),
        CaseVerdict(identity(ROWS[3]), "agree", reader="a", made="2"),
        CaseVerdict(identity(ROWS[3]), "unsure", reader="b", made="3"),
    ]
    return sheet_of(table(ROWS, SCORES, OTHERS), 0, 0.5, said_of(said, places(ROWS), len(ROWS)))


def through(sheet, *criteria) -> list[int]:
    return [int(k) for k in np.flatnonzero(passing(sheet, CaseFilter(criteria)))]


@pytest.mark.parametrize(
    ("criteria", "rows"),
    [
        ((), list(range(8))),
        ((Among("outcome", ("FN", "FP")),), [2, 4, 5]),
        ((Among("outcome", ("FN", "FP")), Among("laterality", ("L",))), [2, 4]),
        ((Among("view", ("CC",)), Between("score", 0.3, None)), [0, 4, 5]),
        ((Between("score", 0.2, 0.6),), [1, 3, 4, 5]),
        ((Between("score", None, None),), [0, 1, 2, 3, 4, 5, 6]),
        ((Among("status", ("declined",)),), [7]),
        ((Among("vendor", ("BEST",)), Among("truth", ("positive",))), [5]),
        ((Between("age", 41, 41),), [4, 5, 6, 7]),
        ((Tagged(("scar", "clip")),), [2]),
        ((Noted(),), [2]),
        ((Noted(False), Among("truth", ("positive",))), [0, 5]),
        ((Among("verdict", ("readers differ",)),), [3]),
        ((Among("verdict", ("",)), Among("outcome", ("FP",))), [4]),
        ((Holds("biopsy"),), [2]),
        ((Holds("I6"),), [6]),
        ((Among("label", ("never seen",)),), []),
    ],
)
def test_criteria_all_have_to_hold(sheet, criteria, rows) -> None:
    assert through(sheet, *criteria) == rows


def test_filters_are_kept_by_name_and_come_back_the_same(tmp_path: Path) -> None:
    kept = (
        CaseFilter(
            (Among("outcome", ("FN",)), Between("age", 40, None), Tagged(("x",)), Noted(False), Holds("ü")),
            "b",
        ),
        CaseFilter((), "a"),
    )
    write_filters(tmp_path / "f.json", kept)
    assert read_filters(tmp_path / "f.json") == (kept[1], kept[0])
    assert read_filters(tmp_path / "none.json") == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "damaged"),
        ("[]", "no saved filters"),
        ('{"format": "mammoview-filters", "version": 2, "filters": []}', "of this version"),
        (
            '{"format": "mammoview-filters", "version": 1, "filters": [{"name": 1, "criteria": []}]}',
            "criteria",
        ),
        (
            '{"format": "mammoview-filters", "version": 1,'
            ' "filters": [{"name": "n", "criteria": [{"column": "shoe", "among": []}]}]}',
            "no column shoe",
        ),
        (
            '{"format": "mammoview-filters", "version": 1,'
            ' "filters": [{"name": "n", "criteria": [{"column": "age", "from": "x", "to": null}]}]}',
            "no number",
        ),
    ],
)
def test_a_file_that_holds_no_filters_is_refused_in_a_sentence(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "f.json"
    path.write_text(text)
    with pytest.raises(ReadError, match=word) as told:
        read_filters(path)
    assert str(path) in str(told.value)


def test_a_filter_is_told_in_words() -> None:
    wanted = CaseFilter((Among("outcome", ("FN", "FP")), Between("age", 40, 60), Between("score", None, 0.2)))
    assert words(wanted) == "outcome FN or FP; age 40 to 60; score up to 0.2"
    assert words(CaseFilter()) == "all cases"


def test_the_greatest_loss_comes_first_and_what_has_none_last(sheet) -> None:
    order = ordered(sheet, np.arange(8), Sorting("loss", True))
    # -ln(1 - 0.7) = 1.20, -ln(0.4) = 0.92, -ln(1 - 0.6) = 0.92 less a little: by the numbers themselves.
    loss = [-math.log(1 - 0.7), -math.log(0.4), -math.log(1 - 0.6)]
    assert loss[0] > loss[1]
    assert order[0] == 2
    assert order[-1] == 7
    assert numbers(sheet, "loss")[[2, 5, 4]] == pytest.approx(loss)


def test_equal_cases_keep_their_order_either_way(sheet) -> None:
    assert list(ordered(sheet, np.arange(8), Sorting("view"))) == [0, 1, 4, 5, 2, 3, 6, 7]
    assert list(ordered(sheet, np.arange(8), Sorting("view", True))) == [2, 3, 6, 7, 0, 1, 4, 5]
    assert list(ordered(sheet, np.array([6, 1, 0]), AS_IT_IS)) == [6, 1, 0]


def test_the_most_uncertain_is_nearest_to_the_threshold_by_rank(sheet) -> None:
    # Scores in order: 0.1 0.2 0.2 0.4 | 0.6 0.7 0.9; one score between 0.5 and 0.7, none to 0.6, and so on.
    found = numbers(sheet, "uncertainty")
    assert found[4] == 1.0
    assert found[2] == pytest.approx(1 - 1 / 7)
    assert found[0] == pytest.approx(1 - 2 / 7)
    assert found[5] == pytest.approx(1 - 1 / 7)
    assert np.isnan(found[7])


def test_models_disagree_by_rank_among_the_cases_that_both_scored(sheet) -> None:
    # Ranks of the first (ties in the middle) less those of the second, of seven cases.
    first = np.array([6.5, 2, 5.5, 2, 4.5, 3.5, 0.5]) / 7
    second = np.array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]) / 7
    assert numbers(sheet, "disagreement")[:7] == pytest.approx(np.abs(first - second))
    assert np.isnan(numbers(sheet, "disagreement")[7])


def test_one_model_disagrees_with_nobody() -> None:
    alone = sheet_of(table(ROWS, SCORES, models=(MODEL,)), 0, 0.5)
    assert np.isnan(numbers(alone, "disagreement")).all()


def test_every_column_sorts_and_keeps_all_cases(sheet) -> None:
    assert set(SORTABLE) == {*TEXTS, *NUMBERS}
    for column in SORTABLE:
        for falling in (False, True):
            assert sorted(ordered(sheet, np.arange(8), Sorting(column, falling))) == list(range(8))


def test_the_threshold_moves_the_outcome_column(sheet) -> None:
    lower = sheet_of(sheet.table, 0, 0.3, sheet.said)
    assert through(lower, Among("outcome", ("FN",))) == []
    assert replace(lower, lead=0).said is sheet.said
    assert json.dumps(through(lower, Among("outcome", ("TP",)))) == "[0, 5]"

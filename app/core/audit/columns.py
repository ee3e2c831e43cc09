"""Every column that cases are filtered, sorted and grouped by, under one name each.

What the manifest and the models say stands in `CaseTable`; what depends on the threshold in force, and what
the readers said, comes beside it in a `Sheet`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

import numpy as np

from app.core.audit.cases import STATUSES, Answers, Bools, CaseTable, Codes, Floats, Words
from app.core.audit.outcomes import OUTCOMES, outcomes
from app.core.audit.verdicts import NOTHING_SAID, Said

EPSILON: Final = 1e-6
"""Scores are kept this far from 0 and 1 where a logarithm is taken."""

TRUTHS: Final = ("no truth", "negative", "positive")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The table with what changes while it is looked at.

    Attributes
    ----------
    lead
        Place of the model whose score, threshold and outcome are meant.
    outcome
        int8 (rows,), see `app.core.audit.outcomes`.
    said
        Verdicts, tags and notes of the readers, by row.
    """

    table: CaseTable
    lead: int
    threshold: float
    outcome: Codes
    said: Said

    @property
    def answers(self) -> Answers:
        """The answers of the leading model; raises IndexError where no model was asked."""
        return self.table.answers[self.lead]


def sheet_of(table: CaseTable, lead: int, threshold: float, said: Said = NOTHING_SAID) -> Sheet:
    """Return the table at a threshold on the scores of one of its models."""
    filled = said if len(said.verdict.codes) == len(table) else said.blank(len(table))
    return Sheet(table, lead, threshold, outcomes(table, table.answers[lead], threshold), filled)


Texts = Callable[[Sheet], Words]
Numbers = Callable[[Sheet], Floats]


def _loss(sheet: Sheet) -> Floats:
    """Return the cross-entropy of score and truth, in nats; nan without either."""
    score = np.clip(sheet.answers.score, EPSILON, 1 - EPSILON)
    truth = sheet.table.truth
    found: Floats = -np.where(truth == 1, np.log(score), np.log1p(-score))
    found[truth < 0] = np.nan
    return found


def _rank(values: Floats) -> Floats:
    """Return the share of the known values that lie below each, ties in the middle; 0..1, nan stays."""
    found = np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    if not len(order):
        return found
    ordered = values[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(first[1:], len(ordered))
    found[order] = np.repeat((first + ends) / (2.0 * len(ordered)), ends - first)
    return found


def _uncertainty(sheet: Sheet) -> Floats:
    """Return how near a score is to the threshold: 1 less the share of all scores that lie between."""
    known, place = _places(sheet.answers)
    apart = np.abs(place - np.searchsorted(known, sheet.threshold)) / max(len(known), 1)
    return 1.0 - apart


@lru_cache(maxsize=2)
def _places(answers: Answers) -> tuple[Floats, Floats]:
    """Return all scores sorted, and how many of them lie below each; it waits for no threshold's drag."""
    score = answers.score
    known = np.sort(score[~np.isnan(score)])
    return known, np.where(np.isnan(score), np.nan, np.searchsorted(known, score))


def _disagreement(sheet: Sheet) -> Floats:
    """Return how far apart two models rank a case, as shares of the cases (0..1); nan with one model.

    Ranks, not scores: what two models mean by 0.3 need not be the same.
    """
    if len(sheet.table.answers) < 2:
        return np.full(len(sheet.table), np.nan)
    one, other = (answers.score for answers in sheet.table.answers[:2])
    both = np.isnan(one) | np.isnan(other)
    one, other = np.where(both, np.nan, one), np.where(both, np.nan, other)
    return np.abs(_rank(one) - _rank(other))


def _other(sheet: Sheet) -> Floats:
    others = [answers for number, answers in enumerate(sheet.table.answers) if number != sheet.lead]
    return others[0].score if others else np.full(len(sheet.table), np.nan)


def _of_codes(codes: Codes, words: tuple[str, ...], first: int = 0) -> Words:
    return Words(codes.astype(np.int32) - first, words)


def _column(name: str, sheet: Sheet) -> Words:
    column: Words = getattr(sheet.table, name)
    return column


FACTS: Final = ("label", "laterality", "view", "density", "vendor", "source", "patient", "study")

TEXTS: Final[dict[str, Texts]] = {
    **{name: partial(_column, name) for name in FACTS},
    "truth": lambda sheet: _of_codes(sheet.table.truth, TRUTHS, -1),
    "status": lambda sheet: _of_codes(sheet.answers.status, STATUSES),
    "outcome": lambda sheet: _of_codes(sheet.outcome, OUTCOMES),
    "verdict": lambda sheet: sheet.said.verdict,
}
"""Columns of texts: a case has one of a few words."""

NUMBERS: Final[dict[str, Numbers]] = {
    "age": lambda sheet: sheet.table.age,
    "score": lambda sheet: sheet.answers.score,
    "other score": _other,
    "breast score": lambda sheet: sheet.answers.breast,
    "exam score": lambda sheet: sheet.answers.exam,
    "loss": _loss,
    "uncertainty": _uncertainty,
    "disagreement": _disagreement,
}
"""Columns of numbers, nan where a case has none."""

TITLES: Final[dict[str, str]] = {
    "other score": "Score of the other model",
    "loss": "Loss (cross-entropy of score and truth)",
    "uncertainty": "Uncertainty (nearness to the threshold by rank)",
    "disagreement": "Disagreement of the models (difference of ranks)",
}
"""What a column is called where its name does not say it."""


def title(column: str) -> str:
    """Return what a column is called on the screen."""
    return TITLES.get(column, column.capitalize())


def texts(sheet: Sheet, column: str) -> Words:
    """Return a column of texts; raises KeyError where there is none of that name."""
    return TEXTS[column](sheet)


def numbers(sheet: Sheet, column: str) -> Floats:
    """Return a column of numbers; raises KeyError where there is none of that name."""
    return NUMBERS[column](sheet)


def tagged(sheet: Sheet, wanted: tuple[str, ...]) -> Bools:
    """Return which cases have at least one of these tags."""
    found: Bools = np.zeros(len(sheet.table), np.bool_)
    for row, tags in sheet.said.tags.items():
        found[row] = not tags.isdisjoint(wanted)
    return found

"""Right and wrong at a threshold: true and false positives and negatives, and what has no score.

A unit with a score of at least the threshold is recalled (positive).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from app.core.audit.cases import (
    ABSENT,
    DECLINED,
    FAILED,
    NO_TRUTH,
    POSITIVE,
    SCORED,
    Answers,
    CaseTable,
    Codes,
    Places,
)
from app.core.audit.units import Unit, UnitTable
from app.core.metrics.probability import wilson

TP: Final = 0
FP: Final = 1
FN: Final = 2
TN: Final = 3
WITHOUT_TRUTH: Final = 4
NOT_SCORED: Final = 5
NO_ANSWER: Final = 6
NOT_PREDICTED: Final = 7
OUTCOMES: Final = ("TP", "FP", "FN", "TN", "no truth", "declined", "failed", "not predicted")
"""Words of the outcome codes, by code."""


def outcomes(table: CaseTable, answers: Answers, threshold: float) -> Codes:
    """Return the outcome code of each image, int8 (rows,)."""
    recalled = answers.score >= threshold
    ill = table.truth == POSITIVE
    found = np.where(recalled, np.where(ill, TP, FP), np.where(ill, FN, TN))
    found = np.where(table.truth == NO_TRUTH, WITHOUT_TRUTH, found)
    for status, outcome in ((DECLINED, NOT_SCORED), (FAILED, NO_ANSWER), (ABSENT, NOT_PREDICTED)):
        found = np.where(answers.status == status, outcome, found)
    return found.astype(np.int8)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of units with its 95 % interval (Wilson 1927); `value` is None of none.

    Attributes
    ----------
    found, n
        So many of so many.
    """

    value: float | None
    low: float | None
    high: float | None
    found: int
    n: int


def share(found: int, n: int) -> Share:
    """Return the share `found` of `n`."""
    if n == 0:
        return Share(None, None, None, found, n)
    low, high = wilson(found / n, n)
    return Share(found / n, low, high, found, n)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The confusion matrix of one unit at a threshold.

    Attributes
    ----------
    sensitivity, specificity, predictive, recalled
        Positives recalled; negatives not recalled; positives among the recalled (PPV1); share of all
        counted units that are recalled. Intervals take units for independent.
    without_truth, without_score
        Units that are in no cell.
    """

    unit: Unit
    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    without_truth: int
    without_score: int
    sensitivity: Share
    specificity: Share
    predictive: Share
    recalled: Share


def matrix(units: UnitTable, threshold: float) -> Matrix:
    """Return the confusion matrix of units at a threshold."""
    counts = np.bincount(cells(units, threshold), minlength=6)
    tp, fp, fn, tn = (int(counts[cell]) for cell in (TP, FP, FN, TN))
    return Matrix(
        units.unit,
        threshold,
        tp,
        fp,
        fn,
        tn,
        int(counts[WITHOUT_TRUTH]),
        int(counts[NOT_SCORED]),
        share(tp, tp + fn),
        share(tn, tn + fp),
        share(tp, tp + fp),
        share(tp + fp, tp + fp + fn + tn),
    )


def cells(units: UnitTable, threshold: float) -> Codes:
    """Return the cell of each unit: TP FP FN TN, `WITHOUT_TRUTH`, or `NOT_SCORED` for any lack of a score."""
    recalled, ill = units.score >= threshold, units.truth == POSITIVE
    found = np.where(recalled, np.where(ill, TP, FP), np.where(ill, FN, TN))
    found = np.where(units.truth == NO_TRUTH, WITHOUT_TRUTH, found)
    return np.where(np.isnan(units.score), NOT_SCORED, found).astype(np.int8)


def rows_in_cell(units: UnitTable, threshold: float, cell: int) -> Places:
    """Return the images behind a cell of the matrix, in the order of the table."""
    return units.rows_of(cells(units, threshold) == cell)


def scored(answers: Answers) -> int:
    """Return how many images have a score."""
    return int((answers.status == SCORED).sum())

"""The curves of an audit, each with its unit, its counts, and the way back from a point to the cases.

All are of the units that have both a score and a truth (`UnitTable.counted`). Curves are thinned to at most
`MOST_POINTS` points for the screen; numbers are of all units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.core.audit.cases import NO_TRUTH, POSITIVE, SCORED, Answers, Bools, CaseTable, Floats, Places
from app.core.audit.units import Unit, UnitTable
from app.core.metrics.bootstrap import intervals
from app.core.metrics.froc import Froc, ImageBoxes, Rule, froc, sensitivities
from app.core.metrics.probability import BINS, brier, expected_calibration_error, wilson
from app.core.metrics.ranking import Many, aucs, average_precisions, one

MOST_POINTS: Final = 2000
BARS: Final = 40
RATES: Final = (0.5, 1.0, 2.0, 4.0)
"""False boxes per image at which the FROC is read off."""
_WORK: Final = 10_000_000
"""Draws times units of a bootstrap, at most: an interval is made in seconds."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its 95 % interval (patient bootstrap) and what it is of; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    unit: str
    n: int
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Points from the highest threshold to the lowest.

    Attributes
    ----------
    x, y
        ROC: share of negatives recalled, share of positives recalled. Precision-recall: recall, precision.
    threshold
        The score from which units are recalled at each point; inf at the first of a ROC.
    area
        AUC, or average precision.
    """

    x: Floats
    y: Floats
    threshold: Floats
    area: Number


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationBin:
    """Units of like scores: mean score, share of positives with its interval (Wilson), count."""

    low_edge: float
    high_edge: float
    score: float
    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """The reliability diagram in bins of equal width, with Brier score and calibration error."""

    bins: tuple[CalibrationBin, ...]
    brier: float | None
    ece: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Counts of scores by truth; `edges` (bars + 1,), counts int (bars,)."""

    edges: Floats
    negative: Places
    positive: Places
    unknown: Places


@dataclass(frozen=True, slots=True, eq=False)
class FrocCurve:
    """Lesions found against false boxes per image.

    Attributes
    ----------
    x, y, threshold
        False boxes per image, share of lesions found, score from which boxes count.
    numbers
        Sensitivity at each of `RATES` (as ``froc.<rule>@<rate>``).
    images, lesions
        Images that count (scored, with truth, every lesion listed and with a place), lesions in them.
    """

    rule: Rule
    x: Floats
    y: Floats
    threshold: Floats
    numbers: tuple[tuple[str, Number], ...]
    images: int
    lesions: int


@dataclass(frozen=True, slots=True, eq=False)
class Plots:
    """All plots of one unit of one model's answers in a subgroup; a plot is None where it is undefined.

    Attributes
    ----------
    counted, positives
        Units with score and truth, and how many of them are positive.
    without
        Why some plots are missing, as sentences.
    """

    unit: Unit
    counted: int
    positives: int
    roc: Curve | None
    precision: Curve | None
    calibration: Calibration | None
    histogram: Histogram
    froc: FrocCurve | None = None
    without: tuple[str, ...] = ()


def plots_of(
    table: CaseTable,
    answers: Answers,
    units: UnitTable,
    *,
    rule: Rule = "centre",
    chosen: Bools | None = None,
    draws: int = 1000,
) -> Plots:
    """Return all plots of units (see `app.core.audit.units.units_of`); seconds at 50,000 rows.

    Parameters
    ----------
    chosen
        bool (rows,): the images that the FROC counts; None: all.
    draws
        Of the bootstrap; fewer where there are many units.
    """
    kept = units.counted
    positive, score = units.truth[kept] == POSITIVE, units.score[kept]
    patients = units.patient[kept]
    without = [*_left_out_of_froc(table, answers, chosen), *_lacks(units, positive)]
    both = bool(positive.any() and not positive.all())
    return Plots(
        units.unit,
        len(score),
        int(positive.sum()),
        _roc(positive, score, patients, units.unit, draws) if both else None,
        _precision(positive, score, patients, units.unit, draws) if both else None,
        _calibration(positive, score) if len(score) and _chances(score) else None,
        histogram(units),
        froc_of(table, answers, rule, chosen, draws=min(draws, 300)),
        tuple(without),
    )


def _lacks(units: UnitTable, positive: Bools) -> list[str]:
    """Return sentences on what is missing for the curves."""
    said = []
    unknown = int((units.truth == NO_TRUTH).sum())
    if unknown:
        every = "The truth of all" if unknown == len(units) else f"The truth of {unknown} of {len(units)}"
        said.append(f"{every} units ({units.unit}) is not known; they are in no curve.")
    unscored = int(np.isnan(units.score).sum())
    if unscored:
        said.append(f"{unscored} of {len(units)} units ({units.unit}) have no score; they are in no curve.")
    if len(positive) and (positive.all() or not positive.any()):
        kind = "positive" if positive.all() else "negative"
        said.append(f"All units with score and truth are {kind}: there is no ROC.")
    return said


def _chances(score: Floats) -> bool:
    return bool(score.min() >= 0 and score.max() <= 1)


def _points(positive: Bools, score: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the number of true and false positives at each threshold, falling."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    true, false = np.cumsum(positive[order])[ends], np.cumsum(~positive[order])[ends]
    return true.astype(np.float64), false.astype(np.float64), score[order][ends]


def _thin(*columns: Floats) -> tuple[Floats, ...]:
    count = len(columns[0])
    if count <= MOST_POINTS:
        return columns
    kept = np.unique(np.linspace(0, count - 1, MOST_POINTS).round().astype(np.intp))
    return tuple(column[kept] for column in columns)


def _roc(positive: Bools, score: Floats, patients: Places, unit: Unit, draws: int) -> Curve:
    true, false, limit = _points(positive, score)
    start = np.zeros(1)
    x, y, threshold = _thin(
        np.append(start, false / false[-1]), np.append(start, true / true[-1]), np.append(np.inf, limit)
    )
    return Curve(
        x, y, threshold, _number(aucs, "Mann-Whitney, ties half", positive, score, patients, unit, draws)
    )


def _precision(positive: Bools, score: Floats, patients: Places, unit: Unit, draws: int) -> Curve:
    true, false, limit = _points(positive, score)
    x, y, threshold = _thin(true / true[-1], true / (true + false), limit)
    area = _number(average_precisions, "average precision", positive, score, patients, unit, draws)
    return Curve(x, y, threshold, area)


def _number(
    many: Many, method: str, positive: Bools, score: Floats, patients: Places, unit: Unit, draws: int
) -> Number:
    draws = max(100, min(draws, _WORK // max(len(score), 1)))
    low, high = intervals(
        lambda weights: many(positive, score, weights), [str(one) for one in patients], draws=draws
    )
    value = one(many, positive, score)
    method = f"{method}; 95 % interval of {draws} patient-bootstrap draws"
    return Number(_known(value), _known(low), _known(high), unit, len(score), method)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _calibration(positive: Bools, score: Floats) -> Calibration:
    number = np.minimum((score * BINS).astype(np.intp), BINS - 1)
    bins = []
    for place in range(BINS):
        member = number == place
        n = int(member.sum())
        if n:
            share = float(positive[member].mean())
            edges = place / BINS, (place + 1) / BINS
            bins.append(CalibrationBin(*edges, float(score[member].mean()), share, *wilson(share, n), n))
    return Calibration(tuple(bins), brier(positive, score), expected_calibration_error(positive, score))


def histogram(units: UnitTable, bars: int = BARS) -> Histogram:
    """Return the counts of scores by truth, from 0 to 1, or over the range of scores beyond it."""
    known = ~np.isnan(units.score)
    score, truth = units.score[known], units.truth[known]
    low, high = (float(score.min()), float(score.max())) if len(score) else (0.0, 1.0)
    edges = np.linspace(min(low, 0.0), max(high, 1.0), bars + 1)
    counts = [
        np.histogram(score[truth == kind], edges)[0].astype(np.intp) for kind in (0, POSITIVE, NO_TRUTH)
    ]
    return Histogram(edges, *counts)


# From a picture back to cases


def rows_between(units: UnitTable, low: float, high: float, truth: int | None = None) -> Places:
    """Return the images behind scores from `low` to below `high` (1 and above: to the end).

    Parameters
    ----------
    truth
        Only units of this truth (`POSITIVE`, `NEGATIVE`, `NO_TRUTH`); None: all.
    """
    wanted = (units.score >= low) & ((units.score < high) | (high >= 1.0))
    if truth is not None:
        wanted &= units.truth == truth
    return units.rows_of(wanted)


def nearest(curve: Curve | FrocCurve, x: float, y: float, wide: float = 1.0) -> int:
    """Return the point of a curve that is nearest to a place; `wide` is how much of x the plot shows."""
    return int(np.argmin(((curve.x - x) / wide) ** 2 + (curve.y - y) ** 2))


def rows_at(units: UnitTable, threshold: float, count: int = 20) -> Places:
    """Return the images of the units nearest to a threshold: those behind a point of a curve."""
    apart = np.abs(units.score - threshold)
    kept = np.argsort(np.where(np.isnan(apart), np.inf, apart), kind="stable")[:count]
    wanted = np.zeros(len(units), np.bool_)
    wanted[kept] = np.isfinite(apart[kept])  # the first point of a ROC has no case behind it
    return units.rows_of(wanted)


# Free response


def froc_of(
    table: CaseTable, answers: Answers, rule: Rule, chosen: Bools | None = None, *, draws: int = 300
) -> FrocCurve | None:
    """Return the FROC of a model's boxes; None where it has no boxes or no lesion has a place.

    An image counts where it is scored, its truth is known, and every lesion that the model looks for has a
    place; a positive one of which no lesion is listed does not: a box on it may be on its lesion.
    """
    if not _draws_boxes(answers):
        return None
    images = [image for _, image in images_of_froc(table, answers, chosen)]
    lesions = sum(len(image.lesions) for image in images)
    if not lesions:
        return None
    curve = froc(images, rule)
    x, y, threshold = _froc_points(curve)
    patients = [image.patient for image in images]
    draws = max(100, min(draws, _WORK // max(len(images), 1)))
    numbers = tuple(
        (f"froc.{rule}@{rate:g}", _froc_number(curve, rate, patients, lesions, draws)) for rate in RATES
    )
    x, y, threshold = _thin(x, y, threshold)
    return FrocCurve(rule, x, y, threshold, numbers, len(images), lesions)


def images_of_froc(
    table: CaseTable, answers: Answers, chosen: Bools | None = None
) -> list[tuple[int, ImageBoxes]]:
    """Return the images that a FROC counts, each with its row: boxes, and lesions that are looked for."""
    wanted, _, _ = _with_lesions_known(table, answers, chosen)
    rows = [int(row) for row in np.flatnonzero(wanted)]
    return [(row, one) for row in rows if (one := _placed(table, answers, row)) is not None]


def _draws_boxes(answers: Answers) -> bool:
    return answers.model.boxes_from is not None or any(said.boxes for said in answers.said.values())


def _with_lesions_known(table: CaseTable, answers: Answers, chosen: Bools | None) -> tuple[Bools, int, int]:
    """Return which scored images tell whether they have lesions; how many have no truth, or list none."""
    scored = (answers.status == SCORED) if chosen is None else chosen & (answers.status == SCORED)
    unknown = scored & (table.truth == NO_TRUTH)
    unlisted = scored & (table.truth == POSITIVE)
    for row in np.flatnonzero(unlisted):
        unlisted[row] = not table.rows[int(row)].findings
    return scored & ~unknown & ~unlisted, int(unknown.sum()), int(unlisted.sum())


def _left_out_of_froc(table: CaseTable, answers: Answers, chosen: Bools | None) -> list[str]:
    """Return a sentence on the images that the FROC does not count for want of truth; none: no sentence."""
    _, unknown, unlisted = _with_lesions_known(table, answers, chosen)
    if not _draws_boxes(answers) or not unknown + unlisted:
        return []
    positive = f"positive ones of which no lesion is listed ({unlisted})"
    return [f"The FROC leaves out images without truth ({unknown}) and {positive}."]


def _placed(table: CaseTable, answers: Answers, row: int) -> ImageBoxes | None:
    facts = table.rows[row]
    lesions = [lesion for lesion in facts.findings if answers.model.looks_for(lesion)]
    if any(lesion.box is None for lesion in lesions):
        return None
    boxes = tuple((box.score, box.box) for box in answers.boxes(row))
    places = tuple(lesion.box for lesion in lesions if lesion.box is not None)
    whole = (0.0, 0.0, float(facts.rows), float(facts.columns))
    return ImageBoxes(facts.patient_id, boxes, places, whole)


def _froc_points(curve: Froc) -> tuple[Floats, Floats, Floats]:
    """Return `app.core.metrics.froc.froc_points` without comparing every score with every other."""
    limits = np.append(np.unique(curve.false)[::-1], -np.inf)
    false, found = np.sort(curve.false), np.sort(curve.found)
    above = [len(own) - np.searchsorted(own, limits, "right") for own in (false, found)]
    rates = above[0] / max(float(curve.counted.sum()), 1.0)
    return rates, above[1] / max(len(found), 1), limits


def _froc_number(curve: Froc, rate: float, patients: Sequence[str], lesions: int, draws: int) -> Number:
    value = float(sensitivities(curve, rate, np.ones((1, len(curve.counted))))[0])
    low, high = intervals(lambda weights: sensitivities(curve, rate, weights), patients, draws=draws)
    method = f"share of lesions found at {rate:g} false boxes per image; {draws} patient-bootstrap draws"
    return Number(_known(value), _known(low), _known(high), "lesion", lesions, method)

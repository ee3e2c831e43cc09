"""What a reader study shows: agreement, times, each reader beside the model, without and with its help."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from app.core.audit.blinded import ASSESSMENTS, Answer
from app.core.audit.cases import NO_TRUTH, POSITIVE, CaseTable
from app.core.audit.columns import Sheet
from app.core.audit.outcomes import Share, share
from app.core.audit.verdicts import places
from app.core.metrics.agreement import Kappa, cohen, fleiss
from app.core.metrics.ranking import auc

NO_WIDTH = 1e-6
"""Width below which the interval of an agreement is that of a standard error of 0, but for rounding."""


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """One reader in one arm; shares and AUC are of the answered cases (images) with a truth.

    Attributes
    ----------
    seconds
        Median time of an answer.
    auc
        Of the assessments 1 to 5; None without both classes.
    model_sensitivity, model_specificity, model_auc
        Of the leading model at the threshold in force, on the same cases as far as it has a score.
    with_models
        Cohen's kappa of the reader's recalls and the model's at that threshold, on all answered cases that
        have a score, with or without a truth.
    """

    reader: str
    with_model: bool
    answered: int
    seconds: float
    sensitivity: Share
    specificity: Share
    auc: float | None
    model_sensitivity: Share
    model_specificity: Share
    model_auc: float | None
    with_models: Kappa

    @property
    def name(self) -> str:
        """Reader and arm: ``dr a with model``."""
        return _named((self.reader, self.with_model))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa of two readings of the same cases: recall or not, and the assessment (quadratic)."""

    one: str
    other: str
    recall: Kappa
    assessment: Kappa


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader study.

    Attributes
    ----------
    pairs
        Each two readers in the arm without the model, and each reader without against with it.
    fleiss
        Of recall or not, of all readers without the model, on the cases that all of them answered; None
        with fewer than two of them, or no such case.
    """

    name: str
    results: tuple[ReaderResult, ...]
    pairs: tuple[Agreement, ...]
    fleiss: Kappa | None


def readings(answers: Iterable[Answer], sheet: Sheet) -> tuple[Reading, ...]:
    """Return the reader studies of which at least one answer is about a case of the table, by name."""
    where = places(sheet.table.rows)
    studies: dict[str, dict[tuple[str, bool], dict[int, Answer]]] = {}
    for answer in answers:
        for row in where.get(answer.image, ())[:1]:
            arm = (answer.reader, answer.with_model)
            studies.setdefault(answer.session, {}).setdefault(arm, {})[row] = answer
    return tuple(_reading(name, studies[name], sheet) for name in sorted(studies))


def _reading(name: str, arms: dict[tuple[str, bool], dict[int, Answer]], sheet: Sheet) -> Reading:
    order = sorted(arms)
    alone = [arm for arm in order if not arm[1]]
    pairs = [*combinations(alone, 2), *((arm, (arm[0], True)) for arm in alone if (arm[0], True) in arms)]
    return Reading(
        name,
        tuple(_result(reader, helped, arms[reader, helped], sheet) for reader, helped in order),
        tuple(_agreement(_named(a), _named(b), arms[a], arms[b]) for a, b in pairs),
        _fleiss([arms[arm] for arm in alone]),
    )


def _named(arm: tuple[str, bool]) -> str:
    return f"{arm[0] or 'unnamed'}{' with model' if arm[1] else ''}"


def _result(reader: str, helped: bool, given: dict[int, Answer], sheet: Sheet) -> ReaderResult:
    rows = np.array(sorted(given), dtype=np.intp)
    truth, score = sheet.table.truth[rows], sheet.answers.score[rows]
    marks = np.array([given[int(row)].assessment for row in rows], dtype=np.float64)
    recalled = np.array([given[int(row)].recalled for row in rows], dtype=np.bool_)
    known, ill = truth != NO_TRUTH, truth == POSITIVE
    scored = ~np.isnan(score)
    both = known & scored
    at = score >= sheet.threshold
    return ReaderResult(
        reader,
        helped,
        len(given),
        statistics.median(each.seconds for each in given.values()),
        share(int((recalled & ill).sum()), int(ill.sum())),
        share(int((~recalled & known & ~ill).sum()), int((known & ~ill).sum())),
        _auc(ill[known], marks[known]),
        share(int((at & ill & both).sum()), int((ill & both).sum())),
        share(int((~at & both & ~ill).sum()), int((both & ~ill).sum())),
        _auc(ill[both], score[both]),
        cohen(recalled[scored].astype(np.intp), at[scored].astype(np.intp), 2),
    )


def _auc(positive: np.ndarray, scores: np.ndarray) -> float | None:
    if not len(positive) or positive.all() or not positive.any():
        return None
    return auc(positive, scores)


def _agreement(one: str, other: str, a: dict[int, Answer], b: dict[int, Answer]) -> Agreement:
    rows = sorted(set(a) & set(b))
    recalls = [np.array([int(own[row].recalled) for row in rows], dtype=np.intp) for own in (a, b)]
    marks = [np.array([own[row].assessment - 1 for row in rows], dtype=np.intp) for own in (a, b)]
    return Agreement(
        one,
        other,
        cohen(recalls[0], recalls[1], 2),
        cohen(marks[0], marks[1], len(ASSESSMENTS), "quadratic"),
    )


def _fleiss(given: Sequence[dict[int, Answer]]) -> Kappa | None:
    rows = set.intersection(*(set(own) for own in given)) if given else set()
    if len(given) < 2 or not rows:
        return None
    yes = np.array([sum(own[row].recalled for own in given) for row in sorted(rows)], dtype=np.float64)
    return fleiss(np.stack([len(given) - yes, yes], axis=1))


def said_kappa(kappa: Kappa | None) -> str:
    """Return an agreement with its 95 % interval: ``0.42 (0.10 to 0.74)``, or why there is none.

    A standard error of 0 gives no interval: three cases that all agree are no proof of full agreement.
    """
    if kappa is None or not kappa.n:
        return "no image in common"
    if kappa.value is None or kappa.low is None or kappa.high is None:
        return "not defined: all answers are the same"
    if not _has_interval(kappa):
        why = {1.0: "all agree", -1.0: "all disagree"}.get(round(kappa.value, 6), "its standard error is 0")
        return f"{kappa.value:.2f}, no interval: {why}"
    return f"{kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f})"


def _has_interval(kappa: Kappa) -> bool:
    """Tell whether the interval is wider than what is left of a standard error of 0 by rounding."""
    return kappa.low is not None and kappa.high is not None and kappa.high - kappa.low > NO_WIDTH


def agreement_csv(readings: Iterable[Reading], model: str, threshold: float) -> str:
    """Return the numbers of reader studies as CSV: a line for each, with its 95 % interval and what it is of.

    Parameters
    ----------
    model, threshold
        The leading model's name and version, and the score from which it recalls.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("session", "number", "one", "other", "value", "low", "high", "n", "unit"))
    at = f"{model} at {threshold:g}"
    for reading in readings:
        for line in (*_reader_lines(reading, at), *_agreement_lines(reading, at)):
            writer.writerow((reading.name, *line))
    return text.getvalue()


_Line = tuple[object, ...]


def _reader_lines(reading: Reading, model: str) -> Iterable[_Line]:
    for one in reading.results:
        yield ("median seconds", one.name, "", f"{one.seconds:.1f}", "", "", one.answered, "image")
        for who, sensitivity, specificity, area in (
            ("", one.sensitivity, one.specificity, one.auc),
            (model, one.model_sensitivity, one.model_specificity, one.model_auc),
        ):
            for name, part in (("sensitivity", sensitivity), ("specificity", specificity)):
                numbers = (_cell(part.value), _cell(part.low), _cell(part.high))
                yield (name, one.name, who, *numbers, part.n, "image")
            yield ("AUC", one.name, who, _cell(area), "", "", sensitivity.n + specificity.n, "image")


def _agreement_lines(reading: Reading, model: str) -> Iterable[_Line]:
    for pair in reading.pairs:
        yield ("Cohen's kappa of recall", pair.one, pair.other, *_cells(pair.recall))
        name = "Cohen's kappa of assessment, quadratic weights"
        yield (name, pair.one, pair.other, *_cells(pair.assessment))
    for one in reading.results:
        yield ("Cohen's kappa of recall", one.name, model, *_cells(one.with_models))
    if reading.fleiss is not None:
        yield ("Fleiss' kappa of recall", "all readers without the model", "", *_cells(reading.fleiss))


def _cells(kappa: Kappa) -> _Line:
    low, high = (kappa.low, kappa.high) if _has_interval(kappa) else (None, None)
    return (_cell(kappa.value), _cell(low), _cell(high), kappa.n, "image")


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def answers_csv(answers: Iterable[Answer], table: CaseTable) -> str:
    """Return all answers about cases of the table as CSV, one line each, with the truth beside it."""
    where = places(table.rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ("session", "reader", "with_model", "image_id", "patient_id", "label", "assessment", "recalled",
         "seconds", "marks", "made")
    )  # fmt: skip
    for answer in sorted(answers, key=lambda each: (each.session, each.reader, each.with_model, each.made)):
        for row in where.get(answer.image, ())[:1]:
            facts = table.rows[row]
            marks = ";".join(" ".join(f"{edge:g}" for edge in box) for box in answer.marks)
            writer.writerow(
                (answer.session, answer.reader, int(answer.with_model), facts.image_id, facts.patient_id,
                 facts.label, answer.assessment, int(answer.recalled), f"{answer.seconds:.1f}", marks,
                 answer.made)
            )  # fmt: skip
    return text.getvalue()

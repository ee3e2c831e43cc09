"""The table of cases that an audit looks at: one row for each image, each column an array.

A column of texts is held as numbers into its few different words (`Words`), so that fifty thousand rows
are filtered and sorted in milliseconds. Rows keep the order of the manifest and are known by their place
in it, from 0; everything else of an audit (queue, outcomes, verdicts) speaks of these places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from app.core.manifest import Box, Lesion, Row, is_normal

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
Places = npt.NDArray[np.intp]

ABSENT: Final = 0
SCORED: Final = 1
DECLINED: Final = 2
FAILED: Final = 3
STATUSES: Final = ("not predicted", "scored", "declined", "failed")
"""Words of the status codes, by code."""

NEGATIVE: Final = 0
POSITIVE: Final = 1
NO_TRUTH: Final = -1

UNKNOWN_LABELS: Final = frozenset({"", "unknown", "unlabelled", "not stated", "?"})
"""Labels (in lower case) of images whose truth the data set does not tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of texts: few different ones, many rows.

    Attributes
    ----------
    codes
        int32 (rows,), the place of each row's text in `words`.
    words
        The different texts, sorted, so that codes sort as the texts do.
    """

    codes: npt.NDArray[np.int32]
    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """Return the column of these texts, one for each row."""
        words = tuple(sorted(set(texts)))
        place = {word: number for number, word in enumerate(words)}
        codes = np.fromiter((place[text] for text in texts), np.int32, len(texts))
        codes.flags.writeable = False
        return cls(codes, words)

    def among(self, wanted: Iterable[str]) -> Bools:
        """Return which rows have one of these texts; texts that no row has are passed over."""
        allowed = np.isin(np.array(self.words, dtype=object), list(wanted))
        found: Bools = allowed[self.codes] if len(self.words) else np.zeros(0, np.bool_)
        return found

    def __getitem__(self, row: int) -> str:
        """Return the text of a row."""
        return self.words[int(self.codes[row])]


@dataclass(frozen=True, slots=True)
class AuditModel:
    """A model whose answers are audited.

    Attributes
    ----------
    digest
        Hash of its bundle.json (in which those of its weights stand); empty for answers from a file.
    positive
        Labels of the manifest that count as positive for it; empty: all that are not normal.
    threshold
        Its operating point on the score, or None where it has none; `threshold_means` says what it is,
        `threshold_unit` of which unit's scores: ``image``, ``breast``, ``patient``.
    boxes_from
        Score from which its boxes are shown; None: it has none.
    finds
        Labels of lesions that its boxes are to find: ``mass``, ``malignant mass``, ``*`` (any); empty: any.
    classes_of, classes_calibrated
        What its further classes tell apart (``density``), or empty; whether their chances are calibrated.
    has_seen
        Marks (`app.core.manifest.patient_mark`) of the patients whose images trained or tuned it.
    """

    name: str
    version: str = ""
    digest: str = ""
    score_of: str = ""
    calibrated: bool = False
    prevalence: float | None = None
    positive: tuple[str, ...] = ()
    threshold: float | None = None
    threshold_means: str = ""
    threshold_unit: str = "image"
    boxes_from: float | None = None
    finds: tuple[str, ...] = ()
    classes_of: str = ""
    classes_calibrated: bool = False
    has_seen: frozenset[str] = frozenset()

    def looks_for(self, lesion: Lesion) -> bool:
        """Tell whether the model's boxes are to find a lesion of this label and pathology."""
        wanted = self.finds or ("*",)
        proven = f"{lesion.pathology} {lesion.label}" if lesion.pathology else lesion.label
        return "*" in wanted or lesion.label in wanted or proven in wanted


@dataclass(frozen=True, slots=True)
class SaidBox:
    """A place that a model pointed at: box (row0, col0, row1, col1) of stored pixels, half-open."""

    label: str
    score: float
    box: Box
    calibrated: bool = False


@dataclass(frozen=True, slots=True)
class ViewSaid:
    """What a model said about one image; `score`, `boxes` and `classes` are empty unless ``scored``.

    Attributes
    ----------
    classes
        Chance, 0..1, of each further class by its name (density); empty where the model tells none apart.
    """

    status: str
    reason: str = ""
    score: float | None = None
    boxes: tuple[SaidBox, ...] = ()
    notes: tuple[str, ...] = ()
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ExamSaid:
    """What a model said about one exam: its images by place in the table, and the bundle's own aggregation.

    Attributes
    ----------
    views
        By place of the image in the table.
    breasts
        Score of a breast by ``L`` and ``R``, None where the bundle gave none.
    exam
        Score of the whole exam, or None.
    """

    views: Mapping[int, ViewSaid]
    breasts: Mapping[str, float | None] = field(default_factory=dict)
    exam: float | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one model said about every row.

    Attributes
    ----------
    status
        int8 (rows,): `ABSENT`, `SCORED`, `DECLINED`, `FAILED`.
    score, breast, exam
        float64 (rows,): the image's score, that of its breast and of its exam as the bundle aggregated
        them; nan where there is none.
    said
        By row, what else was said; rows not predicted are missing.
    """

    model: AuditModel
    status: Codes
    score: Floats
    breast: Floats
    exam: Floats
    said: Mapping[int, ViewSaid] = field(default_factory=dict)

    def boxes(self, row: int) -> tuple[SaidBox, ...]:
        """Return the places that the model pointed at in a row's image, best first."""
        found = self.said.get(row)
        return found.boxes if found is not None else ()

    def reason(self, row: int) -> str:
        """Return why a row has no score, as a sentence; empty where it has one or was not predicted."""
        found = self.said.get(row)
        return found.reason if found is not None else ""


@dataclass(frozen=True, slots=True, eq=False)
class CaseTable:
    """All cases of an audit, in the order of the manifest.

    Attributes
    ----------
    rows
        Facts of each image, its file and the truth with boxes, as the manifest has them.
    exam
        intp (rows,): number of the exam (patient and study) that an image belongs to, from 0.
    age
        Years, nan where not stated.
    truth
        int8 (rows,): `POSITIVE`, `NEGATIVE` or `NO_TRUTH`, by the first model's positive labels.
    answers
        Of one or two models.
    """

    rows: tuple[Row, ...]
    exam: Places
    label: Words
    laterality: Words
    view: Words
    density: Words
    vendor: Words
    source: Words
    patient: Words
    study: Words
    age: Floats
    truth: Codes
    answers: tuple[Answers, ...] = ()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.rows)

    def with_answers(self, answers: Sequence[Answers]) -> CaseTable:
        """Return the table with other answers; the truth is again by the first model's positive labels."""
        positive = answers[0].model.positive if answers else ()
        return replace(self, answers=tuple(answers), truth=truth_of(self.label, positive))

    def of_exam(self, row: int) -> tuple[int, ...]:
        """Return the places of all images of a row's exam, in order."""
        return tuple(int(place) for place in np.flatnonzero(self.exam == self.exam[row]))


def truth_of(label: Words, positive: Sequence[str] = ()) -> Codes:
    """Return the truth of each row by its label.

    Where no label is among `positive` while some say more than normal, they are of another question
    (lesions for a model of density): there is no truth.

    Parameters
    ----------
    positive
        The labels that are positive; none given: every known label that is not normal.
    """
    wanted = set(positive)
    more = POSITIVE in (_truth(word, set()) for word in label.words)
    if wanted and more and wanted.isdisjoint(label.words):
        return np.full(len(label.codes), NO_TRUTH, np.int8)
    kinds = np.array([_truth(word, wanted) for word in label.words], dtype=np.int8)
    found: Codes = kinds[label.codes] if len(kinds) else np.zeros(0, np.int8)
    return found


def known(label: str) -> bool:
    """Tell whether a label tells the truth of its image at all."""
    return label.strip().lower() not in UNKNOWN_LABELS


def _truth(word: str, positive: set[str]) -> int:
    if not known(word):
        return NO_TRUTH
    if positive:
        return POSITIVE if word in positive else NEGATIVE
    return NEGATIVE if is_normal(word) else POSITIVE


def table_of(rows: Sequence[Row], answers: Sequence[Answers] = ()) -> CaseTable:
    """Return the table of these images."""
    exams: dict[tuple[str, str], int] = {}
    exam = [exams.setdefault((row.patient_id, row.study_id), len(exams)) for row in rows]
    label = Words.of([row.label for row in rows])
    table = CaseTable(
        rows=tuple(rows),
        exam=np.array(exam, dtype=np.intp),
        label=label,
        laterality=Words.of([row.laterality for row in rows]),
        view=Words.of([row.view for row in rows]),
        density=Words.of([row.density for row in rows]),
        vendor=Words.of([row.vendor for row in rows]),
        source=Words.of([row.source for row in rows]),
        patient=Words.of([row.patient_id for row in rows]),
        study=Words.of([row.study_id for row in rows]),
        age=np.array([_age(row.age) for row in rows], dtype=np.float64),
        truth=truth_of(label),
    )
    return table.with_answers(answers) if answers else table


def _age(text: str) -> float:
    """Return years: of ``63``, ``063Y`` (DICOM's AS); nan of anything else."""
    plain = text.strip().upper().removesuffix("Y")
    try:
        years = float(plain)
    except ValueError:
        return float("nan")
    return years if 0 < years < 130 else float("nan")


def no_answers(model: AuditModel, rows: int) -> Answers:
    """Return the answers of a model that was not asked about anything yet."""
    nothing = np.full(rows, np.nan)
    return Answers(model, np.zeros(rows, np.int8), nothing, nothing.copy(), nothing.copy())


def answers_of(model: AuditModel, rows: Sequence[Row], exams: Iterable[ExamSaid]) -> Answers:
    """Return a model's answers, by row, from what it said about exams; later ones replace earlier ones."""
    return with_exams(no_answers(model, len(rows)), rows, exams)


def with_exams(answers: Answers, rows: Sequence[Row], exams: Iterable[ExamSaid]) -> Answers:
    """Return answers with what the model said about further exams, which replaces what it said before."""
    status, score = answers.status.copy(), answers.score.copy()
    breast, exam, said = answers.breast.copy(), answers.exam.copy(), dict(answers.said)
    for one in exams:
        for place, view in one.views.items():
            status[place] = STATUSES.index(view.status)
            score[place] = _number(view.score)
            breast[place] = _number(one.breasts.get(rows[place].laterality))
            exam[place] = _number(one.exam)
            said[place] = view
    return Answers(answers.model, status, score, breast, exam, said)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)

"""What a bundle said, by image, breast and patient, beside what is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from app.core.manifest import Box, Row
from app.core.metrics.ranking import Bools, Floats

UNITS = ("image", "breast", "patient")


@dataclass(frozen=True, slots=True)
class ImageResult:
    """One image's row and what the bundle said; `score` is None where it was not scored.

    Attributes
    ----------
    boxes
        (score, box) of every finding, stored pixels.
    region
        Extent of the breast in stored pixels.
    classes
        Chances of the bundle's further classes, by name; empty where it has none.
    """

    row: Row
    score: float | None
    reason: str | None
    boxes: tuple[tuple[float, Box], ...]
    region: Box
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExamResult:
    """One study: its images, and the scores of breasts and exam where the bundle gave them."""

    images: tuple[ImageResult, ...]
    breasts: Mapping[str, float | None]
    exam: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Scores of one unit (image, breast, patient) with truth and patient.

    Attributes
    ----------
    keys
        What each unit is: image id; patient, study and laterality; patient.
    """

    name: str
    positive: Bools
    scores: Floats
    patients: tuple[str, ...]
    keys: tuple[str, ...] = ()

    def chosen(self, wanted: Bools) -> Units:
        """Return the wanted units."""
        where = np.flatnonzero(wanted)
        return Units(
            self.name,
            self.positive[wanted],
            self.scores[wanted],
            tuple(self.patients[index] for index in where),
            tuple(self.keys[index] for index in where),
        )


Truth = Callable[[Row], bool]
_Entry = tuple[bool, float, str, str]


def _units(name: str, entries: Sequence[_Entry]) -> Units:
    return Units(
        name,
        np.array([positive for positive, _, _, _ in entries], dtype=np.bool_),
        np.array([score for _, score, _, _ in entries], dtype=np.float64),
        tuple(patient for _, _, patient, _ in entries),
        tuple(key for _, _, _, key in entries),
    )


def scored_images(exams: Sequence[ExamResult]) -> list[ImageResult]:
    """Return the images that got a score, in order."""
    return [image for exam in exams for image in exam.images if image.score is not None]


def by_image(exams: Sequence[ExamResult], is_positive: Truth) -> Units:
    """Return every scored image."""
    return _units(
        "image",
        [
            (is_positive(image.row), image.score, image.row.patient_id, image.row.image_id)
            for image in scored_images(exams)
            if image.score is not None
        ],
    )


def by_breast(exams: Sequence[ExamResult], is_positive: Truth) -> Units:
    """Return every breast that the bundle scored; positive where one of its images is."""
    entries: list[_Entry] = []
    for exam in exams:
        for side, score in exam.breasts.items():
            rows = [image.row for image in exam.images if image.row.laterality == side]
            if score is not None and rows:
                key = f"{rows[0].patient_id} {rows[0].study_id} {side}"
                entries.append((any(map(is_positive, rows)), score, rows[0].patient_id, key))
    return _units("breast", entries)


def by_both_views(exams: Sequence[ExamResult], is_positive: Truth) -> dict[str, Units]:
    """Return the breasts of which a CC and an MLO view were scored: as the bundle has them, and by one view.

    Returns
    -------
    dict
        By ``both`` (the breast's score), ``cc`` and ``mlo`` (mean score of its images of that view): the
        same breasts, so that what the other view brings can be read off. Empty where none has both.
    """
    entries: dict[str, list[_Entry]] = {"both": [], "cc": [], "mlo": []}
    for exam in exams:
        for side, score in exam.breasts.items():
            of_side = [image for image in exam.images if image.row.laterality == side]
            own = [(image.row, image.score) for image in of_side if image.score is not None]
            views = {name: [said for row, said in own if row.view == name.upper()] for name in entries}
            if score is None or not views["cc"] or not views["mlo"]:
                continue
            first = own[0][0]
            positive = any(is_positive(image.row) for image in of_side)
            for name, scores in {**views, "both": [score]}.items():
                key = f"{first.patient_id} {first.study_id} {side}"
                entries[name].append((positive, float(np.mean(scores)), first.patient_id, key))
    return {name: _units("breast", own) for name, own in entries.items() if own}


def by_patient(exams: Sequence[ExamResult], is_positive: Truth) -> Units:
    """Return every patient with a scored exam; the highest score of her exams."""
    found: dict[str, _Entry] = {}
    for exam in exams:
        if exam.exam is None:
            continue
        patient = exam.images[0].row.patient_id
        before = found.get(patient, (False, -np.inf, patient, patient))
        positive = any(is_positive(image.row) for image in exam.images)
        found[patient] = (before[0] or positive, max(before[1], exam.exam), patient, patient)
    return _units("patient", list(found.values()))


def all_units(exams: Sequence[ExamResult], is_positive: Truth) -> tuple[Units, Units, Units]:
    """Return images, breasts and patients."""
    return by_image(exams, is_positive), by_breast(exams, is_positive), by_patient(exams, is_positive)

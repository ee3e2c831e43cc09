"""From scored exams to metrics.json: each number with interval, unit, count, method and trivial baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from trainer.manifest import Box, Row
from trainer.metrics.bootstrap import DRAWS, patient_interval
from trainer.metrics.froc import ImageBoxes, Rule, froc, mean_average_precision, random_places, sensitivity
from trainer.metrics.probability import brier, expected_calibration_error
from trainer.metrics.ranking import Bools, Floats, auc, average_precision, delong_interval, sensitivity_at
from trainer.recipe import Target

RATES = (0.5, 1, 2, 4)
"""False positives per image at which FROC sensitivities are given."""
FROC_DRAWS = 300


@dataclass(frozen=True, slots=True)
class ImageResult:
    """One image's row and what the bundle said; `score` is None where it was not scored.

    Attributes
    ----------
    boxes
        (score, box) of every finding, stored pixels.
    region
        Extent of the breast in stored pixels.
    """

    row: Row
    score: float | None
    reason: str | None
    boxes: tuple[tuple[float, Box], ...]
    region: Box


@dataclass(frozen=True, slots=True)
class ExamResult:
    """One study: its images, and the scores of breasts and exam where the bundle gave them."""

    images: tuple[ImageResult, ...]
    breasts: Mapping[str, float | None]
    exam: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """Scores of one unit (image, breast, patient) with truth and patient."""

    name: str
    positive: Bools
    scores: Floats
    patients: tuple[str, ...]


def _units(name: str, entries: Sequence[tuple[bool, float, str]]) -> _Units:
    return _Units(
        name,
        np.array([positive for positive, _, _ in entries], dtype=np.bool_),
        np.array([score for _, score, _ in entries], dtype=np.float64),
        tuple(patient for _, _, patient in entries),
    )


def _by_image(exams: Sequence[ExamResult], is_positive: Callable[[Row], bool]) -> _Units:
    return _units(
        "image",
        [
            (is_positive(image.row), image.score, image.row.patient_id)
            for exam in exams
            for image in exam.images
            if image.score is not None
        ],
    )


def _by_breast(exams: Sequence[ExamResult], is_positive: Callable[[Row], bool]) -> _Units:
    entries = []
    for exam in exams:
        for side, score in exam.breasts.items():
            rows = [image.row for image in exam.images if image.row.laterality == side]
            if score is not None and rows:
                entries.append((any(map(is_positive, rows)), score, rows[0].patient_id))
    return _units("breast", entries)


def _by_patient(exams: Sequence[ExamResult], is_positive: Callable[[Row], bool]) -> _Units:
    found: dict[str, tuple[bool, float, str]] = {}
    for exam in exams:
        if exam.exam is None:
            continue
        patient = exam.images[0].row.patient_id
        before = found.get(patient, (False, -np.inf, patient))
        positive = any(is_positive(image.row) for image in exam.images)
        found[patient] = (before[0] or positive, max(before[1], exam.exam), patient)
    return _units("patient", list(found.values()))


def _finite(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _entry(
    units: _Units,
    statistic: Callable[[Bools, Floats, Floats | None], float],
    method: str,
    baseline: float | None,
) -> dict[str, Any]:
    """Return one metric with its patient-bootstrap interval."""
    value = statistic(units.positive, units.scores, None) if len(units.scores) else float("nan")
    low = high = float("nan")
    if not np.isnan(value):
        low, high = patient_interval(
            lambda weights: statistic(units.positive, units.scores, weights), units.patients
        )
    else:
        method += "; undefined here: it needs both positives and negatives"
    return {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "unit": units.name,
        "n": len(units.scores),
        "method": f"{method}; 95 % interval of {DRAWS} patient-bootstrap draws",
        "baseline": None if baseline is None else round(baseline, 6),
    }


def _auc_entry(units: _Units, of: str) -> dict[str, Any]:
    entry = _entry(units, auc, f"Mann-Whitney, {of}, ties half", 0.5)
    if entry["value"] is not None:
        low, high = delong_interval(units.positive, units.scores)
        if not np.isnan(low):
            entry["method"] += f" (DeLong {low:.3f} to {high:.3f})"
    return entry


def _image_metrics(units: _Units, probable: _Units, of: str, fitted: str) -> dict[str, Any]:
    share = float(units.positive.mean()) if len(units.positive) else float("nan")
    known = None if np.isnan(share) else share
    return {
        "auc.image": _auc_entry(units, of),
        "auprc.image": _entry(
            units, average_precision, "average precision; baseline: share of positives", known
        ),
        "sens_at_spec90.image": _entry(
            units,
            lambda positive, scores, weights: sensitivity_at(positive, scores, 0.9, weights),
            "highest sensitivity at a specificity of at least 0.90, read off these scores; baseline: chance",
            0.1,
        ),
        "brier.image": _entry(
            probable,
            brier,
            f"mean squared error{fitted}; lower is better; baseline: always the share of positives",
            None if known is None else known * (1 - known),
        ),
        "ece.image": _entry(
            probable,
            expected_calibration_error,
            f"10 bins of equal width{fitted}; lower is better; baseline: always the share of positives",
            0.0,
        ),
    }


def placed_boxes(exams: Sequence[ExamResult], target: Target) -> list[ImageBoxes]:
    """Return candidates and lesions of the scored images whose lesions all have a place."""
    made = []
    for exam in exams:
        for image in exam.images:
            wanted = [lesion for lesion in image.row.findings if target.class_of(lesion.label) is not None]
            if image.score is None or any(lesion.box is None for lesion in wanted):
                continue
            places = tuple(lesion.box for lesion in wanted if lesion.box is not None)
            made.append(ImageBoxes(image.row.patient_id, image.boxes, places, image.region))
    return made


def _froc_entry(
    images: Sequence[ImageBoxes], rule: Rule, rate: float, normal_only: bool, threshold: float
) -> dict[str, Any]:
    curve = froc(images, rule, normal_only=normal_only)
    value = sensitivity(curve, rate)
    low = high = float("nan")
    if not np.isnan(value):
        low, high = patient_interval(
            lambda weights: sensitivity(curve, rate, weights),
            [image.patient for image in images],
            draws=FROC_DRAWS,
        )
    how = {
        "centre": "centre of the box inside the lesion's box",
        "iou20": "IoU >= 0.2",
        "iou50": "IoU >= 0.5",
    }
    where = "normal images" if normal_only else "all images"
    return {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "unit": "lesion",
        "n": len(curve.found),
        "method": (
            f"share of lesions found ({how[rule]}; classes pooled; boxes from a score of {threshold:g} up) "
            f"at {rate:g} false boxes per image over {where}, {int(curve.counted.sum())} of them; "
            "baseline: lesion-sized boxes at random in the breast; "
            f"95 % interval of {FROC_DRAWS} patient-bootstrap draws"
        ),
        "baseline": _finite(random_places(images, rule, rate)),
    }


def _box_metrics(images: Sequence[ImageBoxes], threshold: float) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for rule in ("centre", "iou20"):
        for rate in RATES:
            made[f"froc.{rule}@{rate:g}"] = _froc_entry(images, rule, rate, False, threshold)
    for rate in RATES:
        made[f"froc_normal.centre@{rate:g}"] = _froc_entry(images, "centre", rate, True, threshold)
    value = mean_average_precision(images)
    low, high = patient_interval(
        lambda weights: mean_average_precision(images, weights),
        [image.patient for image in images],
        draws=FROC_DRAWS,
    )
    made["map50"] = {
        "value": _finite(value),
        "low": _finite(low),
        "high": _finite(high),
        "unit": "lesion",
        "n": sum(len(image.lesions) for image in images),
        "method": (
            f"average precision at IoU >= 0.5 (classes pooled; boxes from a score of {threshold:g} up), all "
            f"points; 95 % interval of {FROC_DRAWS} patient-bootstrap draws"
        ),
        "baseline": 0.0,
    }
    return made


def measure(
    exams: Sequence[ExamResult],
    target: Target,
    *,
    bundle: str,
    split: str,
    boxes_from: float | None,
    probabilities: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the content of metrics.json.

    Parameters
    ----------
    exams
        Every exam of the part, scored or not.
    target
        Which labels are positive, and which lesions belong to the detector's classes.
    bundle, split
        Bundle name and version; hash of the splits, or a word for all rows.
    boxes_from
        The score below which the detector's boxes were left out; None without a detector.
    probabilities
        By image id, the score under a calibration that was fitted without this image's fold; Brier
        score and calibration error are then of these. Ranking needs none: one calibration of all
        folds is a rising function and leaves the order as it is.
    """

    def positive(row: Row) -> bool:
        return row.label in target.positive

    images = [image for exam in exams for image in exam.images]
    scored = [image for image in images if image.score is not None]
    by_image, by_breast = _by_image(exams, positive), _by_breast(exams, positive)
    of = " or ".join(target.positive) + " against the rest"
    probable, fitted = by_image, ""
    if probabilities is not None:
        ids = [image.row.image_id for image in scored]
        values = np.array([probabilities[name] for name in ids], dtype=np.float64)
        probable, fitted = replace(by_image, scores=values), ", calibrated by the other folds"
    metrics = _image_metrics(by_image, probable, of, fitted)
    metrics["auc.breast"] = _auc_entry(by_breast, of)
    metrics["auc.patient"] = _auc_entry(_by_patient(exams, positive), of)
    if "malignant" in target.positive and any(row.label in ("benign", "abnormal") for row in _rows(images)):

        def malignant(row: Row) -> bool:
            return row.label == "malignant"

        metrics["auc.malignant.image"] = _auc_entry(_by_image(exams, malignant), "malignant against the rest")
        metrics["auc.malignant.breast"] = _auc_entry(
            _by_breast(exams, malignant), "malignant against the rest"
        )
    placed = placed_boxes(exams, target)
    if boxes_from is not None and any(image.lesions for image in placed):
        metrics.update(_box_metrics(placed, boxes_from))
    return {
        "format": "mammoview-metrics",
        "version": 1,
        "bundle": bundle,
        "split": split,
        "n": {
            "images": len(scored),
            "breasts": len(by_breast.scores),
            "patients": len({image.row.patient_id for image in scored}),
        },
        "metrics": metrics,
        "positives": {"images": int(by_image.positive.sum()), "breasts": int(by_breast.positive.sum())},
        "not_scored": _reasons(images),
        "without_place": sum(not image.row.located for image in scored),
    }


def _rows(images: Sequence[ImageResult]) -> list[Row]:
    return [image.row for image in images]


def _reasons(images: Sequence[ImageResult]) -> dict[str, int]:
    """Return how many images were not scored, by the sentence that says why."""
    counts: dict[str, int] = {}
    for image in images:
        if image.score is None:
            reason = image.reason or "no reason given"
            counts[reason] = counts.get(reason, 0) + 1
    return counts

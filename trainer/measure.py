"""From scored exams to metrics.json: each number with interval, unit, count, method and trivial baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.core.manifest import Row
from app.core.metrics.probability import brier, expected_calibration_error
from model_zoo.calibration import fit_isotonic, fit_platt, fit_temperature
from model_zoo.spec import OperatingPoint
from trainer.box_metrics import box_metrics, placed_boxes
from trainer.classes import said_of
from trainer.cross_fit import cross_fitted
from trainer.entries import auc_entry, density_metrics, finite, point_metrics, unit_metrics
from trainer.recipe_blocks import Target
from trainer.units import ExamResult, ImageResult, Units, all_units, by_both_views, by_breast, by_image


def measure(
    exams: Sequence[ExamResult],
    target: Target,
    *,
    bundle: str,
    split: str,
    boxes_from: float | None,
    probabilities: Mapping[str, float] | None = None,
    point: OperatingPoint | None = None,
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
        By image id, the score under a calibration that was fitted without this image's fold; the
        images' Brier score, calibration error and pF1 are then of these. Ranking needs none: one
        calibration of all folds is a rising function and leaves the order as it is.
    point
        An operating point that was chosen on other images, to be tried on these.
    """
    images = [image for exam in exams for image in exam.images]
    scored = [image for image in images if image.score is not None]
    units = all_units(exams, target.is_positive)
    metrics = _by_unit(units, target, probabilities, point) | _malignant(exams, target)
    metrics |= _both_views(exams, target)
    metrics |= _density(scored, target) | _boxes(exams, target, boxes_from)
    return {
        "format": "mammoview-metrics",
        "version": 1,
        "bundle": bundle,
        "split": split,
        "n": {
            "images": len(scored),
            "breasts": len(units[1].scores),
            "patients": len({image.row.patient_id for image in scored}),
        },
        "metrics": metrics,
        "positives": {name: int(own.positive.sum()) for name, own in zip(_PLURAL, units, strict=True)},
        "not_scored": _reasons(images),
        "without_place": sum(not image.row.located for image in scored),
        "recalibrated": recalibrated(units[0]),
    }


_PLURAL = ("images", "breasts", "patients")


def _by_unit(
    units: Sequence[Units],
    target: Target,
    probabilities: Mapping[str, float] | None,
    point: OperatingPoint | None,
) -> dict[str, Any]:
    """Return the metrics of images, breasts and patients."""
    of = " or ".join(target.positive) + " against the rest"
    metrics: dict[str, Any] = {}
    for own in units:
        probable, fitted = _probable(own, probabilities)
        metrics |= unit_metrics(own, probable, of, fitted)
        if point is not None:
            metrics |= point_metrics(own, point)
    return metrics


def _probable(units: Units, probabilities: Mapping[str, float] | None) -> tuple[Units, str]:
    """Return the units by whose scores probabilities are judged, and how these were calibrated."""
    if probabilities is None:
        return units, ""
    if units.name != "image":
        return units, ", by a calibration fitted on all folds, these among them"
    values = np.array([probabilities[name] for name in units.keys], dtype=np.float64)
    return replace(units, scores=values), ", calibrated by the other folds"


def _malignant(exams: Sequence[ExamResult], target: Target) -> dict[str, Any]:
    """Return how malignant lesions rank above all else, where the data set tells them from benign ones."""
    labels = {image.row.label for exam in exams for image in exam.images}
    if "malignant" not in target.positive or not labels & {"benign", "abnormal"}:
        return {}

    def malignant(row: Row) -> bool:
        return row.label == "malignant"

    of = "malignant against the rest"
    return {
        "auc.malignant.image": auc_entry(by_image(exams, malignant), of),
        "auc.malignant.breast": auc_entry(by_breast(exams, malignant), of),
    }


def _both_views(exams: Sequence[ExamResult], target: Target) -> dict[str, Any]:
    """Return what the second view of a breast brings: its score beside those of either view alone."""
    of = " or ".join(target.positive) + " against the rest, breasts of which both CC and MLO were scored"
    how = {"both": "", "cc": ", by the CC alone", "mlo": ", by the MLO alone"}
    found = by_both_views(exams, target.is_positive)
    return {f"auc.two_views.{name}": auc_entry(own, of + how[name]) for name, own in found.items()}


def _boxes(exams: Sequence[ExamResult], target: Target, boxes_from: float | None) -> dict[str, Any]:
    """Return the metrics of the detector, where there are one and lesions to be found."""
    placed = placed_boxes(exams, target)
    if boxes_from is None or not any(image.lesions for image in placed):
        return {}
    return dict(box_metrics(placed, boxes_from))


def _density(images: Sequence[ImageResult], target: Target) -> dict[str, Any]:
    """Return the metrics of breast density, where it is what the bundle's classes are of."""
    classes = target.classes
    if classes is None or classes.of != "density" or classes.several:
        return {}
    names = tuple(classes.words)
    known = [
        (image, int(said.argmax()))
        for image in images
        if set(image.classes) == set(names) and not np.isnan(said := said_of(image.row, classes)).any()
    ]
    if not known:
        return {}
    chances = np.array([[image.classes[name] for name in names] for image, _ in known], dtype=np.float64)
    patients = tuple(image.row.patient_id for image, _ in known)
    return density_metrics(np.array([truth for _, truth in known], dtype=np.intp), chances, patients)


def recalibrated(units: Units) -> dict[str, Any]:
    """Return Brier score and calibration error as they are and as each calibration would make them.

    A calibration is fitted on four fifths of the patients and judged on the rest, in turn. It says
    whether the scores could be more honest here; the bundle is not changed.
    """
    if len(units.scores) == 0 or units.positive.all() or not units.positive.any():
        return {}
    scores: dict[str, Any] = {"as shipped": units.scores}
    for name, fit in (("platt", fit_platt), ("temperature", fit_temperature), ("isotonic", fit_isotonic)):
        scores[name] = cross_fitted(units.positive, units.scores, units.patients, fit)
    return {
        name: {
            "brier": finite(brier(units.positive, values)),
            "ece": finite(expected_calibration_error(units.positive, values)),
        }
        for name, values in scores.items()
        if values is not None
    }


def _reasons(images: Sequence[ImageResult]) -> dict[str, int]:
    """Return how many images were not scored, by the sentence that says why."""
    counts: dict[str, int] = {}
    for image in images:
        if image.score is None:
            reason = image.reason or "no reason given"
            counts[reason] = counts.get(reason, 0) + 1
    return counts

"""Operating points: a threshold, and what such a threshold reaches on scores that had no say in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.core.metrics.bootstrap import patient_interval
from app.core.metrics.ranking import Bools, Floats, threshold_at
from model_zoo.spec import OperatingPoint
from trainer.recipe import Recipe
from trainer.units import ExamResult, ImageResult


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Exams whose scores choose a threshold, and others on which it is judged."""

    chosen_on: Sequence[ExamResult]
    judged_on: Sequence[ExamResult]


def _scored(exams: Sequence[ExamResult]) -> list[ImageResult]:
    return [image for exam in exams for image in exam.images if image.score is not None]


def _truth(images: Sequence[ImageResult], recipe: Recipe) -> tuple[Bools, Floats]:
    positive = [recipe.target.is_positive(image.row) for image in images]
    return np.array(positive, np.bool_), np.array([image.score for image in images], np.float64)


def _threshold(exams: Sequence[ExamResult], recipe: Recipe) -> float | None:
    positive, scores = _truth(_scored(exams), recipe)
    if not len(scores) or positive.all() or not positive.any():
        return None
    return min(1.0, threshold_at(positive, scores, recipe.specificity))


def _share(right: Bools, patients: Sequence[str]) -> dict[str, Any]:
    """Return the share of images answered rightly, with its patient-bootstrap interval."""

    def statistic(weights: Floats) -> float:
        return float(np.average(right, weights=weights)) if weights.sum() else float("nan")

    low, high = patient_interval(statistic, patients)
    return {
        "value": round(float(right.mean()), 6),
        "low": None if np.isnan(low) else round(low, 6),
        "high": None if np.isnan(high) else round(high, 6),
        "n": len(right),
    }


def _words(share: dict[str, Any], of: str) -> str:
    interval = "" if share["low"] is None else f" (95 % interval {share['low']:.0%} to {share['high']:.0%})"
    return f"{share['value']:.0%} of {share['n']} {of}{interval}"


def operating_point(
    recipe: Recipe, basis: Sequence[ExamResult], trials: Sequence[Trial], how: str
) -> tuple[OperatingPoint, dict[str, Any]] | None:
    """Return the point at the recipe's specificity and its entry in metrics.json.

    Parameters
    ----------
    basis
        Exams whose scores choose the threshold that ships.
    trials
        The same choice made on other exams than those it is judged on; sensitivity and specificity
        are those of all trials together.
    how
        Where the threshold was chosen, and what was judged where, in words that end with "it".

    Returns
    -------
    None where one of the classes is missing.
    """
    shipped = _threshold(basis, recipe)
    images: list[ImageResult] = []
    recalled: list[bool] = []
    for trial in trials:
        threshold = _threshold(trial.chosen_on, recipe)
        if threshold is None:
            return None
        judged = _scored(trial.judged_on)
        images += judged
        recalled += [image.score is not None and image.score >= threshold for image in judged]
    positive, _ = _truth(images, recipe)
    if shipped is None or not len(positive) or positive.all() or not positive.any():
        return None
    said = np.array(recalled, np.bool_)
    patients = np.array([image.row.patient_id for image in images])
    found = _share(said[positive], list(patients[positive]))
    spared = _share(~said[~positive], list(patients[~positive]))
    name = f"specificity {recipe.specificity:.0%}"
    meaning = (
        f"chosen for a specificity of {recipe.specificity:.0%} {how} recalls "
        f"{_words(found, 'positives')} and spares {_words(spared, 'negatives')}"
    )
    entry = {"name": name, "threshold": shipped, "sensitivity": found, "specificity": spared, "how": how}
    return OperatingPoint(name, shipped, meaning), entry

"""The temperature of a bundle's further classes, fitted on logits of patients that no weight has seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.manifest import Row
from model_zoo.class_chances import fit_class_temperature
from model_zoo.exam import class_chances
from model_zoo.spec import BundleSpec
from trainer.classes import said_of
from trainer.recipe_blocks import Classes

_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class ExamLogits:
    """The rows of one study, and the class logits of each; empty where a view was not scored."""

    rows: tuple[Row, ...]
    logits: tuple[tuple[float, ...], ...]


def class_temperature(exams: Iterable[ExamLogits], spec: BundleSpec, classes: Classes | None) -> float | None:
    """Return the temperature at which the chances that ship, other breast and all, lose least.

    Returns
    -------
    None without classes of which one at a time holds, or where all images are of one class.
    """
    if classes is None or classes.several or spec.outputs.classes is None:
        return None
    known: list[tuple[ExamLogits, Sequence[int | None]]] = []
    for exam in exams:
        said = [said_of(row, classes) for row in exam.rows]
        known.append((exam, [None if np.isnan(one).any() else int(one.argmax()) for one in said]))
    if len({number for _, numbers in known for number in numbers if number is not None}) < 2:
        return None

    def loss(temperature: float) -> float:
        lost = []
        for exam, numbers in known:
            places = [(row.laterality or None, row.view or None) for row in exam.rows]
            for chances, number in zip(
                class_chances(exam.logits, places, spec, temperature), numbers, strict=True
            ):
                if chances is not None and number is not None:
                    lost.append(-np.log(max(float(chances[number]), _LEAST)))
        return float(np.mean(lost)) if lost else 0.0

    return round(fit_class_temperature(loss), 4)


def with_temperature(spec: BundleSpec, temperature: float | None) -> BundleSpec:
    """Return the specification with the temperature of its classes, if there is one."""
    classes = spec.outputs.classes
    if classes is None or temperature is None:
        return spec
    return replace(spec, outputs=replace(spec.outputs, classes=replace(classes, temperature=temperature)))

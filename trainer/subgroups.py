"""The same numbers by density, view, vendor, age, source, and by type and size of lesion.

A subgroup's interval is wide where it is small, and one of twenty subgroups looks odd by chance:
the numbers stand there to be looked at, not to be tested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.core.manifest import Row
from app.core.metrics import decision
from app.core.metrics.bootstrap import intervals
from app.core.metrics.froc import ImageBoxes, froc, random_places, sensitivities, sensitivity
from app.core.metrics.ranking import Bools
from model_zoo.spec import OperatingPoint
from trainer.box_metrics import placed_boxes
from trainer.entries import Entry, auc_entry, make_entry, metric_entry
from trainer.recipe_blocks import Target
from trainer.units import ExamResult, Units, by_image, scored_images

DRAWS = 300
NOT_STATED = "not stated"
_BOX_RATES = (1, 2)


def age_band(text: str) -> str:
    """Return an age in words: bands of ten years from 40 to 69."""
    digits = text.strip().upper().removesuffix("Y").lstrip("0")
    try:
        age = float(digits)
    except ValueError:
        return NOT_STATED
    if age < 40:
        return "under 40"
    return "70 and over" if age >= 70 else f"{int(age // 10) * 10} to {int(age // 10) * 10 + 9}"


def _stated(column: str) -> Callable[[Row], str]:
    return lambda row: str(getattr(row, column)).strip() or NOT_STATED


KINDS: Mapping[str, Callable[[Row], str]] = {
    "density": _stated("density"),
    "view": _stated("view"),
    "vendor": _stated("vendor"),
    "age": lambda row: age_band(row.age),
    "source": _stated("source"),
}


def groups(rows: Sequence[Row], positive: Bools) -> dict[str, dict[str, Bools]]:
    """Return which rows belong to each subgroup, by kind and value.

    A kind with one value only tells nothing and is left out. A lesion type has the positive images with
    such a lesion and every negative one.
    """
    made: dict[str, dict[str, Bools]] = {}
    for kind, value in KINDS.items():
        values = np.array([value(row) for row in rows], dtype=object)
        names = sorted(set(values.tolist()))
        if len(names) > 1:
            made[kind] = {name: np.array(values == name, dtype=np.bool_) for name in names}
    types = sorted(
        {
            lesion.label
            for row, ill in zip(rows, positive.tolist(), strict=True)
            if ill
            for lesion in row.findings
        }
    )
    if len(types) > 1:
        made["lesion"] = {
            name: np.array(
                [
                    not ill or any(lesion.label == name for lesion in row.findings)
                    for row, ill in zip(rows, positive.tolist(), strict=True)
                ],
                dtype=np.bool_,
            )
            for name in types
        }
    return made


def subgroups(
    exams: Sequence[ExamResult], target: Target, point: OperatingPoint | None = None, *, boxes: bool = False
) -> dict[str, dict[str, Any]]:
    """Return the metrics of every subgroup by kind and value, with its counts.

    Parameters
    ----------
    point
        An operating point that was chosen elsewhere, tried on each subgroup.
    boxes
        Also the lesions found at 1 and 2 false boxes per image, by type and size of lesion.
    """
    units = by_image(exams, target.is_positive)
    rows = [image.row for image in scored_images(exams)]
    made: dict[str, dict[str, Any]] = {
        kind: {name: _group(units.chosen(wanted), point) for name, wanted in values.items()}
        for kind, values in groups(rows, units.positive).items()
    }
    if boxes:
        images = placed_boxes(exams, target)
        for kind, place in (("lesion found", 0), ("lesion size found", 1)):
            found = _lesions(images, place)
            if len(found) > 1:
                made[kind] = found
    return made


def _group(units: Units, point: OperatingPoint | None) -> dict[str, Any]:
    metrics: dict[str, Entry] = {"auc.image": auc_entry(units, "positives against the rest", DRAWS)}
    if point is not None:
        at = point.threshold
        metrics["sensitivity.image"] = metric_entry(
            units, decision.sensitivities(at), f"positives with a score >= {at:.4f}", None, DRAWS
        )
        metrics["specificity.image"] = metric_entry(
            units, decision.specificities(at), f"negatives with a score < {at:.4f}", None, DRAWS
        )
    return {
        "n": len(units.scores),
        "positives": int(units.positive.sum()),
        "patients": len(set(units.patients)),
        "metrics": metrics,
    }


def _lesions(images: Sequence[ImageBoxes], place: int) -> dict[str, Any]:
    """Return how many lesions of each type or size are found; false boxes are those of all images."""
    curve = froc(images, "centre")
    kinds = np.array([kind[place] for image in images for kind in image.kinds], dtype=object)
    patients = [image.patient for image in images]
    made: dict[str, Any] = {}
    for name in sorted(set(kinds.tolist())):
        own = np.array(kinds == name, dtype=np.bool_)
        part = replace(curve, found=curve.found[own], found_image=curve.found_image[own])
        of_kind = [
            replace(
                image,
                lesions=tuple(
                    box for box, kind in zip(image.lesions, image.kinds, strict=True) if kind[place] == name
                ),
            )
            for image in images
        ]
        metrics = {}
        for rate in _BOX_RATES:
            method = (
                f"share found (centre of the box inside the lesion's box) at {rate} false boxes per image "
                "over all images; baseline: boxes at random in the breast"
            )

            def share(weights: Any, part: Any = part, rate: float = rate) -> Any:
                return sensitivities(part, rate, weights)

            metrics[f"froc.centre@{rate}"] = make_entry(
                sensitivity(part, rate),
                intervals(share, patients, draws=DRAWS),
                "lesion",
                int(own.sum()),
                method,
                random_places(of_kind, "centre", rate),
            )
        holders = {image.patient for image in of_kind if image.lesions}
        made[name] = {
            "n": int(own.sum()),
            "positives": int(own.sum()),
            "patients": len(holders),
            "metrics": metrics,
        }
    return made

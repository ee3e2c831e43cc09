"""How well boxes find lesions, each number named after its hit rule and its denominator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.core.manifest import Box, Row
from app.core.metrics.bootstrap import intervals
from app.core.metrics.froc import (
    ImageBoxes,
    Rule,
    froc,
    mean_average_precision,
    mean_average_precisions,
    random_places,
    rank_boxes,
    sensitivities,
    sensitivity,
)
from app.core.metrics.probability import wilson
from trainer.entries import Entry, make_entry
from trainer.recipe_blocks import Target
from trainer.units import ExamResult

RATES = (0.5, 1, 2, 4)
"""False positives per image at which FROC sensitivities are given."""
FROC_DRAWS = 300
RULES: dict[Rule, str] = {
    "centre": "centre of the box inside the lesion's box",
    "iou20": "IoU >= 0.2",
    "iou50": "IoU >= 0.5",
}


def placed_boxes(exams: Sequence[ExamResult], target: Target) -> list[ImageBoxes]:
    """Return candidates and lesions of the scored images whose lesions all have a place."""
    made = []
    for exam in exams:
        for image in exam.images:
            findings = image.row.findings
            wanted = [one for one in findings if target.class_of(one.label, one.pathology) is not None]
            if image.score is None or any(lesion.box is None for lesion in wanted):
                continue
            places = tuple(lesion.box for lesion in wanted if lesion.box is not None)
            kinds = tuple((lesion.label, size_band(lesion.box, image.row)) for lesion in wanted)
            made.append(ImageBoxes(image.row.patient_id, image.boxes, places, image.region, kinds))
    return made


def size_band(box: Box | None, row: Row) -> str:
    """Return a lesion's size in words: the geometric mean of its box's sides in millimetres."""
    if box is None or row.spacing_mm is None:
        return "not stated"
    high, wide = (box[2] - box[0]) * row.spacing_mm[0], (box[3] - box[1]) * row.spacing_mm[1]
    size = float(np.sqrt(max(high, 0.0) * max(wide, 0.0)))
    return "under 10 mm" if size < 10 else "10 to 20 mm" if size < 20 else "20 mm and over"


def froc_entry(
    images: Sequence[ImageBoxes], rule: Rule, rate: float, normal_only: bool, threshold: float
) -> Entry:
    """Return the share of lesions found at so many false boxes per image.

    Parameters
    ----------
    normal_only
        False boxes are counted on images without a lesion only.
    threshold
        The score from which boxes were kept.
    """
    curve = froc(images, rule, normal_only=normal_only)
    value = sensitivity(curve, rate)
    interval = (float("nan"), float("nan"))
    if not np.isnan(value):
        interval = intervals(
            lambda weights: sensitivities(curve, rate, weights),
            [image.patient for image in images],
            draws=FROC_DRAWS,
        )
    if value in (0.0, 1.0):
        # Then no draw differs from another, and what was measured of few patients would look certain.
        ill = len({image.patient for image in images if image.lesions})
        low, high = wilson(value, ill)
        interval = (min(low, interval[0]), max(high, interval[1]))
    where = "normal images" if normal_only else "all images"
    method = (
        f"share of lesions found ({RULES[rule]}; classes pooled; boxes from a score of {threshold:g} up) "
        f"at {rate:g} false boxes per image over {where}, {int(curve.counted.sum())} of them; "
        "baseline: lesion-sized boxes at random in the breast; "
        f"95 % interval of {FROC_DRAWS} patient-bootstrap draws; where all or none are found, Wilson's of "
        "the patients with a lesion"
    )
    return make_entry(value, interval, "lesion", len(curve.found), method, random_places(images, rule, rate))


def box_metrics(images: Sequence[ImageBoxes], threshold: float) -> dict[str, Entry]:
    """Return FROC at every rule and rate, per all and per normal images, and mAP50."""
    made: dict[str, Entry] = {}
    for rule in RULES:
        for rate in RATES:
            made[f"froc.{rule}@{rate:g}"] = froc_entry(images, rule, rate, False, threshold)
    for normal in ("centre", "iou20"):
        for rate in RATES:
            made[f"froc_normal.{normal}@{rate:g}"] = froc_entry(images, normal, rate, True, threshold)
    made["map50"] = _map_entry(images, threshold)
    return made


def _map_entry(images: Sequence[ImageBoxes], threshold: float) -> Entry:
    ranked = rank_boxes(images)
    interval = intervals(
        lambda weights: mean_average_precisions(ranked, weights),
        [image.patient for image in images],
        draws=FROC_DRAWS,
    )
    method = (
        f"average precision at IoU >= 0.5 (classes pooled; boxes from a score of {threshold:g} up), all "
        f"points; baseline: no box; 95 % interval of {FROC_DRAWS} patient-bootstrap draws"
    )
    lesions = sum(len(image.lesions) for image in images)
    return make_entry(mean_average_precision(images), interval, "lesion", lesions, method, 0.0)

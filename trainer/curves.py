"""ROC, precision-recall, FROC and calibration of an evaluation, each as a diagram and as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from app.core.files import write_text
from app.core.metrics.froc import ImageBoxes, froc, froc_points
from app.core.metrics.probability import reliability
from app.core.metrics.ranking import Floats, precision_points, roc_points
from app.core.plot import Line, Plot, svg
from trainer.box_metrics import RULES, placed_boxes
from trainer.recipe_blocks import Target
from trainer.units import ExamResult, Units, all_units

_MOST_RATE = 8.0
"""False boxes per image up to which a FROC is drawn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A diagram with the numbers behind it."""

    name: str
    plot: Plot
    header: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


def _floats(values: Floats) -> list[float]:
    return cast(list[float], np.round(values, 6).tolist())


def _judged(units: Sequence[Units]) -> list[Units]:
    return [own for own in units if len(own.scores) and 0 < own.positive.sum() < len(own.positive)]


def _roc(units: Sequence[Units]) -> Curve:
    lines, rows = [], []
    for own in units:
        false, true = roc_points(own.positive, own.scores)
        lines.append(Line(f"per {own.name}, n = {len(own.scores)}", _floats(false), _floats(true)))
        rows += [(own.name, x, y) for x, y in zip(_floats(false), _floats(true), strict=True)]
    lines.append(Line("chance", (0, 1), (0, 1), quiet=True))
    plot = Plot("ROC", "1 - specificity", "sensitivity", lines)
    return Curve("roc", plot, ("unit", "false_positive_rate", "sensitivity"), tuple(rows))


def _precision(units: Sequence[Units]) -> Curve:
    lines, rows = [], []
    for own in units:
        recall, precision = precision_points(own.positive, own.scores)
        lines.append(Line(f"per {own.name}, n = {len(own.scores)}", _floats(recall), _floats(precision)))
        rows += [(own.name, x, y) for x, y in zip(_floats(recall), _floats(precision), strict=True)]
    share = float(units[0].positive.mean())
    lines.append(Line(f"share of positive {units[0].name}s", (0, 1), (share, share), quiet=True))
    plot = Plot("Precision and recall", "sensitivity (recall)", "positive predictive value", lines)
    return Curve("pr", plot, ("unit", "sensitivity", "precision"), tuple(rows))


def _calibration(own: Units) -> Curve:
    bins = reliability(own.positive, own.scores)
    line = Line(
        f"per {own.name}, ten bins, Wilson 95 %",
        [one.score for one in bins],
        [one.share for one in bins],
        [one.low for one in bins],
        [one.high for one in bins],
        dots=True,
    )
    plot = Plot(
        "Calibration",
        "mean score",
        "share of positives",
        [line, Line("honest", (0, 1), (0, 1), quiet=True)],
    )
    rows = [(one.score, one.share, one.low, one.high, one.n) for one in bins]
    return Curve("calibration", plot, ("mean_score", "share", "low", "high", "n"), tuple(rows))


def _froc(images: Sequence[ImageBoxes]) -> Curve:
    lines, rows = [], []
    for normal in (False, True):
        for rule, words in RULES.items():
            rates, found, limits = froc_points(froc(images, rule, normal_only=normal))
            if np.isnan(rates).any():
                continue
            where = "normal images" if normal else "all images"
            rows += [
                (rule, where, x, y, t)
                for x, y, t in zip(_floats(rates), _floats(found), limits.tolist(), strict=True)
            ]
            if not normal:
                shown = rates <= _MOST_RATE
                lines.append(Line(words, _floats(rates[shown]), _floats(found[shown])))
    plot = Plot(
        "FROC, false boxes over all images",
        "false boxes per image",
        "share of lesions found",
        lines,
        x_ticks=(0, 1, 2, 4, 6, 8),
    )
    header = ("rule", "false_boxes_over", "false_boxes_per_image", "sensitivity", "threshold")
    return Curve("froc", plot, header, tuple(rows))


def curves(exams: Sequence[ExamResult], target: Target, *, boxes: bool) -> list[Curve]:
    """Return the curves that these exams allow: none of a class that is missing, FROC only of boxes."""
    units = all_units(exams, target.is_positive)
    judged = _judged(units)
    made = []
    if judged:
        made += [_roc(judged), _precision(judged)]
    if len(units[0].scores):
        made.append(_calibration(units[0]))
    images = placed_boxes(exams, target) if boxes else []
    if any(image.lesions for image in images):
        made.append(_froc(images))
    return made


def write_curves(made: Sequence[Curve], folder: Path) -> None:
    """Write ``curves/NAME.svg`` and ``curves/NAME.csv`` into a report folder; may raise OSError."""
    for curve in made:
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(curve.header)
        writer.writerows(curve.rows)
        write_text(folder / "curves" / f"{curve.name}.svg", svg(curve.plot) + "\n")
        write_text(folder / "curves" / f"{curve.name}.csv", table.getvalue())

"""What a report of an audit holds, and its tables: every case as CSV, every number as JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from app.core.audit.cases import STATUSES, Floats
from app.core.audit.columns import TRUTHS, Sheet
from app.core.audit.filters import CaseFilter, words
from app.core.audit.matching import Matching
from app.core.audit.outcomes import OUTCOMES, Matrix
from app.core.audit.plots import Plots
from app.core.audit.readings import Reading


@dataclass(frozen=True, slots=True, eq=False)
class Exhibit:
    """One case of the gallery.

    Attributes
    ----------
    png
        The image as it is stored or turned upright, 8 bit; None where it cannot be shown (`reason`).
    shape
        (rows, columns) of the coordinates that `matching` speaks of.
    affine
        2x3 from (row, col, 1) of stored pixel corners to (row, col) of the picture's, as shares of its
        height and width.
    """

    row: int
    png: bytes | None
    shape: tuple[int, int]
    affine: Floats
    matching: Matching | None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class AuditReport:
    """All that is reported: see the modules that each part comes from.

    Attributes
    ----------
    notes
        Standing sentences about the data.
    gallery
        What was chosen, in words, and the cases.
    """

    title: str
    source: str
    made: str
    reader: str
    sheet: Sheet
    subgroup: CaseFilter
    matrix: Matrix
    plots: Plots
    notes: tuple[str, ...] = ()
    gallery: tuple[Exhibit, ...] = ()
    gallery_words: str = ""
    readings: tuple[Reading, ...] = ()


def cases_csv(sheet: Sheet, rows: Iterable[int] | None = None) -> str:
    """Return cases as CSV, one line each: facts, truth, each model's answer, outcome, verdicts.

    Parameters
    ----------
    rows
        In this order; None: all, as the manifest has them.
    """
    table = sheet.table
    models = [answers.model for answers in table.answers]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    said = [f"{name} {model.name}" for model in models for name in ("status", "score", "boxes", "reason")]
    writer.writerow(
        ("image_id", "patient_id", "study_id", "laterality", "view", "density", "age", "vendor", "label",
         "truth", *said, "threshold", "outcome", "verdict", "corrected_label", "tags", "note", "path")
    )  # fmt: skip
    for row in range(len(table)) if rows is None else rows:
        facts = table.rows[row]
        own = sheet.said.of.get(row, ())
        answers: list[object] = []
        for each in table.answers:
            score = each.score[row]
            shown = "" if np.isnan(score) else f"{score:.6f}"
            answers += [STATUSES[each.status[row]], shown, len(each.boxes(row)), each.reason(row)]
        writer.writerow(
            (facts.image_id, facts.patient_id, facts.study_id, facts.laterality, facts.view, facts.density,
             facts.age, facts.vendor, facts.label, TRUTHS[table.truth[row] + 1], *answers,
             f"{sheet.threshold:.6f}", OUTCOMES[sheet.outcome[row]],
             "; ".join(f"{one.verdict} ({one.reader or 'unnamed'})" for one in own if one.verdict),
             "; ".join(f"{one.label} ({one.reader or 'unnamed'})" for one in own if one.label),
             "; ".join(sorted(sheet.said.tags.get(row, ()))), sheet.said.note(row), facts.path)
        )  # fmt: skip
    return text.getvalue()


def numbers_json(report: AuditReport) -> dict[str, Any]:
    """Return every number of the report as JSON values."""
    plots, model = report.plots, report.sheet.answers.model
    return {
        "format": "mammoview-audit-report",
        "version": 1,
        "title": report.title,
        "made": report.made,
        "model": {"name": model.name, "version": model.version, "digest": model.digest},
        "subgroup": words(report.subgroup),
        "threshold": report.sheet.threshold,
        "matrix": asdict(report.matrix),
        "auc": None if plots.roc is None else asdict(plots.roc.area),
        "average_precision": None if plots.precision is None else asdict(plots.precision.area),
        "froc": {} if plots.froc is None else {name: asdict(one) for name, one in plots.froc.numbers},
        "brier": None if plots.calibration is None else plots.calibration.brier,
        "ece": None if plots.calibration is None else plots.calibration.ece,
        "notes": list(report.notes),
    }

"""The data sets that the window of audits is measured on: a made manifest, made predictions of two models."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.core.manifest import Row, write_manifest
from app.ui.audit.window import AuditWindow, open_audit
from benchmarks.exam import SHAPE, four_views
from benchmarks.workstation import opened, run_until

SIZE = (1600, 1000)
"""Columns and rows of the window."""
VIEWS = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
"""Of the four images of an exam."""


def made(place: Path, count: int, paths: Callable[[int], Path] | None = None) -> tuple[Path, list[Path]]:
    """Write a manifest of so many images, four to an exam, a tenth ill, and each model's prediction file.

    Parameters
    ----------
    paths
        By number of the row its file; None: files that are not there.
    """
    place.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    ill = generator.random(count) < 0.1
    rows = [
        Row(
            f"i{number}", f"p{number // 4}", f"s{number // 4}", *VIEWS[number % 4],
            place / f"{number}.dcm" if paths is None else paths(number), 0, f"{number:064x}", *SHAPE,
            (0.1, 0.1), "ffdm", "ABCD"[number // 4 % 4], str(40 + number // 4 % 40),
            ("ONE", "TWO")[number // 4 % 2],
            "malignant" if ill[number] else "normal", "made: made up", licence="any: made up",
        )
        for number in range(count)
    ]  # fmt: skip
    write_manifest(rows, place / "made.csv")
    files = []
    for model in ("one", "two"):
        scores = np.clip(generator.normal(0.35 + 0.3 * ill, 0.18), 0, 1)
        files.append(place / f"{model}.json")
        files[-1].write_text(json.dumps(_predictions(model, rows, scores)))
    return place / "made.csv", files


def linked(folder: Path, count: int) -> tuple[Path, list[Path]]:
    """Write a data set whose files are there: each row a name of its own for a view of the made exam."""
    place, views = folder / f"linked-{count}", four_views(folder)
    by_view = {(file.stem[0], file.stem[1:]): file for file in views}
    place.mkdir(exist_ok=True)
    for number in range(count):
        os.link(by_view[VIEWS[number % 4]], _name(place, number))
    return made(place, count, lambda number: _name(place, number))


def _name(place: Path, number: int) -> Path:
    return place / f"{number:05d}.dcm"


@contextmanager
def audit_of(folder: Path, manifest: Path, predictions: Sequence[Path]) -> Iterator[AuditWindow]:
    """The real window of audits off-screen, everything in it counted."""
    with opened() as workstation:
        window = open_audit(workstation.window, folder / "kept")
        window.resize(*SIZE)
        window.open([manifest], (), predictions)
        run_until(lambda: window.audit.plots is not None, 300, "the plots")
        try:
            yield window
        finally:
            window.close()


def _predictions(model: str, rows: list[Row], scores: np.ndarray) -> dict[str, object]:
    views = [
        {
            "sop_uid": "", "path": str(row.path), "model": model, "laterality": row.laterality,
            "view": row.view, "status": "scored", "reason": None, "score": float(score), "findings": [],
            "heatmap": None, "notes": [],
        }
        for row, score in zip(rows, scores, strict=True)
    ]  # fmt: skip
    studies = [
        {
            "study_uid": rows[first].study_id, "status": "complete", "breasts": {"L": None, "R": None},
            "exam_score": None, "suitability": [], "views": views[first : first + 4],
        }
        for first in range(0, len(rows), 4)
    ]  # fmt: skip
    outputs = {"score": {"of": "malignancy", "prevalence": None, "calibrated": False}}
    models = [{"name": model, "version": "1", "outputs": outputs}]
    return {"format": "mammoview-prediction", "version": 1, "models": models, "studies": studies}

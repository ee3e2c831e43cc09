"""``audit-drag``: a step of the dragged threshold in the window of audits, 50,000 cases, all of it painted.

The real window off-screen on a made manifest with made predictions of two models; the line of the plot is
moved as the mouse does, and everything that follows is counted and painted. Milliseconds of the window's own
thread, so that what else the machine does is not in them. The peer is the goal of 30 steps a second.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from app.core.audit.filters import EVERY_CASE, Among, CaseFilter
from app.core.manifest import Row, write_manifest
from app.ui.audit.window import AuditWindow, open_audit
from benchmarks.result import Result, judge
from benchmarks.workstation import opened, run_until

ROWS, STEPS = 50_000, 30
SIZE = (1600, 1000)
GOAL_MS = 1000 / 30
MISSED = CaseFilter((Among("outcome", ("FN",)),))
LISTS = (
    ("all", EVERY_CASE, ""),
    ("false negatives", MISSED, ""),
    ("all by nearness to the threshold", EVERY_CASE, "uncertainty"),
    ("false negatives by nearness", MISSED, "uncertainty"),
)


def run(name: str, folder: Path) -> Result:
    """Measure the step beside its goal, by the slowest of four lists."""
    manifest, predictions = _made(folder / "drag")
    with opened() as workstation:
        window = open_audit(workstation.window, folder / "drag" / "kept")
        window.resize(*SIZE)
        window.open([manifest], (), predictions)
        run_until(lambda: window.audit.plots is not None, 300, "the plots")
        medians = {}
        for words, wanted, column in LISTS:
            window.audit.set_filter(wanted)
            window.audit.sort_by(column, True)
            medians[words] = _steps(window)
        window.close()
    slowest = max(medians, key=lambda words: statistics.median(medians[words]))
    told = "; ".join(f"{words} {statistics.median(steps):.1f} ms" for words, steps in medians.items())
    runs = [(step, GOAL_MS) for step in medians[slowest]]
    config = (
        f"goal; {ROWS} cases, two models, window of {SIZE[0]} x {SIZE[1]}, files that are not there; {told}"
    )
    return judge(name, "ms", runs, better="lower", peer="goal", peer_config=config)


def _steps(window: AuditWindow) -> list[float]:
    """Return the milliseconds of each step of a drag over the middle of the scores."""
    found = []
    for place in np.linspace(0.3, 0.7, STEPS + 1):
        start = time.thread_time()
        window.plots.scores.line.setValue(float(place))
        QApplication.processEvents()
        found.append(1000 * (time.thread_time() - start))
    return found[1:]  # the first comes from elsewhere, maybe with another list


def _made(place: Path) -> tuple[Path, list[Path]]:
    """Write the manifest and a prediction file of each model, four images to an exam, a tenth ill."""
    place.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    ill = generator.random(ROWS) < 0.1
    rows = [
        Row(
            f"i{number}", f"p{number // 4}", f"s{number // 4}", "LR"[number % 2],
            ("CC", "MLO")[number // 2 % 2], place / f"{number}.dcm", 0, f"{number:064x}", 3000, 2400,
            (0.1, 0.1), "ffdm", "ABCD"[number // 4 % 4], str(40 + number // 4 % 40),
            ("ONE", "TWO")[number // 4 % 2],
            "malignant" if ill[number] else "normal", "made: made up", licence="any: made up",
        )
        for number in range(ROWS)
    ]  # fmt: skip
    write_manifest(rows, place / "made.csv")
    files = []
    for model in ("one", "two"):
        scores = np.clip(generator.normal(0.35 + 0.3 * ill, 0.18), 0, 1)
        files.append(place / f"{model}.json")
        files[-1].write_text(json.dumps(_predictions(model, rows, scores)))
    return place / "made.csv", files


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

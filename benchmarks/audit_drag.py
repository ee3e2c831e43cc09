"""``audit-drag``: a step of the dragged threshold in the window of audits, 50,000 cases, all of it painted.

The real window off-screen on a made manifest with made predictions of two models; the line of the plot is
moved as the mouse does, and everything that follows is counted and painted. Milliseconds of the window's own
thread, so that what else the machine does is not in them. The peer is the goal of 30 steps a second.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from app.core.audit.filters import EVERY_CASE, Among, CaseFilter
from app.ui.audit.window import AuditWindow
from benchmarks.audited import SIZE, audit_of, made
from benchmarks.result import Result, judge

ROWS, STEPS = 50_000, 30
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
    manifest, predictions = made(folder / "drag", ROWS)
    with audit_of(folder / "drag", manifest, predictions) as window:
        medians = {}
        for words, wanted, column in LISTS:
            window.audit.set_filter(wanted)
            window.audit.sort_by(column, True)
            medians[words] = _steps(window)
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

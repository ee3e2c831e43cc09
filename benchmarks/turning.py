"""``stage-switch`` and ``next-study``: from the key to the painted panes, everything decoded before.

The peer is the budget of the design. A page may first be painted as a sketch of half the resolution; what it
then takes until all pixels are exact is told beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtTest import QTest

from app.commands.window import Workstation
from benchmarks.exam import four_views, two_studies
from benchmarks.result import BenchmarkError, Result, judge
from benchmarks.workstation import opened, run_until, settle, show

ROUNDS = 5
STAGE_MS = 50.0
STUDY_MS = 100.0
REST_MS = 200
"""How long the window rests between two keys, as under a reader's hand."""


def run(name: str, folder: Path) -> Result:
    """Measure one of the two."""
    if name == "stage-switch":
        measured, budget, unit = (
            _stages(four_views(folder)[0].parent),
            STAGE_MS,
            "ms, the slowest of all stages",
        )
    else:
        measured, budget, unit = (
            _studies(two_studies(folder)),
            STUDY_MS,
            "ms until all four panes are painted",
        )
    exact = statistics.median(exact for _, exact in measured)
    return judge(
        name,
        unit,
        [(first, budget) for first, _ in measured],
        better="lower",
        peer="budget",
        peer_config=f"{budget:.0f} ms; all pixels exact after {exact:.0f} ms (median)",
    )


def _stages(exam: Path) -> list[tuple[float, float]]:
    """Return (painted, exact) in ms of the slowest stage of every round; the first round does not count."""
    with opened() as workstation:
        show(workstation, exam)
        settle(workstation)
        session = workstation.session
        rounds = []
        for _ in range(ROUNDS + 1):
            session.set_stage(0)
            times = [_timed(workstation, session.next_stage) for _ in range(session.screen.stages - 1)]
            rounds.append((max(first for first, _ in times), max(exact for _, exact in times)))
    return rounds[1:]


def _studies(worklist: Path) -> list[tuple[float, float]]:
    with opened() as workstation:
        show(workstation, worklist)
        settle(workstation)
        session = workstation.session
        rounds = []
        for number in range(ROUNDS + 1):
            key = session.screen.study.key
            rounds.append(_timed(workstation, session.previous_study if number % 2 else session.next_study))
            if session.screen.study.key == key:
                raise BenchmarkError("the next study did not come")
    return rounds[1:]


def _timed(workstation: Workstation, turn: Callable[[], None]) -> tuple[float, float]:
    """Return the ms from a key until all panes are painted, and until they are exact."""
    grid, application = workstation.window.grid, workstation.application
    settle(workstation)
    run_until(lambda: grid.loading[0] == grid.loading[1], 60, "exact panes")
    QTest.qWait(REST_MS)
    before = {view: view.raster.paintings for view in grid.viewports}
    start = time.perf_counter()
    turn()
    for _ in range(1000):
        panes = [grid.viewports[index] for index in grid.visible_panes]
        if all(view.raster.paintings > before.get(view, 0) or _is_empty(view) for view in panes):
            break
        application.processEvents()
    else:
        raise BenchmarkError("the panes were not painted")
    first = time.perf_counter() - start
    if any(not _is_empty(view) and view.scene.frame.refining for view in panes):
        raise BenchmarkError("a pane was painted that was not decoded before")
    run_until(lambda: grid.loading[0] == grid.loading[1], 60, "exact panes")
    return first * 1000, (time.perf_counter() - start) * 1000


def _is_empty(view) -> bool:  # type: ignore[no-untyped-def]
    return view.scene is None or view.scene.frame is None

"""``audit-next-case``: from the key to the image of the next case in the window of audits, made ready before.

The real window off-screen on real files (names for the four views of one made exam, so that each case is
read and decoded by itself), the cases in the order of their score: the next is of another exam. Each key
comes once nothing is decoded any more; timed is until the first pane is painted with the pixels of the new
case, whatever else the window shows of it (table, panel, plots) counted where it comes before. A first
painting may be a sketch of half the resolution, as in the reading window; what it then takes until all
pixels are exact is told beside it, and what it takes where nothing was made ready. The peer is the goal.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtTest import QTest

from app.ui.audit.window import AuditWindow
from benchmarks.audited import SIZE, audit_of, linked
from benchmarks.result import BenchmarkError, Result, judge
from benchmarks.workstation import run_until

ROWS, STEPS = 400, 20
GOAL_MS = 100.0
REST_MS = 200
"""How long the window rests between two keys, as under a reader's hand."""


def run(name: str, folder: Path) -> Result:
    """Measure each step beside the goal."""
    manifest, predictions = linked(folder, ROWS)
    with audit_of(folder, manifest, predictions) as window:
        window.audit.sort_by("score", True)
        window.audit.pick(int(window.audit.state.queue[0]))
        steps = [_step(window) for _ in range(STEPS + 1)][1:]
        far = _unprepared(window)
    exact = [exact for _, exact in steps]
    config = (
        f"goal, decoded in advance; views of 4096 x 3328 in JPEG 2000, window of {SIZE[0]} x {SIZE[1]}, one "
        f"pane for each of two models; slowest {max(first for first, _ in steps):.0f} ms; all pixels exact "
        f"after {statistics.median(exact):.0f} (slowest {max(exact):.0f}); a case that was not decoded in "
        f"advance: first look after {far:.0f} ms"
    )
    runs = [(first, GOAL_MS) for first, _ in steps]
    return judge(name, "ms until the first pane is painted", runs, better="lower", peer="goal",
                 peer_config=config)  # fmt: skip


def _step(window: AuditWindow) -> tuple[float, float]:
    """Return the ms from the key until the first pane shows the next case, and until it is exact."""
    _rest(window)
    queue, place = window.audit.state.queue, window.audit.state.place
    painted = _Painted(window, int(queue[place + 1]))
    QTest.keyClick(window, Qt.Key.Key_Space)
    first = painted.wait()
    if painted.refining:
        raise BenchmarkError("the next case was not there in advance")
    return first, painted.exact()


def _unprepared(window: AuditWindow) -> float:
    """Return the ms until something of a case far down the queue is painted."""
    _rest(window)
    row = int(window.audit.state.queue[ROWS // 2])
    painted = _Painted(window, row)
    window.table.chosen.emit(row)
    return painted.wait()


def _rest(window: AuditWindow) -> None:
    """Wait until nothing is decoded any more, small pictures included."""
    library = window.panes.library
    for _ in range(2):  # between the two headers may be read, of which the decoders know nothing
        run_until(lambda: not library.busy, 60, "the decoders")
        QTest.qWait(REST_MS)


class _Painted:
    """Waits for the first pane to paint the pixels of a case; made before the case is asked for.

    Attributes
    ----------
    seconds
        From the making until the case was painted first.
    refining
        Whether these pixels were of a reduced resolution of the file.
    """

    def __init__(self, window: AuditWindow, row: int) -> None:
        self._window, self._view, self._row = window, window.views[0], row
        self._loop = QEventLoop()
        self.seconds: float | None = None
        self.refining = False
        self._view.painted.connect(self._look)
        self._start = time.perf_counter()

    @property
    def is_sketch(self) -> bool:
        """Whether half the resolution was painted last."""
        return self._view._raster.is_sketch

    def wait(self) -> float:
        """Return the ms until the case was painted."""
        if self.seconds is None:
            QTimer.singleShot(20_000, self._loop.quit)
            self._loop.exec()
        self._view.painted.disconnect(self._look)
        if self.seconds is None:
            raise BenchmarkError("the next case was not painted")
        return 1000 * self.seconds

    def exact(self) -> float:
        """Return the ms until all its pixels were exact."""
        run_until(lambda: not self.is_sketch, 10, "exact pixels")
        return 1000 * (time.perf_counter() - self._start)

    def _look(self) -> None:
        case = self._window.panes.case
        if self.seconds is None and case is not None and case.row == self._row:
            self.seconds = time.perf_counter() - self._start
            frame, rows = self._view.frame, self._window.audit.state.table.rows
            if frame.image.path != rows[self._row].path:
                raise BenchmarkError("another image was painted")
            self.refining = frame.refining
            self._loop.quit()

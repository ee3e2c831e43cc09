"""``audit-scroll``: frames of the table of cases while it is scrolled, 50,000 rows with their small pictures.

The real window off-screen, its files real (names for the views of one made exam, so that every row is read
and decoded by itself). Sixty times a second the table is moved on, by a notch of the wheel, or by the scroll
bar dragged from the first row to the last; a frame is timed from when it was due until the table is painted:
whatever else the window's thread does meanwhile (answers of the decoders) makes it late. A frame that is
still being painted when the next is due costs that one. Off-screen everything is painted as on a screen,
into memory; what is not in it is the way from there to the display. The peer is the goal of 60 a second.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from app.ui.audit.table import CaseList
from app.ui.audit.window import AuditWindow
from benchmarks.audited import SIZE, audit_of, linked
from benchmarks.result import BenchmarkError, Result, judge
from benchmarks.workstation import run_until

ROWS, FRAMES, ROUNDS = 50_000, 240, 3
GOAL_MS = 1000 / 60
NOTCH = 120
REST_S = 60
THERE = 8
"""Screens whose small pictures are there before the table is moved over them to and fro."""
WAYS = ("wheel over pictures that are there", "wheel over new rows", "scroll bar from end to end")


@dataclass(frozen=True)
class Frames:
    """Frames of one way of scrolling: ms from when each was due, ms of the window's own thread, lost ones."""

    late: tuple[float, ...]
    own: tuple[float, ...]
    lost: int

    def told(self) -> str:
        """The median, the 99th percentile, the window's own work in a frame, and what was lost."""
        middle, high = np.percentile(self.late, (50, 99))
        return (
            f"{middle:.1f} and {high:.1f} ms (own work {np.median(self.own):.1f}), "
            f"{self.lost} of {len(self.late) + self.lost} frames lost"
        )


class _Paints(QObject):
    """Counts the paintings of the table."""

    def __init__(self, table: CaseList) -> None:
        super().__init__(table)
        self.count = 0
        table.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def run(name: str, folder: Path) -> Result:
    """Measure the slower of both ways beside the goal, by the 99th percentile of its frames."""
    manifest, predictions = linked(folder, ROWS)
    with audit_of(folder, manifest, predictions) as window:
        table, paints = window.table, _Paints(window.table)
        rounds: dict[str, list[Frames]] = {way: [] for way in WAYS}
        rests = []
        for turn in range(ROUNDS):
            bar = table.verticalScrollBar()
            start = bar.maximum() * (turn + 1) // (ROUNDS + 1)
            for screen in range(THERE):
                bar.setValue(start + screen * bar.pageStep())
                rests.append(_rested(window))
            rounds[WAYS[0]].append(_scrolled(paints, FRAMES, lambda frame: _swing(table, frame)))
            rounds[WAYS[1]].append(_scrolled(paints, FRAMES, lambda frame: _wheel(table, -NOTCH)))
            rests.append(_rested(window))
            rounds[WAYS[2]].append(_scrolled(paints, FRAMES, lambda frame: _drag(table, frame)))
            rests.append(_rested(window))
    slowest = max(rounds, key=lambda way: statistics.median(_high(frames) for frames in rounds[way]))
    told = "; ".join(f"{way} {_all(frames).told()}" for way, frames in rounds.items())
    config = (
        f"goal; {ROWS} rows, window of {SIZE[0]} x {SIZE[1]}, files of 4096 x 3328 in JPEG 2000; median and "
        f"99th percentile: {told}; all small pictures in sight {np.median(rests):.1f} s after coming to "
        f"rest, at most {max(rests):.1f}"
    )
    return judge(
        name,
        f"ms, 99th percentile of frames, {slowest}",
        [(_high(frames), GOAL_MS) for frames in rounds[slowest]],
        better="lower",
        peer="goal",
        peer_config=config,
    )


def _high(frames: Frames) -> float:
    return float(np.percentile(frames.late, 99))


def _all(rounds: Sequence[Frames]) -> Frames:
    return Frames(
        tuple(late for frames in rounds for late in frames.late),
        tuple(own for frames in rounds for own in frames.own),
        sum(frames.lost for frames in rounds),
    )


def _scrolled(paints: _Paints, count: int, move: Callable[[int], None]) -> Frames:
    """Move at sixty steps a second; `move` is told the number of the frame."""
    late, own, lost = [], [], 0
    start, worked = time.perf_counter(), time.thread_time()
    frame = 0
    while frame < count:
        due = start + frame * GOAL_MS / 1000
        _wait_until(due)
        before = paints.count
        move(frame)
        QApplication.processEvents()
        if paints.count == before:
            raise BenchmarkError("a step of scrolling was not painted")
        now, work = time.perf_counter(), time.thread_time()
        late.append(1000 * (now - due))
        own.append(1000 * (work - worked))
        worked = work
        behind = int((now - due) // (GOAL_MS / 1000))
        lost += behind
        frame += 1 + behind
    return Frames(tuple(late), tuple(own), lost)


def _wait_until(due: float) -> None:
    """Let the window work on whatever comes, until a frame is due."""
    left = due - time.perf_counter()
    if left > 0:
        loop = QEventLoop()
        timer = QTimer(loop, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(loop.quit)
        timer.start(round(1000 * left))
        loop.exec()


def _wheel(table: CaseList, angle: int) -> None:
    at = QPointF(table.viewport().rect().center())
    event = QWheelEvent(
        at, table.viewport().mapToGlobal(at), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(table.viewport(), event)


def _swing(table: CaseList, frame: int) -> None:
    """Move up over the screens whose pictures are there, and down again."""
    there = THERE * table.verticalScrollBar().pageStep() // 2 // _notch(table)
    _wheel(table, NOTCH if frame // there % 2 == 0 else -NOTCH)


def _notch(table: CaseList) -> int:
    """Return how far a notch of the wheel moves the table, in its pixels."""
    return QApplication.wheelScrollLines() * table.verticalScrollBar().singleStep()


def _drag(table: CaseList, frame: int) -> None:
    bar = table.verticalScrollBar()
    bar.setValue(bar.minimum() + 1 + (bar.maximum() - 1) * frame // (FRAMES - 1))


def _rested(window: AuditWindow) -> float:
    """Return the seconds until every row in sight has its small picture."""
    table, start = window.table, time.perf_counter()

    def there() -> bool:
        sight = range(table.rowAt(0), table.rowAt(table.viewport().height() - 1))
        cases = [table.cases.case(table.cases.index(row, 0)) for row in sight]
        return all(window.audit.thumbnail(case) is not None for case in cases)

    run_until(there, REST_S, "the small pictures in sight")
    return time.perf_counter() - start

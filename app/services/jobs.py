"""Work off the GUI thread: a job is a plain function ``work(*args, report)`` that knows no Qt.

Answers are delivered on the GUI thread, to bound methods of QObjects. A cancelled job emits nothing
but its end. This is the one place in the program that catches every exception.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from app.core.errors import Cancelled

Report = Callable[[int, int], None]
"""``report(done, total)``; raises `Cancelled` inside a cancelled job."""

REPORT_INTERVAL_S = 0.05

_log = logging.getLogger(__name__)


class JobSignals(QObject):
    """What a running job tells; each signal carries the job itself first.

    ``progress(job, done, total)``, ``done(job, result)``, ``failed(job, exception)``, and always at
    the end ``ended(job)``.
    """

    progress = Signal(object, int, int)
    done = Signal(object, object)
    failed = Signal(object, object)
    ended = Signal(object)


class Job(QRunnable):
    """One function call to be made on another thread.

    Parameters
    ----------
    work
        Called as ``work(*args, report=report)``.
    tag
        Anything by which the receiver knows the answer; kept as `tag`.
    """

    def __init__(self, work: Callable[..., Any], args: tuple[Any, ...] = (), tag: object = None) -> None:
        super().__init__()
        self.setAutoDelete(False)  # Python owns it: `Jobs` keeps the reference until it has ended
        self.signals = JobSignals()
        self.tag = tag
        self.cancelled = False
        self._work = work
        self._args = args
        self._reported = 0.0

    def cancel(self) -> None:
        """Ask the job to stop at its next report; nothing it finds is delivered."""
        self.cancelled = True

    def report(self, done: int, total: int) -> None:
        """Pass progress on, at most every 50 ms and at the end.

        Raises
        ------
        Cancelled
            When the job was cancelled.
        """
        if self.cancelled:
            raise Cancelled
        now = time.monotonic()
        if done >= total or now - self._reported >= REPORT_INTERVAL_S:
            self._reported = now
            self.signals.progress.emit(self, done, total)

    def run(self) -> None:
        """Do the work and tell the outcome; called by the thread pool."""
        try:
            self._run()
        finally:
            self.signals.ended.emit(self)

    def _run(self) -> None:
        if self.cancelled:
            return
        try:
            result = self._work(*self._args, report=self.report)
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001 - a job may run anything; whatever it raises becomes data
            # Only the place is logged: the message may hold a path with a patient's name in it.
            place = "".join(traceback.format_tb(error.__traceback__))
            _log.debug("job %s: %s\n%s", self._work.__name__, type(error).__name__, place)
            if not self.cancelled:
                self.signals.failed.emit(self, error)
            return
        if not self.cancelled:
            self.signals.done.emit(self, result)


class Jobs(QObject):
    """Runs jobs on its own threads and keeps each alive until it has ended.

    Parameters
    ----------
    threads
        How many jobs run at the same time.
    """

    def __init__(self, threads: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._alive: set[Job] = set()
        # The worker thread may still be leaving a job's run() when its end is told: keep it a little.
        self._ended: deque[Job] = deque(maxlen=2 * threads + 2)

    def start(
        self,
        job: Job,
        *,
        done: Callable[[Job, Any], None] | None = None,
        failed: Callable[[Job, Any], None] | None = None,
        progress: Callable[[Job, int, int], None] | None = None,
        ended: Callable[[Job], None] | None = None,
    ) -> Job:
        """Connect the receivers, then start the job.

        Parameters
        ----------
        done, failed, progress, ended
            Bound methods of QObjects of the GUI thread: Qt then delivers on that thread, and drops
            what would reach an object that is gone.

        Raises
        ------
        TypeError
            When a receiver is not a bound method of a QObject (it would run on the worker thread).
        """
        pairs = (
            (job.signals.done, done),
            (job.signals.failed, failed),
            (job.signals.progress, progress),
            (job.signals.ended, ended),
        )
        for signal, slot in pairs:
            if slot is None:
                continue
            if not isinstance(getattr(slot, "__self__", None), QObject):
                raise TypeError("a job answers to bound methods of QObjects only")
            signal.connect(slot)
        job.signals.ended.connect(self._forget)
        self._alive.add(job)
        self._pool.start(job)
        return job

    @property
    def running(self) -> int:
        """How many jobs have been started and have not ended."""
        return len(self._alive)

    def cancel(self) -> None:
        """Ask all jobs to stop."""
        for job in self._alive:
            job.cancel()

    def close(self, timeout_ms: int = 15000) -> bool:
        """Cancel all jobs and wait for their threads; True when all have ended in time."""
        self.cancel()
        return self._pool.waitForDone(timeout_ms)

    @Slot(object)
    def _forget(self, job: Job) -> None:
        self._alive.discard(job)
        self._ended.append(job)

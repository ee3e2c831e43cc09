"""The decoding threads: take requests in their order, answer on the GUI thread; know no cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from app.core.dicom.pixels import warm_up
from app.services.develop import decode_frame, decode_look, decode_thumbnail
from app.services.jobs import Job, Jobs, Report
from app.services.requests import BACKGROUND, Request, RequestQueue

THREADS = 2

_WORK = {"look": decode_look, "frame": decode_frame, "thumbnail": decode_thumbnail}


def start_decoders(report: Report) -> None:
    """Start the decoder processes, so that the first frame does not wait for them."""
    report(0, 1)
    warm_up()


class Decoding(QObject):
    """A queue of requests and the jobs that work on them.

    Signals
    -------
    decoded(Request, result)
        A FramePixels; None where there is no reduced resolution; or the small picture of a thumbnail.
    failed(Request, exception)

    Parameters
    ----------
    useful
        Asked when a request's turn comes: whether it is still worth the work.
    """

    decoded = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, useful: Callable[[Request], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.queue = RequestQueue()
        self._useful = useful
        self._jobs = Jobs(THREADS, self)
        self._running: dict[Job, Request] = {}

    @property
    def busy(self) -> bool:
        """True while anything is being decoded or waits for it."""
        return bool(self._running) or len(self.queue) > 0

    def warm_up(self) -> None:
        """Start the decoder processes in the background."""
        self._jobs.start(Job(start_decoders))

    def add(self, request: Request) -> None:
        """Queue a request, unless it is being worked on; nothing is started before `pump`."""
        running = (each for job, each in self._running.items() if not job.cancelled)
        if all(each.key != request.key for each in running):
            self.queue.add(request)

    def pump(self) -> None:
        """Start what there are threads for."""
        while len(self._running) < THREADS:
            background = not any(request.urgency in BACKGROUND for request in self._running.values())
            request = self.queue.pop(background=background)
            if request is None:
                return
            if self._useful(request):
                job = Job(_WORK[request.kind], (request.image, request.frame), tag=request)
                self._running[job] = request
                self._jobs.start(job, done=self._done, failed=self._failed, ended=self._ended)

    def forget(self, unwanted: Callable[[Request], bool] = lambda request: True) -> None:
        """Drop requests, waiting or being worked on: no answer to them is told any more."""
        self.queue.drop(unwanted)
        for job, request in self._running.items():
            if unwanted(request):
                job.cancel()

    def stop(self) -> None:
        """Drop everything and wait for the threads."""
        self.forget()
        self._jobs.close()

    @Slot(object, object)
    def _done(self, job: Job, result: Any) -> None:
        if not job.cancelled:  # it may have been while the answer was on its way
            self.decoded.emit(self._running[job], result)

    @Slot(object, object)
    def _failed(self, job: Job, error: Exception) -> None:
        if not job.cancelled:
            self.failed.emit(self._running[job], error)

    @Slot(object)
    def _ended(self, job: Job) -> None:
        self._running.pop(job, None)
        self.pump()

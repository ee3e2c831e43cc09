"""Models over a whole manifest: exams shared out to worker processes, each answer handed on as it comes.

An exam goes to one worker with all its images, so that the bundle's own aggregation holds, and the answer is
that of `predict_exam`. A worker decodes the next exam while its network is at work. A file that fails is
a failed image with its reason; a worker that is killed costs the exam it had twice in hand, nothing else.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Lock
from typing import cast

import cv2

from app.core.audit.cases import SaidBox, ViewSaid
from app.core.audit.kept import ExamRecord, failed_record
from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.errors import MammoviewError, ReadError
from app.core.imaging.image import Image
from app.core.manifest import ManifestError, Row, check_file, check_unchanged
from app.core.memory import keep_memory
from app.core.settings import Device
from app.core.spread import cores, spread
from app.core.stated import stated
from app.services.inference.process import (
    FAILURES,
    LookRequest,
    Predictors,
    bundle_digest,
    no_predictors,
    run_look,
)
from app.services.inference.views import model_view
from model_zoo.bundle import load_bundle
from model_zoo.contract import ExamPrediction, MammogramView, UnreadableView
from model_zoo.errors import ModelError
from model_zoo.spec import BundleSpec
from model_zoo.suitability import judge

AHEAD = 2
"""Exams in a worker's hands: one under the network, one being decoded."""

_POLL_S = 0.1
_AT_ONCE = nullcontext()
_KILLED = "the model's process ended unexpectedly, perhaps for lack of memory"


@dataclass(frozen=True, slots=True)
class ExamTask:
    """One exam to be looked at; `bundles` are places in the list of folders."""

    rows: tuple[Row, ...]
    bundles: tuple[int, ...]


Answered = tuple[tuple[int, ExamRecord], ...]
"""By place of the bundle, what it said."""
Take = Callable[[int, Answered, bool], None]
"""``take(number of the task, what was said, for good)``; not for good where a process was killed."""


def views_of(rows: Sequence[Row], specs: Sequence[BundleSpec]) -> list[MammogramView]:
    """Return the images of an exam for models; one that cannot be read takes part as unreadable.

    What all models (none named: none) refuse by its facts is not decoded.
    """
    return [_view(row, specs) for row in rows]


def _view(row: Row, specs: Sequence[BundleSpec]) -> MammogramView:
    image: Image | None = None
    try:
        check_unchanged(row) if row.sha256 else check_file(row)
        image = stated(read_image(row.path), row)
        facts = _unread(row, image, "was not decoded")
        if specs and all(judge(facts, spec.views, spec.domain).level == "refuse" for spec in specs):
            return facts
        stored = read_frame(image, row.frame).stored
        return model_view(complete(image, stored), stored, row.frame)
    except ReadError as error:
        return _unread(row, image, error.reason)
    except ManifestError as error:
        return _unread(row, image, str(error).removeprefix(f"{row.path}: "))


def _unread(row: Row, image: Image | None, reason: str) -> UnreadableView:
    return UnreadableView(
        uid=image.sop_uid if image else "",
        reason=reason,
        laterality=row.laterality or (image.laterality if image else None) or None,
        view=row.view or (image.view if image else None) or None,
        source=row.source or (image.source if image else "unknown"),
        intent=image.intent if image else None,
        frame=row.frame,
        implant=image.implant if image else False,
    )


def answer(
    folders: Sequence[Path],
    device: Device,
    task: ExamTask,
    views: Sequence[MammogramView],
    loaded: Predictors,
) -> Answered:
    """Return what the task's bundles say about its exam, in this process."""
    made = []
    for number in task.bundles:
        try:
            said = run_look(LookRequest(folders[number], device, tuple(views), False), _quiet, loaded)
            made.append((number, record_of(said)))
        except ModelError as error:
            made.append((number, failed_record(len(task.rows), str(error))))
    return tuple(made)


def _quiet(done: int, total: int) -> None:
    """Take progress that nobody watches: exams are counted, not images."""


def record_of(said: ExamPrediction) -> ExamRecord:
    """Return a prediction as it is kept."""
    views = tuple(
        ViewSaid(
            view.status,
            view.reason or "",
            view.score,
            tuple(SaidBox(box.label, box.score, box.box, box.calibrated) for box in view.findings),
            view.notes,
            dict(view.classes),
        )
        for view in said.views
    )
    uids = tuple(view.uid for view in said.views)
    return ExamRecord(views, uids, said.status, dict(said.breasts), said.exam_score, said.suitability)


def predict_all(
    tasks: Sequence[ExamTask],
    folders: Sequence[Path],
    take: Take,
    report: Callable[[int, int], None],
    *,
    device: Device = "auto",
    workers: int = 1,
    scheduler: str | None = None,
) -> None:
    """Look at all exams in worker processes, handing on each answer as it comes.

    Parameters
    ----------
    folders
        Bundles.
    take
        Called in this thread; what it raises ends the work.
    report
        Called as ``report(exams done, exams in all)`` at least every tenth of a second; what it raises
        (`Cancelled`) ends the work and the processes.
    workers
        Processes of this machine; the processors are shared out among them.
    scheduler
        Address of a dask scheduler, whose workers see files and bundles under the same paths; None: here.

    Raises
    ------
    MammoviewError
        A bundle is gone or refused; no cluster answers, or one of its workers was killed.
    """
    try:
        for folder in folders:
            load_bundle(folder)
    except ModelError as error:
        raise MammoviewError(str(error)) from error
    if scheduler is not None:
        _predict_far(tasks, tuple(folders), take, report, device, scheduler)
        return
    _predict_here(tasks, tuple(folders), take, report, device, workers)


def _predict_here(
    tasks: Sequence[ExamTask],
    folders: tuple[Path, ...],
    take: Take,
    report: Callable[[int, int], None],
    device: Device,
    workers: int,
) -> None:
    count = max(1, min(workers, len(tasks)))
    threads = max(1, cores() // count)
    hands = [_Hand(folders, device, threads) for _ in range(count)]
    rest = deque(enumerate(tasks))
    tries: dict[int, int] = {}
    done = 0
    try:
        while done < len(tasks):
            report(done, len(tasks))
            for hand in hands:
                while rest and len(hand.held) < AHEAD:
                    hand.give(*rest.popleft())
            for hand in _heard(hands):
                said = hand.hear()
                if said is not None:
                    take(said[0], said[1], True)
                    done += 1
                    continue
                first = True
                for number, task in hand.held.items():
                    # The oldest is the one that it died of; the others go back unharmed.
                    tries[number] = tries.get(number, 0) + first
                    if tries[number] >= 2:
                        lost = tuple((each, failed_record(len(task.rows), _KILLED)) for each in task.bundles)
                        take(number, lost, False)
                        done += 1
                    else:
                        rest.append((number, task))
                    first = False
                hand.renew()
        report(len(tasks), len(tasks))
    finally:
        for hand in hands:
            hand.stop()


Far = tuple[tuple[Path, ...], tuple[str, ...], Device, ExamTask]
"""Bundles, their hashes where the work was begun, and what is to be done with them."""
_far_networks: list[Predictors] = []
"""Of a cluster's worker: its networks stay loaded from one exam to the next."""
_far_turn = Lock()
"""A worker may have several threads: they decode side by side, and ask the networks in turn."""


def look_far(work: Far) -> Answered:
    """Look at one exam in a cluster's worker.

    Raises
    ------
    ModelError
        The worker has no such bundle, or another version of it: its answers would be another model's.
    """
    folders, digests, device, task = work
    for each in task.bundles:
        if bundle_digest(folders[each]) != digests[each]:
            raise ModelError(f"{folders[each]}: it has no model there, or another version of it")
    with _far_turn:
        if not _far_networks:
            _far_networks.append(no_predictors())
    specs = [load_bundle(folders[each]).spec for each in task.bundles]
    ready = partial(views_of, task.rows, specs)
    return _answered(folders, device, task, ready, _far_networks[0], _far_turn)


def _predict_far(
    tasks: Sequence[ExamTask],
    folders: tuple[Path, ...],
    take: Take,
    report: Callable[[int, int], None],
    device: Device,
    scheduler: str,
) -> None:
    digests = tuple(map(bundle_digest, folders))
    work: list[Far] = [(folders, digests, device, task) for task in tasks]
    done = 0

    def pulse() -> None:
        report(done, len(tasks))

    pulse()
    try:
        for number, said in spread(look_far, work, scheduler=scheduler, pulse=pulse):
            take(number, said, True)
            done += 1
            pulse()
    except ModelError as error:
        raise MammoviewError(f"a worker of {scheduler}: {error}") from error


def _heard(hands: Sequence[_Hand]) -> list[_Hand]:
    by_pipe = {hand.pipe: hand for hand in hands if hand.held}
    # No isinstance: a pipe of Windows is a PipeConnection, which is no Connection.
    return [by_pipe[cast(Connection, pipe)] for pipe in wait(list(by_pipe), _POLL_S)]


@dataclass(slots=True, eq=False)
class _Hand:
    """One worker process and the tasks it holds, oldest first."""

    folders: tuple[Path, ...]
    device: Device
    threads: int
    held: dict[int, ExamTask] = field(default_factory=dict)
    pipe: Connection = field(init=False)
    process: BaseProcess = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        # No daemon: native codecs run in processes of its own. It ends when its pipe does.
        self.process = context.Process(
            target=_serve, args=(theirs, self.folders, self.device, self.threads), name="mammoview-batch"
        )
        self.process.start()
        theirs.close()

    def give(self, number: int, task: ExamTask) -> None:
        self.held[number] = task
        with suppress(OSError):  # where it has died, `hear` says so
            self.pipe.send((number, task))

    def hear(self) -> tuple[int, Answered] | None:
        """Return an answer, or None where the process has died."""
        try:
            number, said = self.pipe.recv()
        except (EOFError, OSError):
            return None
        del self.held[number]
        return number, said

    def renew(self) -> None:
        self.stop()
        self.held = {}
        self._start()

    def stop(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join(3)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _serve(pipe: Connection, folders: tuple[Path, ...], device: Device, threads: int) -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    if hasattr(os, "nice"):
        os.nice(5)  # the window and whoever else works here go first
    keep_memory()
    cv2.setNumThreads(threads)
    import torch

    torch.set_num_threads(threads)
    _work(pipe, folders, device)


def _work(pipe: Connection, folders: tuple[Path, ...], device: Device) -> None:
    """Answer what comes through the pipe, until it is closed."""
    loaded = no_predictors()
    specs = [load_bundle(folder).spec for folder in folders]
    held: deque[tuple[int, ExamTask, Future[list[MammogramView]]]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as reader:
        try:
            while True:
                while not held or (len(held) < AHEAD and pipe.poll()):
                    number, task = pipe.recv()
                    asked = [specs[each] for each in task.bundles]
                    held.append((number, task, reader.submit(views_of, task.rows, asked)))
                number, task, views = held.popleft()
                pipe.send((number, _answered(folders, device, task, views.result, loaded)))
        except (EOFError, OSError):
            return  # whoever asked has gone


def _answered(
    folders: tuple[Path, ...],
    device: Device,
    task: ExamTask,
    views: Callable[[], list[MammogramView]],
    loaded: Predictors,
    turn: AbstractContextManager[object] = _AT_ONCE,
) -> Answered:
    try:
        found = views()
        with turn:
            return answer(folders, device, task, found, loaded)
    except (*FAILURES, cv2.error) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return tuple((each, failed_record(len(task.rows), text)) for each in task.bundles)

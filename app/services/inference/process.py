"""Networks run in a process of their own: torch never holds up the window.

A crash or out-of-memory there becomes one sentence here, cancelling is ending the process, and GPU
memory is given back when it ends. Started on the first look, kept for the next.
"""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.reading.inside import InsidePlace
from app.core.settings import Device
from app.services.inference.inside import PlaceRequest, VectorRequest, see, vector_of
from app.services.kept import Kept
from model_zoo.contract import ExamPrediction, MammogramView
from model_zoo.errors import ModelError
from model_zoo.verdicts import shown_method

FAILURES = (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What torch, numpy and the files beneath them raise."""

LOADED = 4
"""Most networks kept in memory; the least recently asked goes first."""

POLL_S = 0.05
"""How often a waiting caller is asked whether it wants to go on."""


@dataclass(frozen=True, slots=True, eq=False)
class LookRequest:
    """All that a look needs: nothing is fetched later.

    Attributes
    ----------
    folder
        The bundle.
    """

    folder: Path
    device: Device
    views: tuple[MammogramView, ...]
    heatmaps: bool = True


Vector = npt.NDArray[np.float32]
Predictors = Kept[tuple[Path, str, str], Any]
"""Loaded networks by (folder, hash of the bundle, device)."""


def no_predictors() -> Predictors:
    """Return an empty store of networks, to be passed to `run_look`."""
    return Kept(LOADED)


def bundle_digest(folder: Path) -> str:
    """Return the hash of a bundle: that of its bundle.json, in which its files' hashes stand."""
    try:
        return hashlib.sha256((folder / "bundle.json").read_bytes()).hexdigest()
    except OSError:
        return ""  # loading it says what is wrong, in a sentence


def run_look(
    request: LookRequest, report: Callable[[int, int], None], predictors: Predictors
) -> ExamPrediction:
    """Run a look in this process; `predictors` keeps loaded networks between calls.

    A bundle that was installed anew in the same folder is another one: its old network is dropped.

    Raises
    ------
    ModelError
        For whatever went wrong, in one sentence.
    """
    # torch is imported here, never before: the window's process does not come this way.
    from model_zoo.exam import predict_exam

    with _one_sentence(request.folder):
        predictor = _predictor(request.folder, request.device, predictors)
        wanted = request.heatmaps and shown_method(predictor.bundle.metrics)
        return predict_exam(predictor, request.views, heatmaps=wanted, report=report)


def run_inside(request: PlaceRequest, predictors: Predictors) -> InsidePlace:
    """Look into a network at a place, in this process; raises `ModelError` as `run_look` does."""
    with _one_sentence(request.folder):
        return see(request, _predictor(request.folder, request.device, predictors))


def run_vector(request: VectorRequest, predictors: Predictors) -> Vector | None:
    """Return an image's vector, in this process; raises `ModelError` as `run_look` does."""
    with _one_sentence(request.folder):
        return vector_of(request, _predictor(request.folder, request.device, predictors))


def _predictor(folder: Path, device: Device, predictors: Predictors) -> Any:
    from model_zoo.bundle import load_bundle
    from model_zoo.predictor import load_predictor

    key = (folder, bundle_digest(folder), device)
    predictor = predictors.get(key)
    if predictor is None:
        predictors.forget(lambda other: other[0] == folder and other[1] != key[1])
        predictor = predictors.put(key, load_predictor(load_bundle(folder), device))
    return predictor


@contextmanager
def _one_sentence(folder: Path) -> Iterator[None]:
    try:
        yield
    except (*FAILURES, cv2.error) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ModelError(f"{folder.name}: the model failed: {text}") from error


def _serve(connection: Connection) -> None:
    # What libraries print or warn of is not for the reader's terminal; the parent tells in one sentence.
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    predictors = no_predictors()
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return

        def report(done: int, total: int) -> None:
            connection.send(("progress", (done, total)))

        try:
            if isinstance(request, PlaceRequest):
                connection.send(("done", run_inside(request, predictors)))
            elif isinstance(request, VectorRequest):
                connection.send(("done", run_vector(request, predictors)))
            else:
                connection.send(("done", run_look(request, report, predictors)))
        except ModelError as error:
            # The sentence crosses the pipe; an error object of a native library might not unpickle.
            connection.send(("failed", str(error)))


class InferenceProcess:
    """The one child process that holds torch; used from one thread at a time."""

    def __init__(self) -> None:
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def look(self, request: LookRequest, report: Callable[[int, int], None]) -> ExamPrediction:
        """Run one look, blocking; raises `ModelError`, or what `report` raises to cancel."""
        answer: ExamPrediction = self._ask(request, len(request.views), report)
        return answer

    def inside(self, request: PlaceRequest, report: Callable[[int, int], None]) -> InsidePlace:
        """Look into a network at a place, blocking; raises as `look` does."""
        answer: InsidePlace = self._ask(request, 1, report)
        return answer

    def vector(self, request: VectorRequest, report: Callable[[int, int], None]) -> Vector | None:
        """Return an image's vector, blocking; raises as `look` does."""
        answer: Vector | None = self._ask(request, 1, report)
        return answer

    def _ask(self, request: object, total: int, report: Callable[[int, int], None]) -> Any:
        connection = self._ensure()
        try:
            connection.send(request)
            progress = (0, total)
            while True:
                if not connection.poll(POLL_S):
                    report(*progress)  # nothing new, but the caller may cancel while a network runs
                    continue
                kind, content = connection.recv()
                if kind == "done":
                    return content
                if kind == "failed":
                    raise ModelError(content)
                progress = content
                report(*progress)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self.stop()
            raise ModelError("the model's process ended unexpectedly, perhaps for lack of memory") from None
        except ModelError:
            raise
        except BaseException:
            self.stop()  # cancelled: whatever the network was doing is not wanted any more
            raise

    def _ensure(self) -> Connection:
        if self._process is not None and self._process.is_alive() and self._connection is not None:
            return self._connection
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True, name="mammoview-inference")
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        return ours

    def interrupt(self) -> None:
        """End what the process is asked, from another thread: the one that waits for it gets a `ModelError`.

        One that has only just started takes no request yet, and whoever sends it one cannot be cancelled.
        """
        process = self._process
        if process is not None:
            process.kill()

    def stop(self) -> None:
        """End the process; a later look starts a new one."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.terminate()
            self._process.join(2)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        self._process = self._connection = None

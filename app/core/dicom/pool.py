"""A few processes that decode frames, so that no file can take the window down.

Started when first needed, by spawn, also in a frozen program (``multiprocessing.freeze_support`` is the
first thing its main does). A worker that takes longer than the limit is killed and replaced; one that
crashes is replaced, and the frame is tried with the next decoder.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import sys
import threading
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.dicom.codecs import JPEG_2000, FrameJob, decode, decoders
from app.core.dicom.codestream import CodecError
from app.core.dicom.sharing import Block
from app.core.dicom.worker import READY, read_spans, serve

LIMIT_S = 10.0
"""Longest a frame may take: seconds of work, where the system tells them, else of waiting."""

_COMPANY_S = 0.004
"""How long a lone frame waits for others of its screen: side by side is better than one after the other."""

PATIENCE = 6
"""How many times the limit is waited for a worker that gets little of a busy machine."""

START_LIMIT_S = 60.0

_starting = threading.Lock()


class WorkerDiedError(Exception):
    """The decoder's process ended while it decoded."""


class Worker:
    """One decoder process and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs,), name="mammoview decoder", daemon=True)
        with _starting, _nameless_main():
            self._process.start()
        theirs.close()
        self._ready = False

    def decode(self, job: FrameJob, limit_s: float) -> npt.NDArray[Any]:
        """Return the frame, read-only and in shared memory.

        Raises
        ------
        CodecError
            The frame cannot be decoded; the worker lives on.
        WorkerDiedError, TimeoutError
            The worker is of no more use.
        """
        self._await_start()
        rows, columns = job.shape
        block = Block(rows * columns * 2)
        try:
            self._pipe.send((job, block.name))
            block.hand_over(self._pipe, self._process.pid or 0)
            self._await_answer(limit_s)
            problem = self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise WorkerDiedError from error
        finally:
            block.close()
        if problem is not None:
            raise CodecError(problem)
        values = np.frombuffer(block.memory, np.int16 if job.signed else np.uint16).reshape(job.shape)
        values.setflags(write=False)
        return values

    def _await_answer(self, limit_s: float) -> None:
        """Wait for a worker that works; raise `TimeoutError` for one that has worked too long, or idles."""
        began = last = _seconds_of_work(self._process.pid)
        for _ in range(PATIENCE):
            if self._pipe.poll(limit_s):
                return
            now = _seconds_of_work(self._process.pid)
            if began is None or last is None or now is None:
                break
            if now - began > 0.8 * limit_s or now - last < 0.02 * limit_s:
                break
            last = now
        raise TimeoutError

    def _await_start(self) -> None:
        if self._ready:
            return
        try:
            if not self._pipe.poll(START_LIMIT_S) or self._pipe.recv() != READY:
                raise WorkerDiedError
        except (EOFError, OSError) as error:
            raise WorkerDiedError from error
        self._ready = True

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.is_alive()

    def close(self, *, kill: bool = False) -> None:
        """End the process: it leaves when its pipe closes, or is killed."""
        self._pipe.close()
        if kill:
            self._process.kill()
        self._process.join(1.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)


class DecoderPool:
    """Decodes frames in at most `size` processes at once; callers wait in threads of their own.

    Parameters
    ----------
    size
        Number of processes; default: two, up to four where there are more cores.
    limit_s
        Seconds after which a frame is given up.
    """

    def __init__(self, size: int | None = None, limit_s: float = LIMIT_S) -> None:
        self.size = size or max(2, min(4, os.cpu_count() or 2))
        self.limit_s = limit_s
        self._slots = threading.BoundedSemaphore(self.size)
        self._idle: list[Worker] = []
        self._lock = threading.Lock()
        self._closed = False
        self._callers = 0

    def warm_up(self) -> None:
        """Start the processes without waiting for them."""
        with self._lock:
            missing = 0 if self._closed else self.size - len(self._idle)
        for _ in range(missing):
            if not self._slots.acquire(blocking=False):
                return
            try:
                self._put(Worker())
            finally:
                self._slots.release()

    def decode(self, job: FrameJob) -> npt.NDArray[Any]:
        """Return a frame's stored values, uint16 or int16, read-only.

        Raises
        ------
        CodecError
            It cannot be decoded: why, as a clause.
        """
        if multiprocessing.current_process().daemon:
            # A data loader's process may have no children; it is expendable itself.
            return _decode_here(job)
        with self._counted(), self._slots:
            job = replace(job, threads=self._threads(job))
            for skip in range(job.skip, max(1, len(decoders(job)))):
                worker = self._take()
                try:
                    values = worker.decode(replace(job, skip=skip), self.limit_s)
                except CodecError:
                    self._put(worker)
                    raise
                except TimeoutError as error:
                    worker.close(kill=True)
                    raise CodecError(
                        f"took longer than {self.limit_s:g} s to decode and was given up"
                    ) from error
                except WorkerDiedError:
                    worker.close(kill=True)
                    continue
                except (OSError, MemoryError) as error:
                    worker.close(kill=True)
                    raise CodecError("needs more memory to decode than there is") from error
                self._put(worker)
                return values
        raise CodecError("has compressed pixels that crash the decoder")

    def close(self) -> None:
        """End all idle processes; a frame still decoding ends with its process at exit."""
        with self._lock:
            self._closed = True
            workers, self._idle = self._idle, []
        for worker in workers:
            worker.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._callers += 1
        try:
            yield
        finally:
            with self._lock:
                self._callers -= 1

    def _threads(self, job: FrameJob) -> int:
        """Return this frame's share of the cores: all of them when no other frame is asked for."""
        if job.transfer_syntax not in JPEG_2000 or job.reduce:
            return 1
        if self._callers == 1:
            time.sleep(_COMPANY_S)
        return max(1, (os.cpu_count() or 1) // min(max(1, self._callers), self.size))

    def _take(self) -> Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.close()
        try:
            return Worker()
        except OSError as error:
            raise CodecError("cannot be decoded: the system starts no more processes") from error

    def _put(self, worker: Worker) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(worker)
                return
        worker.close()


def _decode_here(job: FrameJob) -> npt.NDArray[Any]:
    values = decode(read_spans(job), job)
    values.setflags(write=False)
    return values


def _seconds_of_work(pid: int | None) -> float | None:
    """Return the processor time of a process, None where the system has no /proc to tell it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Hide the main module while a process is spawned.

    The child would import it first (a test runner, a window with Qt, a script without a guard); a
    decoder needs none of it.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _after_fork() -> None:
    """Let a forked child begin anew: the lock may have been held by a thread that it does not have."""
    global _pools_lock
    _pools_lock = threading.Lock()
    _pools.clear()


_pools: dict[int, DecoderPool] = {}
_pools_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def shared_pool() -> DecoderPool:
    """Return this process's pool; a forked child gets one of its own."""
    with _pools_lock:
        pool = _pools.get(os.getpid())
        if pool is None:
            _pools.clear()
            pool = _pools[os.getpid()] = DecoderPool()
            atexit.register(pool.close)
        return pool

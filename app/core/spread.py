"""Work spread over a `concurrent.futures` executor: processes of this machine, or a dask cluster.

The work is the same function with the same arguments on either. It must be a plain function of a module,
and each result is taken as it comes.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from app.core.errors import MammoviewError

Item = TypeVar("Item")
Made = TypeVar("Made")

_EACH = 16
"""Pieces of work that are worth a process."""
_PATIENCE = 10
"""Seconds in which a cluster has to answer."""
_AHEAD = 4
"""Pieces per process handed over before the first comes back: memory stays small whatever the number."""
_POLL_S = 0.1
"""How often it is asked whether to go on, while a cluster is at work."""
_STRANGE = (ArithmeticError, AttributeError, ImportError, LookupError, MemoryError, OSError, RuntimeError,
            TypeError, ValueError)  # fmt: skip
"""What comes of an address at which something else answers, or that is none."""

Pulse = Callable[[], object]
"""Called while a cluster is waited for; what it raises ends the work."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    import cv2

    # Ctrl-C is answered by the process that waits; threads within a worker would fight for the same cores.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


class SpreadError(MammoviewError):
    """Work that could not be spread: no cluster, or a worker that was killed; one sentence."""


class ClusterError(SpreadError):
    """A dask cluster that cannot be used.

    Attributes
    ----------
    address, reason
        Of its scheduler, as it was given; a clause.
    """

    def __init__(self, address: str, reason: str) -> None:
        self.address, self.reason = address, reason
        super().__init__(f"--scheduler {address}: {reason}")


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int]]:
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    try:
        yield executor, workers
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str, pulse: Pulse) -> Iterator[tuple[Executor, int]]:
    try:
        import distributed
    except ImportError as error:
        raise ClusterError(
            address, "dask.distributed is not installed (pip install 'mammoview[cluster]')"
        ) from error
    for name in ("distributed", "distributed.client"):
        # It would write to stderr what is told in a sentence here.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    _need_scheduler(address, pulse)
    try:
        client: Any = cast(Any, distributed).Client(address, timeout=_PATIENCE, set_as_default=False)
    except _STRANGE as error:
        raise ClusterError(address, _SILENT) from error
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise ClusterError(address, "the cluster has no worker")
        yield client.get_executor(), workers


_SILENT = "no dask scheduler answers there"


def _need_scheduler(address: str, pulse: Pulse) -> None:
    """Raise ClusterError where no scheduler answers.

    A client is only made where one does: one that finds none waits for it again when it is collected as
    garbage, on whichever thread that happens.
    """
    try:
        # On Windows dask knows this kind of loop only.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as loop:
            kind = loop.run(_kind(address, pulse))
    except _STRANGE as error:
        raise ClusterError(address, _SILENT) from error
    if kind != "Scheduler":
        raise ClusterError(address, f"a dask {kind.lower()} answers there, no scheduler")


async def _kind(address: str, pulse: Pulse) -> str:
    """Return what answers at an address, in dask's word; raises whatever comes of it."""
    asking = asyncio.ensure_future(_identity(address))
    end = time.monotonic() + _PATIENCE
    while not asking.done():
        if time.monotonic() > end:
            raise TimeoutError
        pulse()
        await asyncio.wait({asking}, timeout=_POLL_S)
    return str(asking.result()["type"])


async def _identity(address: str) -> dict[str, Any]:
    from distributed.core import rpc

    async with cast(Any, rpc)(address, timeout=_PATIENCE) as asked:
        found: dict[str, Any] = await asked.identity()
        return found


def spread(
    work: Callable[[Item], Made],
    items: Sequence[Item],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    pulse: Pulse = lambda: None,
) -> Iterator[tuple[int, Made]]:
    """Give (number of the item, what the work returned) for every item, in the order they are done.

    Parameters
    ----------
    scheduler
        Address of a dask scheduler (``tcp://host:port``); None: processes of this machine.
    workers
        Processes here; None: as many as there are cores and as the work is worth. One or none: no
        other process, items in their order.
    pulse
        Called at least every tenth of a second while a cluster is waited for; what it raises ends the work.

    Raises
    ------
    SpreadError
        No cluster, or a worker that was killed; and whatever the work raises.
    """
    count = min(cores(), len(items) // _EACH) if workers is None else min(workers, len(items))
    if scheduler is None and count <= 1:
        for number, item in enumerate(items):
            yield number, work(item)
        return
    with _cluster(scheduler, pulse) if scheduler is not None else _processes(count) as (executor, hands):
        yield from _taken(work, items, executor, hands, pulse)


def _taken(
    work: Callable[[Item], Made], items: Sequence[Item], executor: Executor, hands: int, pulse: Pulse
) -> Iterator[tuple[int, Made]]:
    rest = iter(enumerate(items))
    under_way: dict[Future[Any], int] = {}
    try:
        while True:
            while len(under_way) < _AHEAD * hands and (following := next(rest, None)) is not None:
                under_way[executor.submit(work, following[1])] = following[0]
            if not under_way:
                return
            done, _ = wait(under_way, _POLL_S, FIRST_COMPLETED)
            for future in done:
                yield under_way.pop(future), _result(future)
            pulse()  # after: what it ends has been handed on as far as it was done
    except BrokenExecutor as error:
        raise SpreadError(_KILLED) from error
    finally:
        for future in under_way:
            future.cancel()


_KILLED = (
    "a worker process was killed (out of memory?); what is finished is kept: "
    "the same goes on from there, with fewer processes if memory is short"
)
_LOST = "the cluster no longer answers; what is finished is kept: once it is up, the same goes on from there"
_STRANGERS = (
    "the workers of the cluster do not know this work: the same Mammoview has to be installed on each of them"
)


def _result(future: Future[Made]) -> Made:
    try:
        return future.result()
    except Exception as error:  # dask's own errors have no class that could be named without importing it
        name = type(error).__name__
        if name == "KilledWorker":
            raise SpreadError(_KILLED) from error
        if name in ("FutureCancelledError", "CancelledError", "CommClosedError"):
            raise SpreadError(_LOST) from error
        if "deserialization of the task" in str(error):
            raise SpreadError(_STRANGERS) from error
        raise

"""Work spread over a `concurrent.futures` executor: processes of this machine, or a dask cluster.

The work is the same function with the same arguments on either. It must be a plain function of a module,
and each result is taken as it comes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
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


@contextmanager
def _processes(workers: int) -> Iterator[tuple[Executor, int]]:
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    try:
        yield executor, workers
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        import distributed
    except ImportError as error:
        raise SpreadError(
            "--scheduler: dask.distributed is not installed (pip install 'mammoview[cluster]')"
        ) from error
    try:
        client: Any = cast(Any, distributed).Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise SpreadError(f"--scheduler {address}: no dask scheduler answers there") from error
    with client:
        workers = sum(client.nthreads().values())
        if not workers:
            raise SpreadError(f"--scheduler {address}: the cluster has no worker")
        yield client.get_executor(), workers


def spread(
    work: Callable[[Item], Made],
    items: Sequence[Item],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
) -> Iterator[tuple[int, Made]]:
    """Give (number of the item, what the work returned) for every item, in the order they are done.

    Parameters
    ----------
    scheduler
        Address of a dask scheduler (``tcp://host:port``); None: processes of this machine.
    workers
        Processes here; None: as many as there are cores and as the work is worth. One or none: no
        other process, items in their order.

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
    with _cluster(scheduler) if scheduler is not None else _processes(count) as (executor, hands):
        yield from _taken(work, items, executor, hands)


def _taken(
    work: Callable[[Item], Made], items: Sequence[Item], executor: Executor, hands: int
) -> Iterator[tuple[int, Made]]:
    rest = iter(enumerate(items))
    under_way: dict[Future[Any], int] = {}
    try:
        while True:
            while len(under_way) < _AHEAD * hands and (following := next(rest, None)) is not None:
                under_way[executor.submit(work, following[1])] = following[0]
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield under_way.pop(future), _result(future)
    except BrokenExecutor as error:
        raise SpreadError(_KILLED) from error
    finally:
        for future in under_way:
            future.cancel()


_KILLED = (
    "a worker process was killed (out of memory?); what is finished is kept: "
    "the same command goes on from there, with fewer --workers if memory is short"
)


def _result(future: Future[Made]) -> Made:
    try:
        return future.result()
    except Exception as error:  # dask's own errors have no class that could be named without importing it
        if type(error).__name__ in ("KilledWorker", "FutureCancelledError", "CommClosedError"):
            raise SpreadError(_KILLED) from error
        raise

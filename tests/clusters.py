"""A real dask cluster for tests, on this machine and in this process: its workers are threads behind TCP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[Any]:
    """Give a cluster; the test is skipped where dask.distributed is not installed.

    Its `scheduler_address` is what ``--scheduler`` takes.
    """
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    # Half a minute is what a cluster would wait at its end for a scheduler that a test took away.
    hurried = dask.config.set({"distributed.comm.timeouts.connect": "2s"})
    with hurried, distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1",
        dashboard_address=None,
    ) as cluster:  # fmt: skip
        yield cluster

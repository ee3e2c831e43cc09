"""Work on a dask cluster: what answers at its address, and what becomes of work that is under way."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clusters import local_cluster

import app.core.spread
from app.core.errors import Cancelled
from app.core.spread import ClusterError, SpreadError, spread

pytest.importorskip("distributed")


def twice(number: int) -> int:
    return 2 * number


def slowly(number: int) -> int:
    time.sleep(0.2)
    return number


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.core.spread, "_PATIENCE", 0.5)


@pytest.fixture
def web_server() -> Iterator[str]:
    """The address of something else that answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            try:
                while True:
                    caller, _ = server.accept()
                    caller.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                    caller.close()
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{port}"
        server.shutdown(socket.SHUT_RDWR)


def test_a_cluster_s_answers_carry_the_number_of_their_item() -> None:
    with local_cluster() as cluster:
        assert dict(spread(twice, [3, 5, 7], scheduler=cluster.scheduler_address)) == {0: 6, 1: 10, 2: 14}


@pytest.mark.parametrize(
    "address", ["hello", "tcp://", "foo://x:1", "tls://127.0.0.1:9", "tcp://127.0.0.1:9"]
)
def test_where_nobody_answers_the_address_is_named(impatient, address: str) -> None:
    with pytest.raises(ClusterError) as caught:
        list(spread(twice, [1], scheduler=address))
    assert (caught.value.address, caught.value.reason) == (address, "no dask scheduler answers there")


def test_something_else_that_answers_is_no_cluster(impatient, web_server: str) -> None:
    with pytest.raises(ClusterError, match="no dask scheduler answers there"):
        list(spread(twice, [1], scheduler=web_server))


def test_a_worker_is_no_scheduler_and_a_scheduler_needs_one() -> None:
    with local_cluster(1) as cluster:
        (worker,) = cluster.workers.values()
        with pytest.raises(ClusterError, match="a dask worker answers there, no scheduler"):
            list(spread(twice, [1], scheduler=worker.address))
    with local_cluster(0) as cluster, pytest.raises(ClusterError, match="the cluster has no worker"):
        list(spread(twice, [1], scheduler=cluster.scheduler_address))


def test_without_dask_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"tcp://a:1: .*pip install 'mammoview\[cluster\]'"):
        list(spread(twice, [1], scheduler="tcp://a:1"))


def stop_at_once() -> None:
    raise Cancelled


def test_waiting_for_a_scheduler_that_is_silent_can_be_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(Cancelled):
        list(spread(twice, [1], scheduler="tcp://127.0.0.1:9", pulse=stop_at_once))
    assert time.monotonic() - began < app.core.spread._PATIENCE


def test_waiting_for_a_worker_can_be_stopped() -> None:
    asked = []

    def stop() -> None:
        asked.append(None)
        if len(asked) > 5:
            raise Cancelled

    with local_cluster(1) as cluster:
        (worker,) = cluster.workers.values()
        cluster.sync(_hold, worker)
        with pytest.raises(Cancelled):
            list(spread(twice, [1], scheduler=cluster.scheduler_address, pulse=stop))


async def _hold(worker: Any) -> None:
    """Let a worker take no task: work that it is given is never done."""
    worker.handle_stimulus = lambda *stimuli: None


def test_a_scheduler_that_goes_away_is_one_sentence_and_what_came_before_stays() -> None:
    with local_cluster(1) as cluster:
        coming = spread(slowly, range(20), scheduler=cluster.scheduler_address)
        assert next(coming) == (0, 0)
        cluster.sync(cluster.scheduler.close)
        with pytest.raises(SpreadError, match="no longer answers; what is finished is kept"):
            list(coming)

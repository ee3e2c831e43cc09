"""The process that runs networks, ended while it is asked."""

from __future__ import annotations

import os
import signal
import threading
import time
from multiprocessing.process import BaseProcess

import numpy as np

from app.services.inference.process import InferenceProcess
from model_zoo.errors import ModelError

MORE_THAN_A_PIPE_HOLDS = np.zeros(8_000_000, np.uint8)


class Halted(InferenceProcess):
    """A process that is halted as soon as it runs: it takes no request, as one that is still starting."""

    def _ensure(self):
        connection = super()._ensure()
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        return connection


def test_a_request_that_is_not_taken_yet_is_ended_from_another_thread() -> None:
    process, raised = Halted(), []

    def ask() -> None:
        try:
            process.vector(MORE_THAN_A_PIPE_HOLDS, lambda done, total: None)
        except ModelError as error:
            raised.append(str(error))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    while process._connection is None:
        time.sleep(0.01)
    child: BaseProcess = process._process
    asking.join(0.5)
    assert asking.is_alive(), "it waits for the process"
    process.interrupt()
    asking.join(20)
    assert not asking.is_alive()
    assert len(raised) == 1
    assert not child.is_alive()


def test_where_nothing_runs_there_is_nothing_to_end() -> None:
    process = InferenceProcess()
    process.interrupt()
    process.stop()

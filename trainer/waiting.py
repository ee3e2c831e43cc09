"""How long a training waits for its data: the time within the loader's ``next``."""

from __future__ import annotations

import time

from lightning.pytorch.profilers import Profiler

_NEXT = "train_dataloader_next"


class Waiting(Profiler):  # type: ignore[misc]
    """Adds up what Lightning spends on fetching training batches, and nothing else.

    On a GPU the queue of work goes on meanwhile: the share is then at most that.

    Attributes
    ----------
    seconds
        Waited since `begin`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._began = time.perf_counter()
        self._since = self._began

    def begin(self) -> None:
        """Start from nothing, at the beginning of an epoch."""
        self.seconds = 0.0
        self._began = time.perf_counter()

    def share(self) -> float:
        """Return the share of the time since `begin` that was spent waiting, 0..1."""
        return min(1.0, self.seconds / max(time.perf_counter() - self._began, 1e-9))

    def start(self, action_name: str) -> None:
        """Note when a batch is asked for."""
        if action_name.endswith(_NEXT):
            self._since = time.perf_counter()

    def stop(self, action_name: str) -> None:
        """Note that it has come."""
        if action_name.endswith(_NEXT):
            self.seconds += time.perf_counter() - self._since

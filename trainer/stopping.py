"""A training that is asked to stop: it ends the batch in hand, keeps a checkpoint and says so."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import lightning

from trainer.checkpoints import stopped_path
from trainer.errors import TrainerError
from trainer.processes import leads, stop_now


class StoppedError(TrainerError):
    """A training that a signal has ended, with a checkpoint."""


def _signals() -> tuple[signal.Signals, ...]:
    asked: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    # SLURM sends it before the time is up (sbatch --signal=USR1@120).
    return (*asked, signal.SIGUSR1) if "SLURM_JOB_ID" in os.environ and hasattr(signal, "SIGUSR1") else asked


class StopOnSignal(lightning.Callback):  # type: ignore[misc]
    """Ends a training at the next whole step after SIGINT or SIGTERM; a second one ends it at once.

    Lightning puts the handlers that it found back when the training ends.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._asked = False

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Take over the signals, after Lightning has."""
        if threading.current_thread() is threading.main_thread():
            for one in _signals():
                signal.signal(one, self._hear)

    def _hear(self, number: int, frame: Any) -> None:
        self._asked = True
        for one in _signals():
            signal.signal(one, stop_now)
        if leads() and sys.stdout.isatty():
            print("Stopping after this batch; a second signal stops at once.", flush=True)

    def _all_asked(self, trainer: Any) -> bool:
        """Return whether any process was asked: all of them stop at the same step."""
        if trainer.world_size == 1:
            return self._asked
        return bool(trainer.strategy.reduce_boolean_decision(self._asked, all=False))

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, step: int) -> None:
        """Keep the middle of the epoch; at its end the epoch's own checkpoint is awaited."""
        whole_step = (step + 1) % trainer.accumulate_grad_batches == 0
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if whole_step and not last and self._all_asked(trainer):
            trainer.save_checkpoint(stopped_path(self.folder))
            raise StoppedError(
                f"{self.folder}: interrupted; --resume goes on after batch {step + 1} "
                f"of epoch {trainer.current_epoch + 1}"
            )

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Stop between two epochs; the first of them has its checkpoint."""
        if trainer.current_epoch and trainer.is_global_zero:
            stopped_path(self.folder).unlink(missing_ok=True)
        if self._all_asked(trainer):
            raise StoppedError(
                f"{self.folder}: interrupted; --resume goes on after epoch {trainer.current_epoch}"
            )

    def on_train_end(self, trainer: Any, module: Any) -> None:
        """Leave nothing half-way in a run folder that is done."""
        if trainer.is_global_zero:
            stopped_path(self.folder).unlink(missing_ok=True)

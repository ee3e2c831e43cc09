"""Events of a training in progress: what Lightning tells, as lines for another program."""

from __future__ import annotations

import math
import time
from typing import Any

import lightning

from trainer.events import Events

_STEP_SECONDS = 1.0
"""Step events are written no more often than this."""


def number(value: Any) -> float | None:
    """Return a number as JSON has it: None where it is none, or infinite."""
    found = float(value)
    return found if math.isfinite(found) else None


class EventCallback(lightning.Callback):  # type: ignore[misc]
    """Writes what happens in a Lightning training as events."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self._began = time.monotonic()
        self._last = 0.0

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Remember when the epoch began."""
        self._began = time.monotonic()

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, step: int) -> None:
        """Write a step, at most one a second."""
        now = time.monotonic()
        if trainer.is_global_zero and now - self._last >= _STEP_SECONDS:
            self._last = now
            loss = outputs["loss"] if isinstance(outputs, dict) else outputs
            self.events.write(
                "step",
                epoch=trainer.current_epoch,
                step=step + 1,
                steps=int(trainer.num_training_batches),
                loss=number(loss),
            )

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Write the epoch with every metric logged, and warn of a training that says one thing only."""
        if not trainer.is_global_zero:
            return
        metrics = {name: number(value) for name, value in trainer.callback_metrics.items()}
        seconds = round(time.monotonic() - self._began, 2)
        self.events.write(
            "epoch", epoch=trainer.current_epoch, epochs=trainer.max_epochs, seconds=seconds, metrics=metrics
        )
        spread = metrics.get("val_spread")
        if spread is not None and spread < 1e-3 and trainer.current_epoch > 0:
            self.events.write(
                "warning", message="the classifier gives every image of the val part the same score"
            )

    def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: Any) -> None:
        """Write that a checkpoint is being saved."""
        if trainer.is_global_zero:
            self.events.write("checkpoint", epoch=trainer.current_epoch)

"""JSON-lines events, so that another program (the workstation) can follow a training."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import lightning

from trainer.errors import TrainerError

_STEP_SECONDS = 1.0
"""Step events are written no more often than this."""


class Events:
    """A file of events, one JSON object a line: ``t`` (seconds since 1970), ``kind``, and facts.

    Parameters
    ----------
    path
        Appended to; None writes nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.open("a", encoding="utf-8").close()
            except OSError as error:
                raise TrainerError(f"{path}: events cannot be written ({error.strerror})") from error

    def write(self, kind: str, **facts: Any) -> None:
        """Append one event: start, epoch, step, metric, warning, checkpoint, done or failed."""
        if self.path is None:
            return
        line = json.dumps({"t": round(time.time(), 3), "kind": kind, **facts})
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def _number(value: Any) -> float | None:
    number = float(value)
    return number if number == number else None


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
                loss=_number(loss),
            )

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Write the epoch with every metric logged, and warn of a training that says one thing only."""
        if not trainer.is_global_zero:
            return
        metrics = {name: _number(value) for name, value in trainer.callback_metrics.items()}
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

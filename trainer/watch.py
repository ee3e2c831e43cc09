"""Events of a training in progress: what Lightning tells, as lines for another program."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from trainer.alarms import Scored, Watch, input_range
from trainer.events import Events
from trainer.waiting import Waiting

_STEP_SECONDS = 1.0
"""Step events are written no more often than this."""


_Seen = tuple[Tensor, Tensor]


def _scored(seen: list[_Seen]) -> Scored | None:
    """Return the logits and truth of all batches; None without any, or where one is no number."""
    if not seen:
        return None
    logits = torch.cat([one for one, _ in seen]).float().cpu().numpy().astype(np.float64)
    positive = torch.cat([one for _, one in seen]).cpu().numpy() > 0.5
    return Scored(positive, logits) if np.isfinite(logits).all() else None


def number(value: Any) -> float | None:
    """Return a number as JSON has it: None where it is none, or infinite."""
    found = float(value)
    return found if math.isfinite(found) else None


def _done(trainer: Any, batches: int) -> float:
    """Return the share of the training that is done, 0..1, with so many batches of the present epoch."""
    within = batches / max(1, int(trainer.num_training_batches))
    return float((trainer.current_epoch + within) / trainer.max_epochs)


class EventCallback(lightning.Callback):  # type: ignore[misc]
    """Writes what happens in a Lightning training as events."""

    def __init__(self, events: Events, waiting: Waiting) -> None:
        self.events = events
        self.waiting = waiting
        self._began = time.monotonic()
        self._session: tuple[float, float] | None = None
        self._last = 0.0
        self._share = 0.0
        self._watch: Watch | None = None
        self._train: list[_Seen] = []
        self._val: list[_Seen] = []
        self._looked = False

    def on_train_start(self, trainer: Any, module: Any) -> None:
        """Begin; a training that goes on within an epoch is not told of that epoch's start."""
        self._watch = Watch(scores=module.recipe.train.image_weight > 0)
        self.waiting.begin()

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        """Remember when the epoch began."""
        self._began = time.monotonic()
        self.waiting.begin()
        self._share = 0.0
        self._train.clear()
        self._val.clear()

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, step: int) -> None:
        """Look once at what the network is shown, before augmentation."""
        if self._session is None:
            self._session = (time.monotonic(), _done(trainer, step))
        if self._looked or not trainer.is_global_zero:
            return
        self._looked = True
        pixels, mask = (one.float().cpu().numpy() for one in (batch.pixels, batch.mask))
        said = input_range(pixels.astype(np.float64), mask > 0, module.recipe.preprocess.normalise)
        if said is not None:
            self._warn(said)

    def _warn(self, sentence: str) -> None:
        """Tell other programs, the log and whoever looks on."""
        self.events.write("warning", message=sentence)
        logging.getLogger("trainer").warning(sentence)
        print(f"Warning: {sentence}.", flush=True)

    def on_validation_batch_end(
        self, trainer: Any, module: Any, outputs: Any, batch: Any, step: int, loader: int = 0
    ) -> None:
        """Keep what the classifier said."""
        if trainer.is_global_zero and outputs and "logits" in outputs:
            self._val.append((outputs["logits"], outputs["positive"]))

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, step: int) -> None:
        """Write a step, at most one a second."""
        now = time.monotonic()
        self._share = self.waiting.share()
        if trainer.is_global_zero and isinstance(outputs, dict) and "logits" in outputs:
            self._train.append((outputs["logits"].detach(), outputs["positive"]))
        if trainer.is_global_zero and now - self._last >= _STEP_SECONDS:
            self._last = now
            loss = outputs["loss"] if isinstance(outputs, dict) else outputs
            self.events.write(
                "step",
                epoch=trainer.current_epoch,
                epochs=trainer.max_epochs,
                step=step + 1,
                steps=int(trainer.num_training_batches),
                loss=number(loss),
                data_wait=round(self._share, 4),
                left_s=self._left(_done(trainer, step + 1)),
            )

    def _left(self, done: float) -> float | None:
        """Return the seconds that are left at this session's pace, if no early stop comes."""
        began, before = self._session or (time.monotonic(), done)
        if done <= before:
            return None
        return round((time.monotonic() - began) / (done - before) * (1 - done), 1)

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Write the epoch with every metric logged, and warn of a training that only seems to learn."""
        module.log("data_wait", self._share, rank_zero_only=True)
        if not trainer.is_global_zero:
            return
        metrics = {name: number(value) for name, value in trainer.callback_metrics.items()}
        metrics["data_wait"] = round(self._share, 4)
        seconds = round(time.monotonic() - self._began, 2)
        self.events.write(
            "epoch",
            epoch=trainer.current_epoch,
            epochs=trainer.max_epochs,
            seconds=seconds,
            metrics=metrics,
            left_s=self._left(_done(trainer, int(trainer.num_training_batches))),
        )
        if self._watch is not None:
            train, val = _scored(self._train), _scored(self._val)
            for said in self._watch.after_epoch(trainer.current_epoch, train, val):
                self._warn(said)

    def on_save_checkpoint(self, trainer: Any, module: Any, checkpoint: Any) -> None:
        """Write that a checkpoint is being saved."""
        if trainer.is_global_zero:
            self.events.write("checkpoint", epoch=trainer.current_epoch)

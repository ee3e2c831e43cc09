"""What a training says of itself, folded into one frozen picture: curves, warnings, time left.

The trainer appends JSON lines (docs/trainer.md). A line that is not understood is passed over; one that is
still being written is read the next time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

MOST_POINTS = 4000
"""Points of the loss curve that are kept; of more every second one goes."""
MOST_WARNINGS = 50
RECENT_EPOCHS = 5
"""Epochs that say how long the next ones take."""

ENOUGH_EPOCHS = 3
"""Epochs before their median is trusted more than the trainer's word."""

Point = tuple[float, float]
"""(epochs done, value)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch, epochs
        Epochs done, and to do in all (0: not known yet).
    step, steps
        Batches done of the present epoch, and in it.
    loss
        Of batches, at most one a second.
    metrics
        By name, one point an epoch.
    seconds
        How long each epoch took.
    left_s
        Seconds to the end as the trainer says them itself; None: it does not.
    prepared
        Images prepared so far, and to prepare; (0, 0): nothing is being prepared.
    at
        When the last event was written, seconds since 1970.
    """

    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    loss: tuple[Point, ...] = ()
    metrics: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)
    seconds: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()
    left_s: float | None = None
    failed: str = ""
    done: bool = False
    damaged: int = 0
    prepared: tuple[int, int] = (0, 0)
    at: float = 0.0

    @property
    def fraction(self) -> float:
        """Share of the training that is done, 0..1."""
        if self.done:
            return 1.0
        if self.epochs <= 0:
            return 0.0
        return min(1.0, (self.epoch + self._within) / self.epochs)

    @property
    def _within(self) -> float:
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    def time_left(self) -> float | None:
        """Return seconds to the end of the training; None before anything can be said.

        The median of the last epochs times what is left: a pause lengthens one epoch only, and the median
        does not follow it. In the first epochs the trainer's own word.
        """
        if self.done:
            return 0.0
        if len(self.seconds) < ENOUGH_EPOCHS and self.left_s is not None:
            return self.left_s
        if not self.seconds or not self.epochs:
            return None
        left = max(0.0, self.epochs - self.epoch - self._within)
        return left * median(self.seconds[-RECENT_EPOCHS:])


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def _whole(value: Any, otherwise: int) -> int:
    number = _number(value)
    return otherwise if number is None else int(number)


def after(progress: Progress, event: Mapping[str, Any]) -> Progress:
    """Return the picture after one event; kinds that are not known change nothing but the time."""
    kind = event.get("kind")
    progress = replace(progress, at=_number(event.get("t")) or progress.at)
    told = _number(event.get("left_s"))
    if told is not None:
        progress = replace(progress, left_s=told)
    if kind == "start":
        epochs = _whole(event.get("epochs"), progress.epochs)
        return replace(progress, failed="", done=False, left_s=None, prepared=(0, 0), epochs=epochs)
    if kind == "metric" and event.get("name") == "prepared":
        return replace(progress, prepared=(_whole(event.get("value"), 0), _whole(event.get("total"), 0)))
    if kind == "step":
        return _step(progress, event)
    if kind == "epoch":
        return _epoch(progress, event)
    if kind == "warning":
        said = str(event.get("message", ""))
        return replace(progress, warnings=(*progress.warnings, said)[-MOST_WARNINGS:]) if said else progress
    if kind == "failed":
        return replace(progress, failed=str(event.get("message", "")) or "it failed")
    if kind == "done":
        return replace(progress, done=True, epoch=_whole(event.get("epochs"), progress.epoch), step=0)
    return progress


def _step(progress: Progress, event: Mapping[str, Any]) -> Progress:
    epoch, step = _whole(event.get("epoch"), progress.epoch), _whole(event.get("step"), progress.step)
    steps = _whole(event.get("steps"), progress.steps)
    epochs = _whole(event.get("epochs"), progress.epochs)
    progress = replace(progress, epoch=epoch, step=step, steps=steps, epochs=epochs)
    loss = _number(event.get("loss"))
    if loss is None:
        return progress
    place = epoch + (step / steps if steps else 0.0)
    # After a resumption what came after the last checkpoint is trained again, and drawn again.
    kept = progress.loss
    while kept and kept[-1][0] >= place:
        kept = kept[: _before(kept, place)]
    kept = (*kept, (place, loss))
    return replace(progress, loss=kept[::2] if len(kept) > MOST_POINTS else kept)


def _before(points: tuple[Point, ...], place: float) -> int:
    return sum(1 for at, _ in points if at < place)


def _epoch(progress: Progress, event: Mapping[str, Any]) -> Progress:
    number = _whole(event.get("epoch"), progress.epoch)
    place = float(number + 1)
    metrics = {name: tuple(p for p in points if p[0] < place) for name, points in progress.metrics.items()}
    said = event.get("metrics")
    for name, value in said.items() if isinstance(said, dict) else ():
        found = _number(value)
        if found is not None:
            metrics[str(name)] = (*metrics.get(str(name), ()), (place, found))
    seconds = _number(event.get("seconds"))
    return replace(
        progress,
        epoch=number + 1,
        epochs=_whole(event.get("epochs"), progress.epochs),
        step=0,
        metrics=metrics,
        seconds=(*progress.seconds, seconds) if seconds is not None else progress.seconds,
    )


class EventReader:
    """Follows one file of events; `read` returns the picture so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self.progress = Progress()

    def read(self) -> Progress:
        """Take what was written since the last time; a file that is missing says nothing."""
        try:
            with self._path.open("rb") as stream:
                size = stream.seek(0, 2)
                if size < self._offset:  # another file under the name
                    self._offset, self.progress = 0, Progress()
                stream.seek(self._offset)
                text = stream.read()
        except OSError:
            return self.progress
        whole, _, _ = text.rpartition(b"\n")
        if whole:
            self._offset += len(whole) + 1
            for line in whole.split(b"\n"):
                self._take(line)
        return self.progress

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict):
            self.progress = after(self.progress, event)
        else:
            self.progress = replace(self.progress, damaged=self.progress.damaged + 1)

"""Trainings as a service of the window: begin, follow, pause, stop, resume, promote; nothing waits here.

The trainings themselves are processes that know nothing of this object: it can go and come back.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.errors import MammoviewError
from app.services.jobs import Job as Work
from app.services.jobs import Jobs
from app.services.training import asked
from app.services.training.asked import Choices, Wish
from app.services.training.frozen import FrozenTest
from app.services.training.history import Entry
from app.services.training.job import Job
from app.services.training.look import Broken, JobView, Looker

LOOK_MS: Final = 700


class Training(QObject):
    """Follows all trainings of this data folder and does what is asked of them, off the GUI thread.

    Signals
    -------
    changed(tuple of JobView or Broken)
        Whenever they were looked at and are not as before, the newest first.
    choices_changed(Choices)
    began(str)
        The id of a training that was begun.
    exchanged(Entry)
        A model was promoted or demoted: the reading set may be another one.
    failed(str)
        Why something that was asked could not be done, in one sentence.
    """

    changed = Signal(object)
    choices_changed = Signal(object)
    began = Signal(str)
    exchanged = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = Jobs(1, self)
        self._looker = Looker()
        self._views: tuple[JobView | Broken, ...] = ()
        self._looking = False
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    @property
    def views(self) -> tuple[JobView | Broken, ...]:
        """All trainings as they stood when they were looked at last."""
        return self._views

    def follow(self, on: bool) -> None:
        """Look at the trainings every `LOOK_MS`, or no more: nothing is asked of the disk in vain."""
        if on and not self._timer.isActive():
            self._timer.start()
            self.look()
        elif not on:
            self._timer.stop()

    @Slot()
    def look(self) -> None:
        """Look at all trainings once."""
        if not self._looking:
            self._looking = True
            self._jobs.start(Work(asked.look, (self._looker,)), done=self._looked, ended=self._look_ended)

    @Slot(object, object)
    def _looked(self, work: Work, views: tuple[JobView | Broken, ...]) -> None:
        if views != self._views:
            self._views = views
            self.changed.emit(views)

    @Slot(object)
    def _look_ended(self, work: Work) -> None:
        self._looking = False

    # What is asked

    def list_choices(self) -> None:
        """Look up recipes, frozen tests, models and history; answered by `choices_changed`."""
        self._jobs.start(Work(asked.choices), done=self._chose, failed=self._could_not)

    def begin(self, wish: Wish) -> None:
        """Check a wish and start its training; answered by `began` or `failed`."""
        self._do(asked.begin, wish)

    def freeze(self, name: str, manifest: Path, splits: Path | None, fold: int, who: str) -> None:
        """Choose a frozen test once; without splits the trainer divides the manifest's patients."""
        self._do(asked.freeze, name, manifest, splits, fold, who)

    def pause(self, name: str) -> None:
        """Stop a training for a while, with everything that it started."""
        self._do(asked.tell, name, "pause")

    def go_on(self, name: str) -> None:
        """Let a training go on that was paused, or that had ended before its time."""
        self._do(asked.go_on, name)

    def stop(self, name: str) -> None:
        """Ask a training to end; what it has learnt up to its last epoch is kept."""
        self._do(asked.tell, name, "stop")

    def promote(self, name: str, why: str, who: str, *, compared: bool) -> None:
        """Put the model of a training into use; answered by `exchanged` or `failed`."""
        self._do(asked.promote, name, why, who, compared)

    def demote(self, model: str, why: str, who: str) -> None:
        """Bring back what was in use before; answered by `exchanged` or `failed`."""
        self._do(asked.demote, model, why, who)

    def decline(self, name: str, why: str, who: str) -> None:
        """Write down that a model was not promoted."""
        self._do(asked.decline, name, why, who)

    def close(self) -> None:
        """End what works in this process; the trainings go on."""
        self._timer.stop()
        self._jobs.close(5000)

    def _do(self, work: Callable[..., Any], *facts: Any) -> None:
        self._jobs.start(Work(work, facts), done=self._did, failed=self._could_not)

    @Slot(object, object)
    def _did(self, work: Work, answer: object) -> None:
        if isinstance(answer, Job):
            self.began.emit(answer.id)
        elif isinstance(answer, Entry) and answer.action in ("promoted", "demoted"):
            self.exchanged.emit(answer)
        if isinstance(answer, (Entry, FrozenTest)):
            self.list_choices()
        self.look()

    @Slot(object, object)
    def _chose(self, work: Work, choices: Choices) -> None:
        self.choices_changed.emit(choices)

    @Slot(object, object)
    def _could_not(self, work: Work, error: Exception) -> None:
        known = isinstance(error, MammoviewError)
        self.failed.emit(str(error) if known else f"that could not be done ({type(error).__name__}: {error})")
        self.look()

"""The items on screen as they will be once written, and their way to disk: in order, off the GUI thread.

A change is seen at once and is pending until the store has confirmed it. What another window changed in the
meantime is not overwritten: the change is dropped, the store is read again, and the reader is told. While the
store cannot be written changes stay pending in memory, under a standing sentence, and are tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.audit.verdicts import AUDIT
from app.core.errors import MammoviewError
from app.core.reading.history import Change, Edit, History, Step, inverse, rebuilt
from app.core.reading.items import READ, REPORT, annotation_of
from app.core.reading.store import Conflict, Store
from app.services.jobs import Job, Jobs, Report

POLL_MS: Final = 1000
"""How often other windows' changes are looked for."""

RETRY_TICKS: Final = 5
"""After how many looks a store that could not be used is tried again."""

Items = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the store held: items by study, read marks of all studies, the log of the open study."""

    items: dict[str, Items] = field(default_factory=dict)
    reads: dict[str, str] = field(default_factory=dict)
    log: tuple[Change, ...] = ()
    warning: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a load was asked for; `afresh`: the history is made anew from the log."""

    number: int
    reading: str
    studies: tuple[str, ...]
    afresh: bool


class Ledger(QObject):
    """Reads and changes items of the open study and its priors.

    Signals
    -------
    changed()
        After any change of what this gives.
    said(sentence)
        For the status line.

    Parameters
    ----------
    store
        Where items are kept; one in memory is asked at once, one on disk in a thread.
    """

    changed = Signal()
    said = Signal(str)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reader = ""
        self.history = History()
        self.reading = ""
        self.studies: tuple[str, ...] = ("",)
        self.refused = ""
        self._store = store
        self._jobs = Jobs(1, self) if store.path is not None else None
        self._base: dict[str, Items] = {}
        self._reads: dict[str, str] = {}
        self._queue: list[Step] = []
        self._sent = self._looking = self._stopped = self._failed_load = False
        self._number = 0
        self._awaited = 0
        self._later: list[Callable[[], None]] = []
        self._ticks = 0
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._look)
        if self._jobs is not None:
            self._timer.start()
        self._load(afresh=True)

    # What is

    @property
    def path(self) -> Path | None:
        """The file in which items are kept, or None: in memory."""
        return self._store.path

    @property
    def loading(self) -> bool:
        """True until the items of the studies last begun are known."""
        return self._awaited > 0

    def view(self, study: str) -> Items:
        """Return the items of a study as they will be once all is written."""
        items = dict(self._base.get(study, {}))
        for step in self._queue:
            if step.change.study == study:
                items.update((edit.item, edit.after) for edit in step.change.edits)
        return items

    @property
    def pending(self) -> frozenset[tuple[str, str]]:
        """The (study, item) that are not yet on disk as they are shown."""
        return frozenset((step.change.study, edit.item) for step in self._queue for edit in step.change.edits)

    @property
    def reads(self) -> dict[str, str]:
        """Text of the read mark by study, of all studies that have one."""
        reads = dict(self._reads)
        for step in self._queue:
            for item, _, after in step.change.edits:
                if item == READ:
                    reads.pop(step.change.study, None)
                    reads.update({} if after is None else {step.change.study: after})
        return reads

    # Changing

    def begin(self, reading: str, studies: tuple[str, ...], *, afresh: bool = True) -> None:
        """Turn to a study and those beside it; `afresh`: what can be undone comes from the log."""
        self.reading, self.studies = reading, studies
        self._base = {study: items for study, items in self._base.items() if study in studies}
        if afresh:
            self.history = History()
        self._load(afresh=afresh)

    def set_reader(self, reader: str) -> None:
        """Name who reads from now on: what can be undone is that reader's own."""
        if reader != self.reader:
            self.reader, self.history = reader, History()
            self._load(afresh=True)
            self.changed.emit()

    def when_loaded(self, task: Callable[[], None]) -> None:
        """Call now, or as soon as what it depends on is known."""
        if self.loading:
            self._later.append(task)
        else:
            task()

    def change(
        self, study: str, label: str, news: Iterable[tuple[str, str | None]], reading: str = ""
    ) -> None:
        """Give items other texts (None: delete) as one change; what is so already is left out.

        Where no study is open there is nothing to keep.

        Parameters
        ----------
        reading
            The study whose history it goes into; empty: the open one.
        """
        view = (
            {READ: self.reads.get(study), **self.view(study)} if study not in self._base else self.view(study)
        )
        edits = tuple(Edit(item, view.get(item), after) for item, after in news if view.get(item) != after)
        if edits and (study or self._jobs is None):
            change = Change(study, label, edits, reading or self.reading, self.reader, _now())
            self._take(Step(change))

    def undo(self) -> None:
        """Take back the last change."""
        self._take_back(self.history.done)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._take_back(self.history.undone)

    def stop(self, seconds: float = 3.0) -> bool:
        """Write what is still to be written, for at most about so long, and let go; tell whether all was."""
        self._timer.stop()
        self._stopped = True
        end = time.monotonic() + seconds
        if self._jobs is not None and not self._jobs.close(round(1000 * seconds)):
            return False  # its thread still holds the store
        for step in self._queue:
            if not step.seq and time.monotonic() < end:
                self._store.set_patience(max(0.0, end - time.monotonic()))
                # What fails stays unwritten: it was drawn dashed and spoken of while the window stood.
                with suppress(MammoviewError):
                    _commit(self._store, step)
        self._store.close()
        return all(step.seq for step in self._queue)

    # Within: steps

    def _take_back(self, steps: list[Step]) -> None:
        if steps:
            of = steps[-1]
            news = replace(
                of.change, edits=inverse(of.change.edits), reader=self.reader, made=_now(), seq=0, undoes=None
            )
            self._take(Step(news, of))

    def _take(self, step: Step) -> None:
        if step.change.reading == self.reading:
            self.history.take(step)
        self._queue.append(step)
        self._send()
        self.changed.emit()

    def _send(self) -> None:
        """Have the oldest step written, one at a time: what follows may depend on it."""
        if self._queue and not self._sent and not self._stopped:
            self._sent = True
            step = self._queue[0]
            self._ask(_commit, (step,), step, self._on_written, self._on_refused)

    @Slot(object, object)
    def _on_written(self, job: Job, seq: int) -> None:
        step = job.tag
        assert isinstance(step, Step)
        self._sent = False
        self._settle(step.change)
        self._queue = [each for each in self._queue if each is not step]
        if self.refused and not self._failed_load:
            self.refused = ""
            self.said.emit("Your work is saved again.")
        self._send()
        self.changed.emit()

    @Slot(object, object)
    def _on_refused(self, job: Job, error: Exception) -> None:
        step = job.tag
        assert isinstance(step, Step)
        self._sent = False
        if isinstance(error, MammoviewError) and not isinstance(error, Conflict):
            self._refuse(str(error))
        else:
            self._drop(step, error)
            self._load()
            self._send()
        self.changed.emit()

    def _drop(self, step: Step, error: Exception) -> None:
        """Take a step out that cannot be made, and those that were made from it."""
        at = self._queue.index(step)
        lost = [step, *(each for each in self._queue[at + 1 :] if each.touches(step))]
        self._queue = [each for each in self._queue if each not in lost]
        for each in lost:
            self.history.drop(each)
        if step.of is not None:
            self.history.drop(step.of)
        self.said.emit(_why(step, error))

    def _refuse(self, sentence: str) -> None:
        if sentence != self.refused:
            self.refused = sentence
            self.said.emit(f"What you mark now is not saved: {sentence}.")

    def _settle(self, change: Change) -> None:
        """Take a change that is on disk into what is known to be there."""
        for item, _, after in change.edits:
            if change.study in self._base:
                self._base[change.study][item] = after
            if item == READ:
                self._reads.pop(change.study, None)
                self._reads.update({} if after is None else {change.study: after})

    # Within: reading

    def _load(self, *, afresh: bool = False) -> None:
        self._number += 1
        afresh = afresh or self.loading
        self._awaited = self._number if afresh else 0
        asked = _Asked(self._number, self.reading, self.studies, afresh)
        self._ask(_loaded, (asked, self.reader), asked, self._on_loaded, self._on_unread)

    @Slot(object, object)
    def _on_loaded(self, job: Job, loaded: Loaded) -> None:
        asked = job.tag
        assert isinstance(asked, _Asked)
        if asked.number != self._number:
            return
        self._base, self._reads = loaded.items, dict(loaded.reads)
        self._failed_load = False
        if asked.afresh:
            self.history = rebuilt(loaded.log)
            for step in self._queue:
                if (step.change.reading, step.change.reader) == (self.reading, self.reader):
                    self.history.take(step)
        if loaded.warning:
            self._refuse(f"{self._store.path}: {loaded.warning}")
        elif self.refused and not self._queue:
            self.refused = ""
        self._go_on()

    @Slot(object, object)
    def _on_unread(self, job: Job, error: Exception) -> None:
        asked = job.tag
        assert isinstance(asked, _Asked)
        if asked.number == self._number:
            self._failed_load = True
            unread = f"it cannot be read ({type(error).__name__})"
            self._refuse(str(error) if isinstance(error, MammoviewError) else unread)
            self._go_on()

    def _go_on(self) -> None:
        """Do what waited for the items."""
        self._awaited = 0
        tasks, self._later = self._later, []
        for task in tasks:
            task()
        self.changed.emit()

    @Slot()
    def _look(self) -> None:
        """Once a second: try again what failed, or look for changes of other windows."""
        self._ticks += 1
        if self.refused:
            if self._ticks % RETRY_TICKS == 0:
                if self._failed_load:
                    self._load(afresh=True)
                self._send()
        elif not (self._sent or self._looking or self.loading):
            self._looking = True
            self._ask(_changed_elsewhere, (), None, self._on_looked, self._on_not_looked)

    @Slot(object, object)
    def _on_looked(self, job: Job, changed: bool) -> None:
        self._looking = False
        if changed:
            self._load()

    @Slot(object, object)
    def _on_not_looked(self, job: Job, error: Exception) -> None:
        """A store that cannot be looked at is spoken of when something is to be written or read."""
        self._looking = False

    def _ask(
        self,
        work: Callable[..., Any],
        args: tuple[Any, ...],
        tag: object,
        done: Callable[[Job, Any], None],
        failed: Callable[[Job, Any], None],
    ) -> None:
        """Ask the store: in its thread, one after the other, or at once where it is in memory."""
        job = Job(work, (self._store, *args), tag)
        if self._jobs is not None:
            self._jobs.start(job, done=done, failed=failed)
            return
        try:
            result = work(self._store, *args, report=job.report)
        except MammoviewError as error:
            failed(job, error)
        else:
            done(job, result)


def _commit(store: Store, step: Step, report: Report | None = None) -> int:
    # What it takes back was written before it, in this thread: only now is its place in the log known.
    step.seq = store.commit(replace(step.change, undoes=step.of.seq if step.of else None))
    return step.seq


def _loaded(store: Store, asked: _Asked, reader: str, report: Report | None = None) -> Loaded:
    items = {study: store.items(study) for study in asked.studies}
    log = store.log(asked.reading, reader) if asked.afresh and asked.reading else ()
    return Loaded(items, store.reads(), log, store.warning)


def _changed_elsewhere(store: Store, report: Report | None = None) -> bool:
    return store.changed_elsewhere()


def _why(step: Step, error: Exception) -> str:
    """Return why a step was not made, as a sentence."""
    if not isinstance(error, Conflict):
        return f"This could not be kept ({type(error).__name__})."
    thing = {REPORT: "the report", READ: "the read mark"}.get(error.item, "that key image")
    if annotation_of(error.item) is not None:
        thing = "that mark"
    if error.study == AUDIT:
        thing = "what you said of that case"
    done = "cannot be taken back or done again" if step.of else "was not kept"
    return f"Another window changed {thing} in the meantime; your change {done}."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")

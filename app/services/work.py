"""The reader's work: marks, key images, report, read marks; every change can be undone and is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from app.core.reading.annotations import Annotation
from app.core.reading.items import (
    READ,
    REPORT,
    annotation_item,
    annotation_of,
    annotation_text,
    key_image_item,
    mark_text,
    read_report,
    work_of,
)
from app.core.reading.store import Store
from app.core.reading.work import Work, WorkState
from app.services.ledger import Ledger


class ReaderWork(QObject):
    """Holds the work on the open study and its priors, and changes it.

    Nothing here waits for the disk: a change is seen at once, and its annotation is in
    `WorkState.pending` until it is written.

    Signals
    -------
    changed(WorkState)
        After any change of what `state` gives.
    reads_changed(frozenset of study keys)
    message(sentence)
        For the status line: why something was not done.

    Parameters
    ----------
    store
        Where the work is kept; None: in memory, gone with the window.
    reader
        Who reads; see `set_reader`.
    """

    changed = Signal(object)
    reads_changed = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QObject | None = None, store: Store | None = None, reader: str = "") -> None:
        super().__init__(parent)
        self._state = WorkState()
        self._reads: frozenset[str] = frozenset()
        self._noted: set[str] = set()
        self._ledger = Ledger(store or Store(), self)
        self._ledger.reader = reader
        self._ledger.changed.connect(self._follow)
        self._ledger.said.connect(self.message)
        self._follow()

    @property
    def state(self) -> WorkState:
        """What widgets show."""
        return self._state

    @property
    def reads(self) -> frozenset[str]:
        """Keys of the studies that are marked as read."""
        return self._reads

    @property
    def path(self) -> Path | None:
        """The file in which the work is kept, or None: in memory."""
        return self._ledger.path

    @property
    def loading(self) -> bool:
        """True until what was kept of the open study is known."""
        return self._ledger.loading

    def set_reader(self, reader: str) -> None:
        """Name who reads from now on: it is kept with each change, and nobody undoes another's."""
        self._ledger.set_reader(reader)

    def begin(self, study: str, priors: Iterable[str] = ()) -> None:
        """Take up the work on a study (by key), beside that on its priors; empty: none is open.

        The study that is open already goes on as it is, with other priors if they changed.
        """
        studies = tuple(dict.fromkeys((study, *priors)))
        if studies != self._ledger.studies or study != self._ledger.reading:
            self._ledger.begin(study, studies, afresh=study != self._ledger.reading)
            self._follow()

    # Marks

    def add(self, annotation: Annotation, study: str = "") -> None:
        """Add a mark and select it; `study` is the key of the prior it is on, empty: the study's own."""
        verb = annotation.decision or "drawn"
        key = study or self._ledger.reading
        if key not in self._ledger.studies:
            self._ledger.begin(self._ledger.reading, (*self._ledger.studies, key), afresh=False)
        self._put(key, f"{annotation.kind} {verb}", annotation)
        self.select(annotation.uid)

    def change(self, annotation: Annotation) -> None:
        """Put another version of a mark in its place, known by its uid."""
        old, key = self._state.find(annotation.uid), self._study_of(annotation.uid)
        if old is not None:
            verb = annotation.decision if annotation.decision != old.decision else None
            self._put(key, f"{annotation.kind} {verb or 'changed'}", annotation)

    def remove(self, uid: str) -> None:
        """Delete a mark."""
        old = self._state.find(uid)
        if old is not None:
            self._ledger.change(self._study_of(uid), f"{old.kind} deleted", [(annotation_item(uid), None)])

    def select(self, uid: str) -> None:
        """Make a mark the one that keys act on; empty: none."""
        self._show(replace(self._state, selected=uid if self._state.find(uid) else ""))

    # The study

    def set_report(self, report: str, what: str = "report changed") -> None:
        """Keep a report as JSON text (empty: none); `what` names the change for undo.

        It was made from the report in `state`: where another is on disk by now it is not overwritten.

        Raises
        ------
        ValueError
            Where it is no JSON object: it could not be read back.
        """
        text, study = read_report(report) if report else None, self._ledger.reading
        self._ledger.change(study, what, [(REPORT, text)], study)

    def toggle_key_image(self, image: str, frame: int = 0) -> None:
        """Choose an image as key image, or no longer."""
        item, study = key_image_item((image, frame)), self._ledger.reading

        def toggle() -> None:
            chosen = self._ledger.view(study).get(item) is not None
            what = "key image taken away" if chosen else "key image chosen"
            self._ledger.change(study, what, [(item, None if chosen else self._mark())], study)

        self._ledger.when_loaded(toggle)

    def set_read(self, study: str, read: bool = True) -> None:
        """Mark a study as read, or as not read."""

        def mark() -> None:
            if (study in self._ledger.reads) != read:
                what = "marked as read" if read else "marked as not read"
                self._ledger.change(study, what, [(READ, self._mark() if read else None)], study)

        self._ledger.when_loaded(mark)

    # Undo

    def undo(self) -> None:
        """Take back the last change made while this study was open."""
        self._ledger.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._ledger.redo()

    def stop(self, seconds: float = 3.0) -> bool:
        """Write what is still on its way, for at most about so many seconds; tell whether all was written."""
        return self._ledger.stop(seconds)

    # Within

    def _put(self, study: str, label: str, annotation: Annotation) -> None:
        news = [(annotation_item(annotation.uid), annotation_text(annotation))]
        self._ledger.change(study, label, news)

    def _study_of(self, uid: str) -> str:
        """Return the key of the study that a mark is on."""
        for work in (self._state.work, *self._state.priors):
            if any(each.uid == uid for each in work.annotations):
                return work.study
        return self._ledger.reading

    def _mark(self) -> str:
        return mark_text(self._ledger.reader, datetime.now(UTC).isoformat(timespec="microseconds"))

    @Slot()
    def _follow(self) -> None:
        """Show what the ledger holds now."""
        ledger = self._ledger
        work = self._read(ledger.reading)
        priors = tuple(self._read(key) for key in ledger.studies if key != ledger.reading)
        pending = frozenset(uid for _, item in ledger.pending if (uid := annotation_of(item)) is not None)
        state = replace(self._state, work=work, priors=priors, pending=pending, refused=ledger.refused)
        self._show(state if state.find(state.selected) else replace(state, selected=""))
        reads = frozenset(ledger.reads)
        if reads != self._reads:
            self._reads = reads
            self.reads_changed.emit(reads)

    def _read(self, study: str) -> Work:
        """Return the work on a study; what cannot be read of it is told once."""
        work, notes = work_of(study, self._ledger.view(study))
        if notes and study not in self._noted:
            self._noted.add(study)
            some = "1 item" if len(notes) == 1 else f"{len(notes)} items"
            self.message.emit(
                f"{some} of the work kept on a study cannot be read and stay as they are: {notes[0]}."
            )
        return work

    def _show(self, state: WorkState) -> None:
        history = self._ledger.history
        undo = history.done[-1].change.label if history.done else ""
        redo = history.undone[-1].change.label if history.undone else ""
        state = replace(state, undo=undo, redo=redo)
        if state != self._state:
            self._state = state
            self.changed.emit(state)

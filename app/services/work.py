"""The reader's work: marks, key images, report, read marks; every change can be undone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.core.reading.annotations import Annotation
from app.core.reading.work import KeyImage, Work, WorkState


class ReaderWork(QObject):
    """Holds the work on the open study and its priors, and changes it.

    Signals
    -------
    changed(WorkState)
        After any change of what `state` gives.
    reads_changed(frozenset of study keys)
    message(sentence)
        For the status line: why something was not done.
    """

    changed = Signal(object)
    reads_changed = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = WorkState()
        self._done: list[tuple[str, Work]] = []
        self._undone: list[tuple[str, Work]] = []

    @property
    def state(self) -> WorkState:
        """What widgets show."""
        return self._state

    def begin(self, study: str, priors: Iterable[str] = ()) -> None:
        """Take up the work on a study (by key), beside that on its priors; empty: none is open."""
        self._show(WorkState(Work(study), tuple(Work(key) for key in priors)))

    def add(self, annotation: Annotation, study: str = "") -> None:
        """Add a mark and select it; `study` is the key of the prior it is on, empty: the study's own."""
        work = self._state.work
        self._do(f"{annotation.kind} drawn", replace(work, annotations=(*work.annotations, annotation)))
        self.select(annotation.uid)

    def change(self, annotation: Annotation) -> None:
        """Put another version of a mark in its place, known by its uid."""
        work = self._state.work
        news = tuple(annotation if each.uid == annotation.uid else each for each in work.annotations)
        self._do(f"{annotation.kind} changed", replace(work, annotations=news))

    def remove(self, uid: str) -> None:
        """Delete a mark."""
        work = self._state.work
        kept = tuple(each for each in work.annotations if each.uid != uid)
        self._do("mark deleted", replace(work, annotations=kept))

    def set_report(self, report: str, what: str = "report changed") -> None:
        """Keep a report as JSON text; `what` names the change for undo."""
        self._do(what, replace(self._state.work, report=report))

    def toggle_key_image(self, image: str, frame: int = 0) -> None:
        """Choose an image as key image, or no longer."""
        work, key = self._state.work, (image, frame)
        kept: tuple[KeyImage, ...] = tuple(each for each in work.key_images if each != key)
        news = kept if key in work.key_images else (*kept, key)
        self._do("key image", replace(work, key_images=news))

    def select(self, uid: str) -> None:
        """Make a mark the one that keys act on; empty: none."""
        self._show(replace(self._state, selected=uid))

    def undo(self) -> None:
        """Take back the last change of the open study."""
        if self._done:
            what, before = self._done.pop()
            self._undone.append((what, self._state.work))
            self._show(replace(self._state, work=before))

    def redo(self) -> None:
        """Do again what was taken back."""
        if self._undone:
            what, after = self._undone.pop()
            self._done.append((what, self._state.work))
            self._show(replace(self._state, work=after))

    def _do(self, what: str, after: Work) -> None:
        self._done.append((what, self._state.work))
        self._undone.clear()
        self._show(replace(self._state, work=after))

    def _show(self, state: WorkState) -> None:
        undo = self._done[-1][0] if self._done else ""
        redo = self._undone[-1][0] if self._undone else ""
        self._state = replace(state, undo=undo, redo=redo)
        self.changed.emit(self._state)

"""The reader's work on one study, as an immutable snapshot of small items.

An item is one annotation, one key image, the report or the read mark. A change replaces items; its
inverse is the undo. The store (`app.core.reading.store`) keeps items and changes, and knows no more of
them than their names and texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.reading.annotations import Annotation

KeyImage = tuple[str, int]
"""(SOP Instance UID, 0-based frame)."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the reader did with one study.

    Attributes
    ----------
    study
        The study's key.
    annotations
        In the order in which they were made.
    key_images
        In the order in which they were chosen.
    report
        The report as JSON text (`app.core.reading.report`); empty: none was begun.
    read
        Whether the study is marked as read.
    """

    study: str
    annotations: tuple[Annotation, ...] = ()
    key_images: tuple[KeyImage, ...] = ()
    report: str = ""
    read: bool = False

    def of_image(self, image: str, frame: int | None = None) -> tuple[Annotation, ...]:
        """Return the annotations of an image by SOP Instance UID, of one frame or of all."""
        return tuple(each for each in self.annotations if each.image == image and frame in (None, each.frame))


@dataclass(frozen=True, slots=True)
class WorkState:
    """What widgets show of the reader's work.

    Attributes
    ----------
    work
        Of the study being read.
    priors
        Of the priors on screen.
    pending
        Annotations that are not yet on disk: drawn dashed.
    selected
        The annotation that keys act on, or empty.
    undo, redo
        What would be undone or done again, in words; empty: nothing.
    refused
        Why nothing can be kept, as a sentence; empty: all is well.
    """

    work: Work = field(default_factory=lambda: Work(""))
    priors: tuple[Work, ...] = ()
    pending: frozenset[str] = frozenset()
    selected: str = ""
    undo: str = ""
    redo: str = ""
    refused: str = ""

    def of_image(self, image: str, frame: int | None = None) -> tuple[Annotation, ...]:
        """Return the annotations of an image of the study or of a prior."""
        return tuple(each for work in (self.work, *self.priors) for each in work.of_image(image, frame))

    def find(self, uid: str) -> Annotation | None:
        """Return the annotation of that identity, or None."""
        every = (each for work in (self.work, *self.priors) for each in work.annotations)
        return next((each for each in every if each.uid == uid), None)

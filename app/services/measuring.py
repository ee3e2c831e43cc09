"""Grey values inside marks, computed off the GUI thread and kept."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from app.core.imaging.image import Image
from app.core.reading import measure
from app.core.reading.annotations import Annotation, Kind, Point
from app.core.reading.measure import Statistics
from app.core.reading.regions import REGIONS
from app.services.frames import FramePixels
from app.services.jobs import Job, Jobs, Report
from app.services.library import Library

MOST: Final = 512
"""How many regions' values are kept."""

Key = tuple[tuple[str, str], int, Kind, tuple[Point, ...]]
"""(image key, frame, kind, points): whatever else changes of a mark, its values stay."""


def measure_region(frame: FramePixels, kind: Kind, points: tuple[Point, ...], report: Report) -> Statistics:
    """Return the grey values of a region: a job."""
    stored = cast(npt.NDArray[np.integer[Any]], frame.stored)
    return measure.statistics(kind, points, stored, frame.image.grey_of(frame.frame))


class Measuring(QObject):
    """Knows the grey values of marks whose frames are decoded.

    Signals
    -------
    ready()
        `statistics` has an answer that it did not have.
    """

    ready = Signal()

    def __init__(self, library: Library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._jobs = Jobs(1, self)
        self._asked: set[Key] = set()
        self._known: dict[Key, Statistics] = {}

    @property
    def busy(self) -> bool:
        """True while a region is being measured."""
        return bool(self._asked)

    def statistics(self, annotation: Annotation, image: Image) -> Statistics | None:
        """Return the grey values inside a mark, or None: for lack of an area, or `ready` follows.

        Only whole frames are measured: never one that is still being refined, nor one whose file ends
        early and whose rest is made up.
        """
        if annotation.kind not in REGIONS:
            return None
        key = (image.key, annotation.frame, annotation.kind, annotation.points)
        if key in self._known:
            return self._known[key]
        frame = self._library.present(image.key, annotation.frame)
        if frame is None or frame.refining or frame.incomplete:
            return None
        if key not in self._asked:
            self._asked.add(key)
            job = Job(measure_region, (frame, annotation.kind, annotation.points), tag=key)
            self._jobs.start(job, done=self._measured, ended=self._ended)
        return None

    @Slot(object, object)
    def _measured(self, job: Job, found: Statistics) -> None:
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[cast(Key, job.tag)] = found
        self.ready.emit()

    @Slot(object)
    def _ended(self, job: Job) -> None:
        self._asked.discard(cast(Key, job.tag))

"""What the reader has seen at actual pixels, frame by frame, while the program runs."""

from __future__ import annotations

from collections.abc import Iterable

from app.core.imaging.geometry import Box
from app.core.imaging.image import Image
from app.core.reading.coverage import Coverage, shown, unseen
from app.services.frames import FrameKey, FramePixels


class Seen:
    """Coverage by frame; an image that was described anew begins anew."""

    def __init__(self) -> None:
        self._coverage: dict[FrameKey, Coverage] = {}

    def of(self, key: FrameKey) -> Coverage | None:
        """Return what was seen of a frame, or None where it never was on screen at actual pixels."""
        return self._coverage.get(key)

    def left(self, images: Iterable[Image]) -> tuple[tuple[Image, float], ...]:
        """Return the images of one frame that were not seen whole, and how much of each was not, 0..1."""
        found = []
        for image in images:
            coverage = self._coverage.get((image.key, 0))
            if image.frames == 1 and not (coverage is not None and coverage.complete):
                found.append((image, 1.0 if coverage is None else 1.0 - coverage.share))
        return tuple(found)

    def mark(self, frame: FramePixels, visible: Box) -> bool:
        """Count a box of a frame (stored pixels, edges at pixel corners) as seen; tell whether that is news.

        Nothing of a refining frame counts.
        """
        if frame.refining:
            return False
        known = self._coverage.get(frame.key)
        if known is None or (known.rows, known.columns) != frame.mask.shape:
            known = unseen(frame.mask)
        now = shown(known, visible)
        if now is self._coverage.get(frame.key):
            return False
        self._coverage[frame.key] = now
        return True

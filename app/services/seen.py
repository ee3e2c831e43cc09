"""What the reader has seen at actual pixels, frame by frame, while the program runs."""

from __future__ import annotations

from app.core.imaging.geometry import Box
from app.core.reading.coverage import Coverage, shown, unseen
from app.services.frames import FrameKey, FramePixels


class Seen:
    """Coverage by frame; an image that was described anew begins anew."""

    def __init__(self) -> None:
        self._coverage: dict[FrameKey, Coverage] = {}

    def of(self, key: FrameKey) -> Coverage | None:
        """Return what was seen of a frame, or None where it never was on screen at actual pixels."""
        return self._coverage.get(key)

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

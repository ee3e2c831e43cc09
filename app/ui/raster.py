"""Pixels of one pane: resampled when the geometry changes, tabled when the window changes.

Resampling gives stored values and coverage at device resolution and is kept; a window drag then
costs one 8-bit table and one look-up per pixel on screen.
"""

from __future__ import annotations

from PySide6.QtGui import QImage

from app.core.imaging.geometry import Affine
from app.core.imaging.resample import Sampled
from app.services.frames import FramePixels
from app.services.state import ViewportState
from app.ui.painting import painted, resampled


class Raster:
    """The pixels of one viewport; `resamplings` and `paintings` count the work done."""

    def __init__(self) -> None:
        self._geometry: tuple[object, ...] = ()
        self._grey: tuple[object, ...] = ()
        self._held: FramePixels | None = None
        self._values: Sampled | None = None
        self._picture: QImage | None = None
        self.resamplings = 0
        self.paintings = 0

    def picture(
        self, frame: FramePixels, affine: Affine, size: tuple[int, int], view: ViewportState
    ) -> QImage:
        """Return the 8-bit picture of `size` (rows, columns) device pixels.

        Parameters
        ----------
        affine
            Stored pixel centres of the full resolution -> device pixel centres.
        """
        geometry = (affine, size, view.invert)
        if self._values is None or self._held is not frame or geometry != self._geometry:
            self._values = resampled(frame, affine, size, invert=view.invert)
            self._held, self._geometry, self._picture = frame, geometry, None
            self.resamplings += 1
        grey = (view.window, frame.frame)
        if self._picture is None or grey != self._grey:
            self._picture = painted(self._values, frame, view)
            self._grey = grey
            self.paintings += 1
        return self._picture

    def forget(self) -> None:
        """Let go of the frame and its pixels."""
        self._held, self._values, self._picture = None, None, None

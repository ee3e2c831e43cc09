"""Pixels of one pane: resampled when the geometry changes, tabled when the window changes.

Resampling gives stored values and coverage at device resolution and is kept; a window drag then
costs one 8-bit table and one look-up per pixel on screen, a pan the strips that come into view.
A picture in motion may be a sketch at half the resolution, which the exact one replaces when the hand rests.
"""

from __future__ import annotations

import time
from typing import Final

from app.core.imaging.geometry import Affine
from app.core.imaging.resample import Sampled, effort
from app.services.frames import FramePixels
from app.services.state import ViewportState
from app.ui.painting import Picture, enlarged, painted, resampled, sketched
from app.ui.shifting import shifted, whole_shift

LEAST_EFFORT: Final = 1e5
"""Units below which a measured pace would be that of what surrounds the work."""


class Raster:
    """The pixels of one viewport; `resamplings`, `sketches`, `shifts` and `paintings` count the work done.

    `is_sketch` tells that what `picture` gave last is a sketch; `pace` the seconds that a unit of
    `app.core.imaging.resample.effort` took last, 0 before the first.
    """

    def __init__(self) -> None:
        self._geometry: tuple[object, ...] = ()
        self._made_for: Affine | None = None
        self._grey: tuple[object, ...] = ()
        self._held: FramePixels | None = None
        self._values: Sampled | None = None
        self._picture: Picture | None = None
        self.is_sketch = False
        self.pace = 0.0
        self.resamplings = 0
        self.sketches = 0
        self.shifts = 0
        self.paintings = 0

    def picture(
        self,
        frame: FramePixels,
        affine: Affine,
        size: tuple[int, int],
        view: ViewportState,
        *,
        hasty: bool = False,
    ) -> Picture:
        """Return the 8-bit picture of what is in view, and its place; see `app.ui.painting.painted`.

        Parameters
        ----------
        affine
            Stored pixel centres of the full resolution -> device pixel centres.
        size
            (rows, columns) of the pane in device pixels.
        hasty
            The picture is in motion: a sketch will do where exact values are not at hand.
        """
        geometry = (size, view.invert)
        is_same = self._held is frame and geometry == self._geometry
        if not is_same or affine != self._made_for or (self.is_sketch and not hasty):
            if not is_same or not self._shift(frame, affine, view):
                self._make(frame, affine, size, view, hasty=hasty)
            self._held, self._geometry, self._picture = frame, geometry, None
        grey = (view.window, frame.frame)
        if self._picture is None or grey != self._grey:
            assert self._values is not None
            made = painted(self._values, frame, view)
            self._picture = enlarged(made) if self.is_sketch else made
            self._grey = grey
            self.paintings += 1
        return self._picture

    def _make(
        self, frame: FramePixels, affine: Affine, size: tuple[int, int], view: ViewportState, *, hasty: bool
    ) -> None:
        start = time.perf_counter()
        self._values = (sketched if hasty else resampled)(frame, affine, size, invert=view.invert)
        self._made_for, self.is_sketch = affine, hasty
        if hasty:
            self.sketches += 1
        else:
            self.resamplings += 1
            units = effort(frame.pyramid, affine.after(frame.to_stored), size)
            self.pace = (time.perf_counter() - start) / max(units, LEAST_EFFORT)

    def _shift(self, frame: FramePixels, affine: Affine, view: ViewportState) -> bool:
        """Move what is there, if `affine` differs by whole device pixels; tell whether that was so."""
        if self._values is None or self._made_for is None or self.is_sketch:
            return False
        by = whole_shift(self._made_for, affine)
        if by is None:
            return False
        # From where the values really are, not from where they were asked to be: errors do not add up.
        exact = Affine.translation(*by).after(self._made_for)
        if by != (0, 0):

            def strip(to_strip: Affine, size: tuple[int, int]) -> Sampled:
                return resampled(frame, to_strip, size, invert=view.invert)

            moved = shifted(self._values, by, exact, strip)
            if moved is None:
                return False
            self._values = moved
        self._made_for = exact
        self.shifts += 1
        return True

    def forget(self) -> None:
        """Let go of the frame and its pixels."""
        self._held, self._values, self._picture, self._made_for = None, None, None, None
        self.is_sketch = False

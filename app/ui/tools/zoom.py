"""Zoom about the point that was pressed, or about the cursor with the wheel."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF

PER_PIXEL: Final = 1 / 150
"""Logarithm of the factor per logical pixel, upwards."""


class ZoomTool:
    """Up enlarges; the point under the press keeps its place."""

    NAME = "zoom"

    def __init__(self) -> None:
        self._start = QPointF()

    def press(self, view, at: QPointF) -> None:
        """Remember the point to zoom about."""
        self._start = QPointF(at)

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Enlarge upwards, shrink downwards."""
        self.about(view, self._start, math.exp(-by.y() * PER_PIXEL))

    def release(self, view) -> None:
        """Nothing to do."""

    def about(self, view, at: QPointF, factor: float) -> None:
        """Zoom by a factor about a logical point of the viewport."""
        anchor = view.anchor_at(at)
        if anchor is not None:
            view.session.zoom_at(view.index, factor, anchor)

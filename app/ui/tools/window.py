"""Window by dragging: right is wider, up is brighter (a lower centre)."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF

SHIFT_PER_PIXEL: Final = 1 / 400
"""Centre, in widths of the image's own window, per logical pixel."""
STRETCH_PER_PIXEL: Final = 1 / 250
"""Logarithm of the factor on the width per logical pixel."""


class WindowTool:
    """Relative to each image's own default, so that linked panes move together."""

    NAME = "window"

    def press(self, view, at: QPointF) -> None:
        """Nothing: a click leaves the window as it is."""

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Widen to the right; brighten upwards (screen y grows downwards, so does the centre)."""
        view.session.drag_window(view.index, by.y() * SHIFT_PER_PIXEL, math.exp(by.x() * STRETCH_PER_PIXEL))

    def release(self, view) -> None:
        """Nothing to do."""

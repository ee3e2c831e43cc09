"""An upright rectangle, its area and grey values."""

from __future__ import annotations

from app.ui.strokes import DragStroke


class RectangleTool(DragStroke):
    """Drag from one corner to the opposite one."""

    NAME = "rectangle"
    KIND = "rectangle"

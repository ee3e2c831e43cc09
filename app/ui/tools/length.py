"""A distance between two points."""

from __future__ import annotations

from app.ui.strokes import DragStroke


class LengthTool(DragStroke):
    """Drag from one end to the other."""

    NAME = "length"
    KIND = "length"

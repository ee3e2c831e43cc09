"""An arrow that points at something."""

from __future__ import annotations

from app.ui.strokes import DragStroke


class ArrowTool(DragStroke):
    """Drag from the tail to the tip."""

    NAME = "arrow"
    KIND = "arrow"

"""An upright ellipse, its area and grey values."""

from __future__ import annotations

from app.ui.strokes import DragStroke


class EllipseTool(DragStroke):
    """Drag from one corner of the box around it to the opposite one."""

    NAME = "ellipse"
    KIND = "ellipse"

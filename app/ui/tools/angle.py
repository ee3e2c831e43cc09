"""An angle between two lines."""

from __future__ import annotations

from app.ui.strokes import ClickStroke


class AngleTool(ClickStroke):
    """Click an end, the vertex, the other end."""

    NAME = "angle"
    KIND = "angle"
    COUNT = 3

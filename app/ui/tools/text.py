"""Words at a place."""

from __future__ import annotations

from app.core.reading.annotations import Point
from app.ui.strokes import PointStroke


class TextTool(PointStroke):
    """Click, then write."""

    NAME = "text"

    def place(self, view, point: Point) -> None:
        """Ask for the words."""
        view.marks.write_at(point)

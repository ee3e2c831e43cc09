"""Where the nipple is: distances and depth are told from it."""

from __future__ import annotations

from app.core.reading.annotations import Point
from app.ui.strokes import PointStroke


class NippleTool(PointStroke):
    """Click; a second click on the same image moves it there."""

    NAME = "nipple"

    def place(self, view, point: Point) -> None:
        """Mark it."""
        view.marks.keep("nipple", (point,))

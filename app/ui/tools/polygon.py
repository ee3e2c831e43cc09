"""An outline made of straight sides, its area and grey values."""

from __future__ import annotations

from app.ui.strokes import ClickStroke


class PolygonTool(ClickStroke):
    """Click the corners; a double click, or a click on the first one, closes it."""

    NAME = "polygon"
    KIND = "polygon"

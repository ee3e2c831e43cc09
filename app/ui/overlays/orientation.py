"""Orientation letters at two edges, from the letters of the image as it hangs."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFontMetrics, QPainter

from app.core.imaging.orientation import canonical, edge_letters
from app.ui import theme
from app.ui.lettering import advance, edged_text
from app.ui.scene import FOOT, MARGIN, Scene

CLEAR: Final = 272
"""Logical pixels from the free edge that the scale bar and its words may take."""


def letters_of(scene: Scene) -> tuple[str, str, str, str] | None:
    """Return the letters at the (top, right, bottom, left) edges as shown, flips included."""
    image = scene.image
    if image is None:
        return None
    hang = canonical(image.orientation, image.laterality, image.view)
    view = scene.pane.viewport
    return edge_letters(image.orientation, hang.flipped(horizontally=view.flip_h, vertically=view.flip_v))


def paint_orientation(painter: QPainter, scene: Scene) -> None:
    """Write the letters at the free edge and at the bottom, where there is least tissue."""
    letters = letters_of(scene)
    if letters is None or scene.overlay.corner == "off" or scene.failed:
        return
    _, right, bottom, left = letters
    font, area = theme.font(theme.BASE, strong=True), scene.bounds
    metrics = QFontMetrics(font)
    side = left if scene.free_left else right
    x = MARGIN if scene.free_left else area.right() - MARGIN - advance(side, font)
    middle = area.center().y() + metrics.ascent() / 2
    edged_text(painter, QPointF(x, middle), side, theme.TEXT, font)
    # In a narrow pane the scale bar reaches the middle: the letter stands above it.
    raised = FOOT if area.width() < 2 * CLEAR else 0
    along = area.width() * (0.6 if raised else 0.5)
    centre = along if scene.free_left else area.width() - along
    foot = QPointF(centre - advance(bottom, font) / 2, area.bottom() - MARGIN - raised)
    edged_text(painter, foot, bottom, theme.TEXT, font)

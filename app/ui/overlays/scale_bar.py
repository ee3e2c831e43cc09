"""The scale bar: a round number of millimetres, and where those millimetres hold."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLineF, QPointF
from PySide6.QtGui import QColor, QPainter, QPen

from app.core.imaging.image import Image
from app.ui import theme
from app.ui.lettering import advance, edged_text, small
from app.ui.scene import MARGIN, Scene

LENGTHS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
LONGEST: Final = 120.0
"""Logical pixels."""
SHARE: Final = 0.25
"""Part of the pane's width that the bar may take."""


def device_per_unit(scene: Scene, image: Image) -> float:
    """Return device pixels per millimetre along the screen's horizontal (per image pixel without spacing)."""
    assert scene.affine is not None
    matrix = scene.affine.matrix
    if image.spacing is None:
        return float(abs(matrix[1, 0]) + abs(matrix[1, 1]))
    # One of the two is 0: a viewport turns by right angles only.
    return float(abs(matrix[1, 0]) / image.spacing.row_mm + abs(matrix[1, 1]) / image.spacing.col_mm)


def bar_of(scene: Scene, image: Image) -> tuple[int, float]:
    """Return the bar's length in millimetres (or pixels) and in logical screen pixels."""
    per_unit = device_per_unit(scene, image) / scene.ratio
    longest = min(LONGEST, SHARE * scene.bounds.width())
    length = max((n for n in LENGTHS if n * per_unit <= longest), default=LENGTHS[0])
    return length, length * per_unit


def paint_scale_bar(painter: QPainter, scene: Scene) -> None:
    """Draw the bar in the lower free corner."""
    image = scene.image
    if image is None or scene.affine is None or scene.overlay.corner == "off" or scene.failed:
        return
    length, wide = bar_of(scene, image)
    basis = f"{length} mm {image.spacing.label}" if image.spacing else f"{length} px, no millimetres"
    font, area = small(), scene.bounds
    words = advance(basis, font)
    base = area.bottom() - MARGIN
    left = MARGIN if scene.free_left else area.right() - MARGIN - wide - 8 - words
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    lines = [
        QLineF(left, base - 4, left + wide, base - 4),
        QLineF(left, base - 8, left, base),
        QLineF(left + wide, base - 8, left + wide, base),
    ]
    for colour, width in ((QColor(0, 0, 0, 200), 3.0), (QColor(theme.TEXT), 1.0)):
        painter.setPen(QPen(colour, width))
        painter.drawLines(lines)
    edged_text(painter, QPointF(left + wide + 8, base), basis, theme.TEXT, font)
    painter.restore()

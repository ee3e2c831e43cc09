"""Known lesions of a synthetic exam: white dashes, unlike anything a model draws."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.ui import theme
from app.ui.scene import Scene


def paint_truth(painter: QPainter, scene: Scene) -> None:
    """Draw the known boxes of this image, when the reader asks for them."""
    if not scene.overlay.truth or scene.affine is None:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for box in scene.truth:
        rect = scene.box_to_qt(box).adjusted(-3, -3, 3, 3)
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3.0))
        painter.drawRect(rect)
        dashes = QPen(QColor(theme.TRUTH), 1.5)
        dashes.setDashPattern([4.0, 4.0])
        dashes.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(dashes)
        painter.drawRect(rect)
    painter.restore()

"""The linked cursor in the panes that are not under the mouse: a cross, or an arc about the nipple."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.core.hanging.correspond import Arc, Cross
from app.ui import theme
from app.ui.labels import LINE
from app.ui.lettering import advance, plated_text, small
from app.ui.scene import Scene

ARM: Final = 18.0
GAP: Final = 5.0
"""Logical pixels from the middle of the cross to the ends of an arm, and free about the middle."""


def paint_pointer(painter: QPainter, scene: Scene) -> None:
    """Draw where the place pointed at elsewhere is to be looked for."""
    if scene.pointer is None or scene.affine is None or scene.frame is None:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if isinstance(scene.pointer, Cross):
        _cross(painter, scene, scene.pointer)
    else:
        _arc(painter, scene, scene.pointer)
    painter.restore()


def _cross(painter: QPainter, scene: Scene, cross: Cross) -> None:
    assert scene.affine is not None
    at = scene.to_qt(*scene.affine.apply([cross.point])[0].tolist())
    arms = [
        QLineF(at.x() + x * GAP, at.y() + y * GAP, at.x() + x * ARM, at.y() + y * ARM)
        for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    for pen in _pens():
        painter.setPen(pen)
        painter.drawLines(arms)


def _arc(painter: QPainter, scene: Scene, arc: Arc) -> None:
    """Draw the part of the circle that lies about the breast, and the distance at its upper end."""
    assert scene.affine is not None
    assert scene.frame is not None
    row0, col0, row1, col1 = scene.frame.breast
    path, inside = QPainterPath(), False
    last: QPointF | None = None
    for stored, device in zip(arc.points, scene.affine.apply(arc.points).tolist(), strict=True):
        if not (row0 <= stored[0] < row1 and col0 <= stored[1] < col1):
            inside = False
            continue
        at = scene.to_qt(*device)
        if inside:
            path.lineTo(at)
        else:
            path.moveTo(at)
        inside = True
        if last is None or at.y() < last.y():
            last = at
    for pen in _pens():
        painter.setPen(pen)
        painter.drawPath(path)
    if last is None:
        return
    words = f"{arc.radius_mm:.0f} mm from the nipple"
    area = scene.bounds
    left = min(max(last.x() - advance(words, small()) / 2, 4.0), area.right() - advance(words, small()) - 4)
    plated_text(painter, QPointF(left, max(last.y() - 6, 14.0)), words, theme.ACCENT_TEXT, small(), LINE)


def _pens() -> tuple[QPen, QPen]:
    return QPen(QColor(0, 0, 0, 160), 3.0), QPen(QColor(theme.ACCENT), 1.25)

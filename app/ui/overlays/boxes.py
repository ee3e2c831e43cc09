"""Finding boxes: solid amber outlines with label and score."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.core.reading.findings import Finding
from app.ui import theme
from app.ui.lettering import edged_text, small
from app.ui.scene import Scene


def paint_boxes(painter: QPainter, scene: Scene) -> None:
    """Draw the findings of this image and frame at or above the reader's score threshold."""
    if not scene.overlay.boxes or scene.affine is None:
        return
    for look in scene.looks:
        for finding in look.findings:
            wanted = finding.score >= scene.overlay.score_threshold
            if wanted and finding.frame == scene.pane.viewport.frame:
                _outline(painter, scene, finding, words(finding, look.in_domain))


def _outline(painter: QPainter, scene: Scene, finding: Finding, text: str) -> None:
    rect = scene.box_to_qt(finding.box)
    if not rect.intersects(scene.bounds):
        return
    strong = finding.box == scene.shown
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 4.0 if strong else 3.0))
    painter.drawRect(rect)
    painter.setPen(QPen(QColor(theme.WARNING), 2.5 if strong else 1.5))
    painter.drawRect(rect)
    edged_text(painter, _label_place(scene, rect), text, theme.WARNING, small())
    painter.restore()


def words(finding: Finding, in_domain: bool) -> str:
    """Return label and score; a calibrated score is a probability, but not outside the model's domain."""
    is_probability = finding.calibrated and in_domain
    score = f"{100 * finding.score:.0f} %" if is_probability else f"{finding.score:.2f}"
    return f"{finding.label}  {score}"


def _label_place(scene: Scene, rect: QRectF) -> QPointF:
    """Above the box, below it where there is no room, and always within the pane."""
    bounds = scene.bounds
    left = min(max(rect.left(), bounds.left() + 4), bounds.right() - 96)
    top = rect.top() - 5
    if top < bounds.top() + 16:
        top = min(rect.bottom() + 14, bounds.bottom() - 4)
    return QPointF(left, top)

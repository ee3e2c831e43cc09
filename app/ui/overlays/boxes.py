"""Finding boxes: solid amber outlines with label and score."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.core.reading.findings import Finding
from app.ui import theme
from app.ui.labels import LINE, label_places
from app.ui.lettering import advance, plated_text, small
from app.ui.scene import Scene


def paint_boxes(painter: QPainter, scene: Scene) -> None:
    """Draw the findings of this image and frame at or above the reader's score threshold.

    Those that the reader answered are marks by then (`app.ui.overlays.marks`).
    """
    if not scene.overlay.boxes or scene.affine is None:
        return
    shown = [
        (scene.box_to_qt(finding.box), finding, words(finding, look.in_domain))
        for look in scene.looks
        for finding in look.findings
        if finding.score >= scene.overlay.score_threshold
        and finding.frame == scene.pane.viewport.frame
        and finding not in scene.answered
    ]
    shown = [each for each in shown if each[0].intersects(scene.bounds)]
    for rect, finding, _ in shown:
        _outline(painter, rect, strong=finding.box == scene.shown)
    places = label_places(scene.bounds, [(rect, advance(text, small())) for rect, _, text in shown])
    for place, (_, _, text) in zip(places, shown, strict=True):
        plated_text(painter, place, text, theme.WARNING, small(), LINE)


def _outline(painter: QPainter, rect: QRectF, *, strong: bool) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 4.0 if strong else 3.0))
    painter.drawRect(rect)
    painter.setPen(QPen(QColor(theme.WARNING), 2.5 if strong else 1.5))
    painter.drawRect(rect)
    painter.restore()


def words(finding: Finding, in_domain: bool) -> str:
    """Return label and score; a calibrated score is a probability, but not outside the model's domain."""
    is_probability = finding.calibrated and in_domain
    score = f"{100 * finding.score:.0f} %" if is_probability else f"{finding.score:.2f}"
    return f"{finding.label}  {score}"

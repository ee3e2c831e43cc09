"""Marks that no key takes away: INCOMPLETE, refining, a failed image, an empty pane, loading."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from app.ui import theme, wording
from app.ui.lettering import advance, edged_text
from app.ui.scene import Scene


def sentence(scene: Scene) -> tuple[str, str]:
    """Return (words, colour) for the middle of a pane without pixels; empty words where there are some."""
    pane = scene.pane
    if pane.viewport.image is None:
        missing = "image" if pane.wants in ("", "any image") else pane.wants
        return f"No {missing} in this study", theme.QUIET
    if scene.failed:
        return scene.failed, theme.WARNING
    if scene.frame is None:
        return "Loading", theme.QUIET
    return "", theme.QUIET


def paint_warnings(painter: QPainter, scene: Scene) -> None:
    """Write what the reader must not miss; independent of the corner text level."""
    words, colour = sentence(scene)
    area = scene.bounds
    if words:
        box = QRectF(area.center().x() - 180, area.center().y() - 60, 360, 120).intersected(
            area.adjusted(16, 0, -16, 0)
        )
        painter.setFont(theme.font(theme.TITLE))
        painter.setPen(QColor(colour))
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(box, flags, words)
    if scene.research:
        _top(painter, scene, wording.RESEARCH, 36)
    if scene.frame is None:
        return
    if scene.frame.incomplete:
        _banner(painter, scene, "INCOMPLETE: part of this image is missing from its file")
    elif scene.frame.refining:
        _top(painter, scene, "refining", 20)


def _top(painter: QPainter, scene: Scene, text: str, base: float) -> None:
    font = theme.font(theme.SMALL)
    width = advance(text, font)
    edged_text(painter, QPointF(scene.bounds.center().x() - width / 2, base), text, theme.QUIET, font)


def _banner(painter: QPainter, scene: Scene, text: str) -> None:
    font = theme.font(theme.TITLE, strong=True)
    area = scene.bounds
    width = advance(text, font) + 24
    if width > area.width() - 16:
        text = text.split(":")[0]
        width = advance(text, font) + 24
    box = QRectF(area.center().x() - width / 2, area.center().y() - 16, width, 32)
    painter.fillRect(box, QColor(theme.WARNING_GROUND))
    painter.setPen(QColor(theme.WARNING))
    painter.drawRect(box)
    painter.setFont(font)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

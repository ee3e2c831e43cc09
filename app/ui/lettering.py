"""Text over an image: light letters with a thin dark edge, drawn once and kept.

Stroking outlines costs 2 ms a line, so that eight lines in four panes would be most of a window
drag; a kept picture costs 10 microseconds.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from app.ui import theme

EDGE: Final = 2
"""Logical pixels around the letters."""
_AROUND: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))


def small() -> QFont:
    """Return the font of text over the image."""
    return theme.font(theme.SMALL)


def elided(text: str, font: QFont, width: float) -> str:
    """Return text shortened to `width` logical pixels."""
    return QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, int(width))


def wrapped(text: str, font: QFont, width: float) -> tuple[str, ...]:
    """Return text broken between words into lines of at most `width` logical pixels."""
    metrics, lines = QFontMetrics(font), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and metrics.horizontalAdvance(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(lines)


def edged_text(painter: QPainter, at: QPointF, text: str, colour: str, font: QFont) -> None:
    """Write text with a thin dark edge; `at` is the left end of the base line."""
    if not text:
        return
    ratio = painter.device().devicePixelRatioF()
    picture = _lettered(text, colour, font.pixelSize(), font.weight() > QFont.Weight.Normal, ratio)
    ascent = QFontMetrics(font).ascent()
    # Whole device pixels: a picture of letters between pixels would blur.
    left = round((at.x() - EDGE) * ratio) / ratio
    top = round((at.y() - ascent - EDGE) * ratio) / ratio
    painter.drawImage(QPointF(left, top), picture)


@lru_cache(maxsize=512)
def _lettered(text: str, colour: str, size: int, strong: bool, ratio: float) -> QImage:
    font = theme.font(size, strong=strong)
    metrics = QFontMetrics(font)
    width = metrics.horizontalAdvance(text) + 2 * EDGE + size // 4
    height = metrics.height() + 2 * EDGE
    picture = QImage(
        math.ceil(width * ratio), math.ceil(height * ratio), QImage.Format.Format_ARGB32_Premultiplied
    )
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setFont(font)
    base = QPointF(EDGE, EDGE + metrics.ascent())
    painter.setPen(QColor(0, 0, 0, 140))
    for x, y in _AROUND:
        painter.drawText(base + QPointF(x, y), text)
    painter.setPen(QColor(colour))
    painter.drawText(base, text)
    painter.end()
    return picture

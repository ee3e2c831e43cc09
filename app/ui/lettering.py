"""Text over an image: light letters with a thin dark edge, drawn once and kept.

Stroking outlines costs 2 ms a line, so that eight lines in four panes would be most of a window
drag; a kept picture costs 10 microseconds.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from app.ui import theme

EDGE: Final = 2
"""Logical pixels around the letters."""
PLATE: Final = QColor(0, 0, 0, 170)
"""What lies behind words that may stand over tissue."""
_AROUND: Final = tuple((x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0))


def small() -> QFont:
    """Return the font of text over the image."""
    return theme.font(theme.SMALL)


def advance(text: str, font: QFont) -> int:
    """Return the width of text in logical pixels."""
    return _advance(text, font.pixelSize(), _is_strong(font))


def elided(text: str, font: QFont, width: float) -> str:
    """Return text shortened to `width` logical pixels."""
    return (
        text
        if advance(text, font) <= width
        else _elided(text, font.pixelSize(), _is_strong(font), int(width))
    )


def wrapped(text: str, font: QFont, width: float) -> tuple[str, ...]:
    """Return text broken between words into lines of at most `width` logical pixels."""
    if advance(text, font) <= width:
        return (text,)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and advance(longer, font) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return tuple(lines)


def _is_strong(font: QFont) -> bool:
    return font.weight() > QFont.Weight.Normal


@lru_cache(maxsize=2048)
def _advance(text: str, size: int, strong: bool) -> int:
    return QFontMetrics(theme.font(size, strong=strong)).horizontalAdvance(text)


@lru_cache(maxsize=512)
def _elided(text: str, size: int, strong: bool, width: int) -> str:
    metrics = QFontMetrics(theme.font(size, strong=strong))
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)


@lru_cache(maxsize=16)
def _ascent(size: int, strong: bool) -> int:
    return QFontMetrics(theme.font(size, strong=strong)).ascent()


def plated_text(painter: QPainter, at: QPointF, text: str, colour: str, font: QFont, line: float) -> None:
    """Write text on a dark plate, to be read over dense tissue too; lines `line` apart share one plate."""
    if text:
        top = at.y() - _ascent(font.pixelSize(), _is_strong(font)) - 1
        painter.fillRect(QRectF(at.x() - 4, top, advance(text, font) + 8, line), PLATE)
        edged_text(painter, at, text, colour, font)


def edged_text(painter: QPainter, at: QPointF, text: str, colour: str, font: QFont) -> None:
    """Write text with a thin dark edge; `at` is the left end of the base line."""
    if not text:
        return
    ratio = painter.device().devicePixelRatioF()
    size, strong = font.pixelSize(), _is_strong(font)
    picture = _lettered(text, colour, size, strong, ratio)
    ascent = _ascent(size, strong)
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

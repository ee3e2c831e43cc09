"""Small pictures: feature maps with the place marked, and training cases."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.reading.inside import ChannelPicture, LikeCase
from app.ui import theme

TILE: Final = 136
CASE: Final = 72
_ARM: Final = 8


def grey_pixmap(pixels: npt.NDArray[np.uint8], side: int, *, smooth: bool) -> QPixmap:
    """Return grey values as a picture that fits a square of `side` logical pixels."""
    rows, columns = pixels.shape
    flat = np.ascontiguousarray(pixels)
    image = QImage(flat.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
    how = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
    return QPixmap.fromImage(image).scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio, how)


def marked(pixels: npt.NDArray[np.uint8], cell: tuple[int, int], side: int) -> QPixmap:
    """Return a map with a thin cross around a cell, nearest pixels enlarged: no cell is smoothed away."""
    picture = grey_pixmap(pixels, side, smooth=False)
    high, wide = pixels.shape
    x, y = (cell[1] + 0.5) * picture.width() / wide, (cell[0] + 0.5) * picture.height() / high
    painter = QPainter(picture)
    painter.setPen(QPen(QColor(theme.ACCENT), 1))
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        painter.drawLine(QPointF(x + 3 * dx, y + 3 * dy), QPointF(x + _ARM * dx, y + _ARM * dy))
    painter.end()
    return picture


class ChannelTile(QWidget):
    """One feature map with its channel and how much it stands out at the place."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.picture, self.words = QLabel(), QLabel()
        self.picture.setFixedSize(TILE, TILE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setProperty("role", "quiet")
        column.addWidget(self.picture)
        column.addWidget(self.words)

    def present(self, channel: ChannelPicture, cell: tuple[int, int]) -> None:
        """Show a channel."""
        self.picture.setPixmap(marked(channel.pixels, cell, TILE))
        self.words.setText(f"Channel {channel.channel + 1}, {channel.strength:+.1f} SD")
        self.setAccessibleName(self.words.text())


class CaseLine(QWidget):
    """One training case: what it is, how alike, and its picture where there is one."""

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        self.picture, self.words = QLabel(), QLabel()
        self.picture.setFixedSize(CASE, CASE)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words.setWordWrap(True)
        line.addWidget(self.picture)
        line.addWidget(self.words, 1)

    def present(self, case: LikeCase, picture: npt.NDArray[np.uint8] | None) -> None:
        """Show a case; without a picture its words alone."""
        self.picture.setVisible(picture is not None)
        if picture is not None:
            self.picture.setPixmap(grey_pixmap(picture, CASE, smooth=True))
        self.words.setText(f"{case.what}\nsimilarity {case.similarity:.2f}")

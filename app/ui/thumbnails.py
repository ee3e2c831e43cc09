"""Small pictures for lists, asked of the library only when they are painted."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from PySide6.QtCore import QObject, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from app.core.imaging.image import Image
from app.ui import theme

KEPT: Final = 600


class Thumbnails(QObject):
    """Pixmaps of the library's thumbnails, bounded in number; `changed` when one more can be painted."""

    changed = Signal()

    def __init__(self, library, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._made: OrderedDict[tuple[str, str], QPixmap] = OrderedDict()
        self._asked: dict[tuple[str, str], Image] = {}
        library.thumbnail_ready.connect(self._arrived)
        library.collection_changed.connect(lambda _: self.forget())

    def of(self, image: Image) -> QPixmap | None:
        """Return the picture, or None after asking for it."""
        if image.key in self._made:
            self._made.move_to_end(image.key)
            return self._made[image.key]
        pixels = self._library.thumbnail(image)
        if pixels is None:
            self._asked[image.key] = image
            return None
        self._asked.pop(image.key, None)
        height, width = pixels.shape
        data = pixels.tobytes()
        pixmap = QPixmap.fromImage(QImage(data, width, height, width, QImage.Format.Format_Grayscale8))
        self._made[image.key] = pixmap
        while len(self._made) > KEPT:
            self._made.popitem(last=False)
        return pixmap

    @property
    def is_settled(self) -> bool:
        """True when every picture that was asked for has come; one of a broken file counts as come."""
        return all(self._library.failure(image, image.frames // 2) for image in self._asked.values())

    def forget(self) -> None:
        """Drop all pictures (other files, or an image assigned by hand that hangs another way)."""
        self._made.clear()
        self._asked.clear()
        self.changed.emit()

    def paint(self, painter: QPainter, image: Image, cell: QRect) -> None:
        """Draw the picture fitted into `cell` on black; an empty cell where it is not there yet."""
        painter.fillRect(cell, QColor(theme.BLACK))
        pixmap = self.of(image)
        if pixmap is None:
            return
        size = pixmap.size().scaled(cell.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left = cell.left() + (cell.width() - size.width()) // 2
        if image.laterality in ("L", "R"):
            left = cell.left() if image.laterality == "L" else cell.right() + 1 - size.width()
        target = QRect(left, cell.top() + (cell.height() - size.height()) // 2, size.width(), size.height())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(target, pixmap)

    def _arrived(self, key: object) -> None:
        self._made.pop(key, None)  # type: ignore[call-overload]
        self.changed.emit()

"""Where one is in an image at actual pixels: the whole breast small, what was not seen yet darkened."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QTransform

from app.core.imaging.geometry import Affine
from app.core.reading.coverage import CELL, Coverage
from app.ui import theme
from app.ui.lettering import edged_text, small
from app.ui.painting import draw_picture, painted, resampled
from app.ui.scene import FOOT, MARGIN, Scene

EDGE: Final = 128
"""Logical pixels of the longer side."""
ABOVE_FOOT: Final = 56
"""Logical pixels kept free above the foot of the corner text."""
NARROWEST: Final = 420
"""Logical pixels of a pane, across its shorter side, that leave room for it."""
UNSEEN: Final = 150
"""How dark what was not seen lies, 0..255."""


def overview_affine(scene: Scene, edge: int) -> tuple[Affine, tuple[int, int]]:
    """Return stored -> overview device pixels, turned and mirrored as the pane is, and its (rows, columns).

    Parameters
    ----------
    edge
        Device pixels of the longer side.
    """
    assert scene.affine is not None
    assert scene.frame is not None
    linear = scene.affine.matrix[:, :2]
    turned = Affine(np.column_stack([linear, np.zeros(2)]))
    top, left, bottom, right = turned.apply_box(scene.frame.breast)
    factor = edge / max(bottom - top, right - left)
    size = (max(1, round((bottom - top) * factor)), max(1, round((right - left) * factor)))
    offset = np.array([-top * factor, -left * factor]) + 0.5 * (factor - 1)
    # Edge e of the turned grid lies at centre e - 0.5; scaled edges keep their corner.
    return Affine(np.column_stack([linear * factor, offset])), size


def paint_overview(painter: QPainter, scene: Scene) -> None:
    """Draw the overview into the free corner of a pane at actual pixels."""
    if scene.coverage is None or scene.frame is None or scene.affine is None or scene.overlay.corner == "off":
        return
    area = scene.bounds
    if min(area.width(), area.height()) < NARROWEST:
        return
    affine, size = overview_affine(scene, round(EDGE * scene.ratio))
    height, width = size[0] / scene.ratio, size[1] / scene.ratio
    left = MARGIN if scene.free_left else area.right() - MARGIN - width
    place = QRectF(round(left), round(area.bottom() - MARGIN - FOOT - ABOVE_FOOT - height), width, height)
    view = scene.pane.viewport
    painter.fillRect(place.adjusted(-1, -1, 1, 1), QColor(theme.BLACK))
    made = painted(resampled(scene.frame, affine, size, invert=view.invert), scene.frame, view)
    draw_picture(painter, made, place.topLeft(), scene.ratio)
    painter.save()
    painter.setClipRect(place)
    _darken(painter, scene.coverage, affine, place.topLeft(), scene.ratio)
    _frame(painter, scene, affine, place.topLeft())
    painter.restore()
    painter.setPen(QPen(QColor(theme.LINE), 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(place)
    words = "all seen" if scene.coverage.complete else f"seen {int(100 * scene.coverage.share)} %"
    colour = theme.TEXT if scene.coverage.complete else theme.WARNING
    edged_text(painter, QPointF(place.left(), place.top() - 6), words, colour, small())


def _darken(painter: QPainter, coverage: Coverage, affine: Affine, at: QPointF, ratio: float) -> None:
    """Lay black over the cells of the breast that were not seen."""
    dark = np.zeros((*coverage.needed.shape, 4), dtype=np.uint8)
    dark[coverage.needed & ~coverage.seen, 3] = UNSEEN
    rows, columns = coverage.needed.shape
    picture = QImage(dark.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
    # Cell edges -> stored pixel centres -> overview pixel centres -> edges again, where Qt paints.
    (a, b), (c, d) = (affine.matrix[:, :2] * CELL).tolist()
    e, f = (affine.apply([-0.5, -0.5]) + 0.5).tolist()
    painter.save()
    painter.translate(at)
    painter.scale(1 / ratio, 1 / ratio)
    painter.setTransform(QTransform(d, b, c, a, f, e), combine=True)
    painter.drawImage(QPointF(0, 0), picture)
    painter.restore()


def _frame(painter: QPainter, scene: Scene, affine: Affine, at: QPointF) -> None:
    """Outline what is on screen."""
    assert scene.affine is not None
    inside = affine.after(scene.affine.inverse())
    row0, col0, row1, col1 = inside.apply_box((0.0, 0.0, float(scene.size[0]), float(scene.size[1])))
    ratio = scene.ratio
    painter.setPen(QPen(QColor(theme.ACCENT), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(
        QRectF(at.x() + col0 / ratio, at.y() + row0 / ratio, (col1 - col0) / ratio, (row1 - row0) / ratio)
    )

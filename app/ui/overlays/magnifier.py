"""A lens with true pixels: one image pixel on one device pixel, through the image's own affine."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from app.core.imaging.geometry import Affine
from app.ui import theme
from app.ui.lettering import edged_text, small
from app.ui.painting import draw_picture, painted, resampled
from app.ui.scene import Scene

EDGE: Final = 300
"""Logical pixels of the lens."""


def lens_affine(scene: Scene, edge: int) -> tuple[Affine, float]:
    """Return stored -> lens device pixels and the magnification over the pane.

    Turned and mirrored as the pane is. Where the pane already shows true pixels or more, the lens
    doubles them.

    Parameters
    ----------
    edge
        Width of the lens in device pixels.
    """
    assert scene.affine is not None
    assert scene.lens is not None
    shown = max(scene.affine.scales)
    factor = 1.0 / shown if shown < 0.999 else 2.0
    linear = scene.affine.matrix[:, :2] * factor
    under = scene.affine.inverse().apply([scene.lens])[0]
    if factor * shown <= 1.001:
        under = np.round(under)  # whole image pixels meet whole device pixels: nothing is interpolated
    centre = np.array([edge // 2, edge // 2], dtype=np.float64)
    return Affine(np.column_stack([linear, centre - linear @ under])), factor


def paint_magnifier(painter: QPainter, scene: Scene) -> None:
    """Draw the lens about the cursor, with the pane's own window."""
    if scene.lens is None or scene.frame is None or scene.affine is None or scene.failed:
        return
    edge = round(EDGE * scene.ratio)
    affine, factor = lens_affine(scene, edge)
    view = scene.pane.viewport
    sampled = resampled(scene.frame, affine, (edge, edge), invert=view.invert)
    made = painted(sampled, scene.frame, view)
    centre = scene.to_qt(*scene.lens)
    area = scene.bounds
    # Near the chest wall the lens stays whole within its pane; its middle is still what is under the cursor.
    left = min(max(centre.x() - EDGE / 2, 0.0), max(0.0, area.right() - EDGE))
    top = min(max(centre.y() - EDGE / 2, 0.0), max(0.0, area.bottom() - EDGE))
    place = QRectF(round(left), round(top), EDGE, EDGE)
    painter.fillRect(place, QColor(theme.BLACK))
    draw_picture(painter, made, place.topLeft(), scene.ratio)
    painter.setPen(QPen(QColor(theme.QUIET), 1.0))
    painter.drawRect(place)
    words = "true pixels" if factor * max(scene.affine.scales) <= 1.001 else f"×{factor:.0f}"
    if scene.frame.refining:
        words = "refining"
    edged_text(painter, QPointF(place.left() + 6, place.bottom() - 6), words, theme.TEXT, small())

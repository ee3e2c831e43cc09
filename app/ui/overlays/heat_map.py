"""Model evidence over the image: a perceptually uniform ramp, transparent at low values.

The map is drawn from its native grid through the image's own affine, bilinearly: it is evidence, not
an outline, and it is not sharper than the grid it was computed on.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage, QPainter

from app.core.imaging.geometry import Affine
from app.core.reading.findings import Evidence
from app.services.kept import Kept
from app.services.state import OverlayState
from app.ui.painting import Picture, draw_picture
from app.ui.scene import Scene

RAMPS: Final = {
    "inferno": cv2.COLORMAP_INFERNO,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "viridis": cv2.COLORMAP_VIRIDIS,
}


PICTURES_BYTES: Final = 96 << 20
"""Most memory that pictures of maps take: a 4K screen three times over."""

WHOLE: Final = 65535
"""The maximum of a map at device pixels."""

_pictures: Kept[tuple[object, ...], Picture] = Kept(PICTURES_BYTES, lambda placed: placed[0].sizeInBytes())


def paint_heat_map(painter: QPainter, scene: Scene) -> None:
    """Draw the evidence of the scene."""
    if not scene.overlay.heatmap or scene.affine is None or scene.evidence is None:
        return
    overlay = scene.overlay
    key = (_Held(scene.evidence), scene.affine, scene.size, overlay.opacity, overlay.threshold, scene.colours)
    picture = _pictures.get(key) or _pictures.put(
        key, _picture(scene.evidence, scene.affine, scene.size, overlay, scene.colours)
    )
    draw_picture(painter, picture, QPointF(0, 0), scene.ratio)


class _Held:
    """Evidence as a cache key: the same object is the same key, and stays alive while it is one."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def __hash__(self) -> int:
        return id(self.evidence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.evidence is self.evidence


def _picture(
    evidence: Evidence, affine: Affine, size: tuple[int, int], overlay: OverlayState, colours: str
) -> Picture:
    pixels, top, left = warped(evidence, affine, size, overlay.threshold)
    ramp = _ramp(overlay.opacity, overlay.threshold, colours)
    coloured = ramp[pixels]
    rows, columns = pixels.shape
    image = QImage(coloured.data, columns, rows, columns * 4, QImage.Format.Format_ARGB32_Premultiplied)
    image.pixels = coloured  # type: ignore[attr-defined]  # QImage borrows the memory: keep it alive
    return image, top, left


@lru_cache(maxsize=4)
def _ramp(opacity: float, threshold: float, colours: str) -> npt.NDArray[np.uint32]:
    """Return the premultiplied ARGB of every value 0..65535 of a map."""
    shown = np.linspace(0.0, 1.0, WHOLE + 1)
    strength = np.clip((shown - threshold) / max(1e-6, 1.0 - threshold), 0.0, 1.0)
    index = np.rint(strength * 255).astype(np.uint8)
    bgr = cv2.applyColorMap(index[:, None], RAMPS.get(colours, cv2.COLORMAP_INFERNO))[:, 0]
    # Full opacity is reached at a quarter of the way: the edge fades, the middle does not.
    alpha = np.clip(strength * 4.0, 0.0, 1.0) * opacity
    channels = np.rint(np.column_stack([bgr * alpha[:, None], 255 * alpha])).astype(np.uint8)
    return np.ascontiguousarray(channels).view("<u4")[:, 0].astype(np.uint32)


def warped(
    evidence: Evidence, affine: Affine, size: tuple[int, int], threshold: float = 0.0
) -> tuple[npt.NDArray[np.uint16], int, int]:
    """Return the map at the device pixels where it exceeds a threshold, and where they begin (row, column).

    Parameters
    ----------
    affine
        Stored -> device pixel centres.
    size
        (rows, columns) in device pixels.
    threshold
        0..1 of the map's own maximum.

    Returns
    -------
    values
        0 to 65535, the map's own maximum; bilinear between the cells, falling to 0 at a cell beyond them.
    """
    to_device = affine.after(Affine(evidence.affine))
    values = np.maximum(np.asarray(evidence.values, dtype=np.float32), 0.0)
    highest = float(values.max(initial=0.0))
    if highest == 0.0:
        return np.zeros((0, 0), np.uint16), 0, 0
    rows, columns = np.nonzero(values > threshold * highest)
    if rows.size == 0:
        return np.zeros((0, 0), np.uint16), 0, 0
    # A cell reaches to the centres of its neighbours, one and a half from its own far edge.
    reached = (rows.min() - 1.0, columns.min() - 1.0, rows.max() + 2.0, columns.max() + 2.0)
    row0, col0, row1, col1 = to_device.apply_box(reached)
    top, left = (min(max(0, math.floor(edge)), end) for edge, end in ((row0, size[0]), (col0, size[1])))
    bottom, right = (
        min(max(start, math.ceil(edge)), end)
        for edge, start, end in ((row1, top, size[0]), (col1, left, size[1]))
    )
    if bottom == top or right == left:
        return np.zeros((0, 0), np.uint16), 0, 0
    (a, b, e), (c, d, f) = Affine.translation(-top, -left).after(to_device).matrix
    # OpenCV's points are (x, y) = (col, row): swap both sides.
    forward = np.array([[d, c, f], [b, a, e]], dtype=np.float64)
    scaled = np.rint(values * (WHOLE / highest)).astype(np.uint16)
    shown = cv2.warpAffine(
        scaled,
        forward,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    return shown, top, left

"""Model evidence over the image: a perceptually uniform ramp, transparent at low values.

The map is drawn from its native grid through the image's own affine, bilinearly: it is evidence, not
an outline, and it is not sharper than the grid it was computed on.
"""

from __future__ import annotations

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
from app.ui.scene import Scene

RAMPS: Final = {
    "inferno": cv2.COLORMAP_INFERNO,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "viridis": cv2.COLORMAP_VIRIDIS,
}


PICTURES_BYTES: Final = 96 << 20
"""Most memory that pictures of maps take: a 4K screen three times over."""

_pictures: Kept[tuple[object, ...], QImage] = Kept(PICTURES_BYTES, QImage.sizeInBytes)


def paint_heat_map(painter: QPainter, scene: Scene) -> None:
    """Draw the evidence of the scene."""
    if not scene.overlay.heatmap or scene.affine is None or scene.evidence is None:
        return
    overlay = scene.overlay
    key = (_Held(scene.evidence), scene.affine, scene.size, overlay.opacity, overlay.threshold, scene.colours)
    picture = _pictures.get(key) or _pictures.put(
        key, _picture(scene.evidence, scene.affine, scene.size, overlay, scene.colours)
    )
    picture.setDevicePixelRatio(scene.ratio)
    painter.drawImage(QPointF(0, 0), picture)


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
) -> QImage:
    shown = warped(evidence, affine, size)
    strength = np.clip((shown - overlay.threshold) / max(1e-6, 1.0 - overlay.threshold), 0.0, 1.0)
    index = np.rint(strength * 255).astype(np.uint8)
    pixels = cv2.applyColorMap(index, RAMPS.get(colours, cv2.COLORMAP_INFERNO))
    # Full opacity is reached at a quarter of the way: the edge fades, the middle does not.
    alpha = np.clip(strength * 4.0, 0.0, 1.0) * (overlay.opacity * 255)
    whole = np.dstack([pixels, np.rint(alpha).astype(np.uint8)])
    rows, columns = size
    return QImage(whole.tobytes(), columns, rows, columns * 4, QImage.Format.Format_ARGB32).copy()


def warped(evidence: Evidence, affine: Affine, size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return the map at device pixels, normalised to its own maximum, 0..1; 0 outside its grid.

    Parameters
    ----------
    affine
        Stored -> device pixel centres.
    size
        (rows, columns) in device pixels.
    """
    to_device = affine.after(Affine(evidence.affine))
    (a, b, e), (c, d, f) = to_device.matrix
    # OpenCV's points are (x, y) = (col, row): swap both sides.
    forward = np.array([[d, c, f], [b, a, e]], dtype=np.float64)
    values = np.maximum(np.asarray(evidence.values, dtype=np.float32), 0.0)
    top = float(values.max(initial=0.0))
    if top > 0:
        values = values / top
    rows, columns = size
    return cv2.warpAffine(
        values,
        forward,
        (columns, rows),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )

"""A bright marker planted outside the breast: what lies there is no lesion, and must not attract a map."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from app.core.manifest import Box
from model_zoo.breast import find_breast
from model_zoo.contract import ArrayView
from model_zoo.preprocess import DIGITAL

SIDE = 0.04
"""Of the marker, as a share of the image's longer side: the size of a lead letter."""
WHITE = 65535


def with_markers(view: ArrayView) -> list[tuple[npt.NDArray[np.uint16], Box]]:
    """Return the image with a marker close to the breast, and with one as far from it as can be.

    Returns
    -------
    list
        (pixels, box of the marker in stored pixels) of each; empty where the breast leaves no room.
    """
    made = []
    for box in marker_boxes(view):
        pixels = view.pixels.copy()
        pixels[int(box[0]) : int(box[2]), int(box[1]) : int(box[3])] = WHITE
        made.append((pixels, box))
    return made


def marker_boxes(view: ArrayView) -> list[Box]:
    """Return where markers fit: whole inside the image, at least half a marker away from the breast."""
    rows, columns = view.pixels.shape
    breast = find_breast(view.pixels, view.padding, digital=view.source in DIGITAL)
    if not breast.found:
        return []
    side = max(4, round(SIDE * max(rows, columns)))
    step = breast.factor
    high, wide = rows // step, columns // step
    away = cv2.distanceTransform(
        (~breast.mask[:high, :wide]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    half = side / (2 * step)
    rim = int(np.ceil(half))
    room = np.zeros(away.shape, np.bool_)
    room[rim : high - rim, rim : wide - rim] = True
    # From the middle of a square to its corner, and half a side of air beyond.
    room &= away >= half * np.sqrt(2) + half
    if not room.any():
        return []
    made = []
    for distance in (np.where(room, away, np.inf).argmin(), np.where(room, away, -np.inf).argmax()):
        row, col = (int(place) * step for place in np.unravel_index(int(distance), away.shape))
        top, left = row - side // 2, col - side // 2
        made.append((float(top), float(left), float(top + side), float(left + side)))
    return made if made[0] != made[1] else made[:1]

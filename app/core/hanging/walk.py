"""All pixels seen: the places to stop at when a breast is looked over at actual pixels.

A pane shows a part of a 13-megapixel view at one image pixel per device pixel. The stops cover the
breast row by row from the top, each row from the chest wall outwards, with a little overlap.
"""

from __future__ import annotations

import math

import numpy as np

from app.core.hanging.layout import justify_of
from app.core.hanging.placement import PixelBox, Size, hung
from app.core.imaging.image import Image

OVERLAP = 0.06
"""Part of the pane that neighbouring stops share: nothing falls between two of them."""
AROUND = 32
"""Image pixels about the breast that are shown too, and the least that neighbouring stops share."""

Point = tuple[float, float]


def stops(image: Image, breast: PixelBox, pane_px: Size) -> tuple[Point, ...]:
    """Return the stored (row, col) to hold at the pane's centre, one stop after the other.

    Parameters
    ----------
    breast
        (row0, col0, row1, col1) in stored pixels, edges at pixel corners.
    pane_px
        (height, width) of the pane in device pixels.
    """
    view = hung(image, image.rows, image.columns, breast, justify_of(image))
    pixel = min(view.pixel)  # at actual pixels the finer pixel is one device pixel
    around = AROUND * max(view.pixel)
    top, left = (max(0.0, edge - around) for edge in view.breast[:2])
    bottom, right = (min(end, edge + around) for end, edge in zip(view.size, view.breast[2:], strict=True))
    rows = _centres(top, bottom, pane_px[0] * pixel, around)
    columns = _centres(left, right, pane_px[1] * pixel, around)
    if view.justify == "right":
        columns.reverse()
    centres = np.array([[row, column] for row in rows for column in columns])
    return tuple((row, col) for row, col in view.affine.inverse().apply(centres).tolist())


def next_stop(at: tuple[Point, ...], focus: Point | None, step: int) -> int | None:
    """Return the number of the stop after (or before) the one in focus; None when there is none.

    A focus that is no stop (the reader has moved) goes on from the nearest; no focus, from before the
    first.
    """
    if not at:
        return None
    if focus is None:
        return 0 if step > 0 else None
    distances = [math.dist(focus, stop) for stop in at]
    found = distances.index(min(distances)) + step
    return found if 0 <= found < len(at) else None


def _centres(low: float, high: float, room: float, shared: float) -> list[float]:
    """Return the centres of as few windows of a size as cover a stretch, evenly spread."""
    if high - low <= room * (1 + 1e-9):
        return [(low + high) / 2]
    shared = min(max(shared, OVERLAP * room), room / 2)
    count = math.ceil((high - low - room) / (room - shared)) + 1
    return [float(value) for value in np.linspace(low + room / 2, high - room / 2, count)]

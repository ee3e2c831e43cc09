"""Where labels stand beside what they belong to: none over another, within the pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSizeF

LINE: Final = 15.0
"""Logical pixels from one label to the next above it."""
FARTHER: Final = (1.2, 2.4, 3.6)
"""Heights of a block by which it moves up or down where its places are taken."""
Edges = npt.NDArray[np.float64]
NEAR: Final = 24.0
"""Logical pixels from its mark within which a block of words is near."""
FAR_COST: Final = 20.0
"""Square pixels of tissue, five times over, that a pixel farther away is worth."""
GAP: Final = 8.0
"""Logical pixels between a mark and its words."""


def label_places(bounds: QRectF, boxes: list[tuple[QRectF, int]]) -> list[QPointF]:
    """Return where each label begins (left end of its base line), none over another.

    Above the box, below it where there is no room, within the pane; a label whose place is taken
    moves up line by line.

    Parameters
    ----------
    boxes
        Rectangle and width of the label, in logical pixels, first come first served.
    """
    taken: list[QRectF] = []
    places = []
    for rect, width in boxes:
        left = max(min(rect.left(), bounds.right() - width - 4), bounds.left() + 4)
        base, step = rect.top() - 5, -LINE
        if base < bounds.top() + LINE:
            base, step = rect.bottom() + LINE - 1, LINE
        base = min(base, bounds.bottom() - 4)
        place = QRectF(left, base - LINE + 4, width, LINE)
        while any(place.intersects(other) for other in taken) and bounds.contains(place.translated(0, step)):
            place.translate(0, step)
        taken.append(place)
        places.append(QPointF(place.left(), place.bottom() - 4))
    return places


def block_places(
    bounds: QRectF,
    items: Sequence[tuple[QRectF, QSizeF]],
    avoid: Edges | None = None,
    tissue: QRectF | None = None,
) -> list[QRectF]:
    """Return where blocks of words stand: right, left, below or above what they belong to.

    The first place that covers nothing is taken, else the one that covers least; leaving the pane is
    worst, then covering other words, then other marks, then standing far away, then tissue.

    Parameters
    ----------
    items
        Rectangle of the mark and size of its words, in logical pixels, first come first served.
    avoid
        Rectangles that better stay free (lines of marks, boxes of findings), as rows of `edges`.
    tissue
        Box of the breast on screen.
    """
    inner = bounds.adjusted(4, 4, -4, -4)
    room, breast = edges([inner]), edges([tissue] if tissue is not None else [])
    free = edges([]) if avoid is None else avoid
    taken = edges([])
    for rect, block in items:
        places = _candidates(rect, block, inner)
        outside = block.width() * block.height() - _covered(places, room)
        cost = 100 * outside + 20 * _covered(places, taken)
        cost += 4 * _covered(places, free) + 0.2 * _covered(places, breast)
        cost += FAR_COST * np.maximum(_distance(places, rect) - NEAR, 0.0)
        best = int(np.round(cost, 3).argmin())
        taken = np.vstack([taken, places[best]])
    return [QRectF(QPointF(left, top), QPointF(right, bottom)) for left, top, right, bottom in taken.tolist()]


def _candidates(rect: QRectF, block: QSizeF, inner: QRectF) -> Edges:
    """Return the places of a block around a rectangle, those preferred first; the pane's edge pushes back."""
    width, height = block.width(), block.height()
    middle = rect.center().y() - height / 2
    left = rect.left() - GAP - width
    right, below, above = rect.right() + GAP, rect.bottom() + GAP, rect.top() - GAP - height
    near = [(x, y) for y in (middle, below, above) for x in (right, left)]
    under = [(rect.left(), below), (rect.left(), above)]
    steps = [way * n * height for n in FARTHER for way in (1, -1)]
    far = [(x, middle + step) for step in steps for x in (right, left)]
    made = np.array([*near, *under, *far])
    low = (inner.left(), inner.top())
    high = (max(low[0], inner.right() - width), max(low[1], inner.bottom() - height))
    both = np.vstack([made, np.clip(made, low, high)])
    return np.hstack([both, both + np.array([width, height])])


def edges(rects: Sequence[QRectF]) -> Edges:
    """Return rectangles as rows of (left, top, right, bottom)."""
    found = [(rect.left(), rect.top(), rect.right(), rect.bottom()) for rect in rects]
    return np.array(found, dtype=np.float64).reshape(-1, 4)


def _distance(places: Edges, rect: QRectF) -> npt.NDArray[np.float64]:
    """Return the gap between each place and a rectangle in logical pixels, 0 where they touch."""
    across = np.maximum(rect.left() - places[:, 2], places[:, 0] - rect.right())
    down = np.maximum(rect.top() - places[:, 3], places[:, 1] - rect.bottom())
    gaps: npt.NDArray[np.float64] = np.hypot(np.maximum(across, 0.0), np.maximum(down, 0.0))
    return gaps


def _covered(places: Edges, others: Edges) -> Edges:
    """Return how much of each place (rows) the others cover, in all, in square pixels."""
    high = np.minimum(places[:, None, 2:], others[None, :, 2:])
    high -= np.maximum(places[:, None, :2], others[None, :, :2])
    np.maximum(high, 0.0, out=high)
    covered: Edges = (high[..., 0] * high[..., 1]).sum(axis=1)
    return covered

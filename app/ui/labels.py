"""Where labels stand beside what they belong to: none over another, within the pane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSizeF

LINE: Final = 15.0
"""Logical pixels from one label to the next above it."""
FARTHER: Final = (1.2, 2.4, 3.6)
"""Heights of a block by which it moves up or down where its places are taken."""
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
    avoid: Sequence[QRectF] = (),
    tissue: QRectF | None = None,
) -> list[QRectF]:
    """Return where blocks of words stand: right, left, below or above what they belong to.

    The first place that covers nothing is taken, else the one that covers least; leaving the pane is
    worst, then covering other words, then other marks, then tissue.

    Parameters
    ----------
    items
        Rectangle of the mark and size of its words, in logical pixels, first come first served.
    avoid
        Rectangles that better stay free: lines of marks, boxes of findings.
    tissue
        Box of the breast on screen.
    """
    inner = bounds.adjusted(4, 4, -4, -4)
    taken: list[QRectF] = []

    def cost(place: QRectF) -> float:
        outside = _surface(place) - _common(place, inner)
        words = sum(_common(place, other) for other in taken)
        marks = sum(_common(place, other) for other in avoid)
        covered = _common(place, tissue) if tissue is not None else 0.0
        return 100 * outside + 20 * words + 4 * marks + 0.2 * covered

    for rect, block in items:
        taken.append(min(_candidates(rect, block, inner), key=cost))
    return taken


def _candidates(rect: QRectF, block: QSizeF, inner: QRectF) -> list[QRectF]:
    """Return the places of a block around a rectangle, those preferred first; the pane's edge pushes back."""
    width, height = block.width(), block.height()
    middle = rect.center().y() - height / 2
    left = rect.left() - GAP - width
    right, below, above = rect.right() + GAP, rect.bottom() + GAP, rect.top() - GAP - height
    made = [
        QRectF(x, y, width, height)
        for x, y in (
            (right, middle),
            (left, middle),
            (right, below),
            (left, below),
            (right, above),
            (left, above),
            (rect.left(), below),
            (rect.left(), above),
            *(
                (x, y)
                for n in FARTHER
                for x in (right, left)
                for y in (middle + n * height, middle - n * height)
            ),
        )
    ]
    return [*made, *(_pushed(each, inner) for each in made)]


def _pushed(place: QRectF, inner: QRectF) -> QRectF:
    left = max(min(place.left(), inner.right() - place.width()), inner.left())
    top = max(min(place.top(), inner.bottom() - place.height()), inner.top())
    return QRectF(left, top, place.width(), place.height())


def _surface(rect: QRectF) -> float:
    return max(0.0, rect.width()) * max(0.0, rect.height())


def _common(one: QRectF, other: QRectF) -> float:
    return _surface(one.intersected(other)) if one.intersects(other) else 0.0

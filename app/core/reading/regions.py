"""Which pixels lie in a region the reader drew: those whose centre is inside.

Points are (row, col) of stored pixels, pixel centres at integers. Upper and left edges belong to a
region, lower and right ones do not, so that of two regions that share an edge each pixel is in one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.core.reading.annotations import Kind, Point

REGIONS: Final[tuple[Kind, ...]] = ("rectangle", "ellipse", "polygon")
"""Kinds of annotation that have an area."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Pixels of a frame.

    Attributes
    ----------
    top, left
        Stored row and column of the mask's first element.
    inside
        bool, (rows, columns) of the region's upright box within the frame; may be empty.
    """

    top: int
    left: int
    inside: npt.NDArray[np.bool_]


def region(kind: Kind, points: Sequence[Point], shape: tuple[int, int]) -> Region:
    """Return the pixels of a rectangle, an ellipse or a polygon.

    Parameters
    ----------
    points
        As in `app.core.reading.annotations.POINTS`.
    shape
        (rows, columns) of the frame.

    Raises
    ------
    ValueError
        For a kind without an area.
    """
    if kind not in REGIONS:
        raise ValueError(f"a {kind} has no area")
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    # The pixels c of [low, high) are those from ceil(low) up to ceil(high) - 1.
    top, left = (max(0, math.ceil(value)) for value in low.tolist())
    bottom, right = (min(n, math.ceil(v)) for v, n in zip(high.tolist(), shape, strict=True))
    size = (max(0, bottom - top), max(0, right - left))
    if kind == "rectangle" or 0 in size:
        return Region(top, left, np.ones(size, np.bool_))
    if kind == "ellipse":
        return Region(top, left, _ellipse(low, high, top, left, size))
    return Region(top, left, _polygon(points, top, left, size))


def _ellipse(
    low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], top: int, left: int, size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    centre, half = (low + high) / 2, (high - low) / 2
    rows = (np.arange(top, top + size[0]) - centre[0]) / half[0]
    columns = (np.arange(left, left + size[1]) - centre[1]) / half[1]
    inside: npt.NDArray[np.bool_] = rows[:, None] ** 2 + columns[None, :] ** 2 < 1.0
    return inside


def _polygon(points: Sequence[Point], top: int, left: int, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Even-odd rule: a pixel is inside when an odd number of sides lies to its right."""
    crossings = np.zeros((size[0], size[1] + 1), np.uint8)
    for (row0, col0), (row1, col1) in zip(points, [*points[1:], points[0]], strict=True):
        (upper, at_upper), (lower, at_lower) = sorted([(row0, col0), (row1, col1)])
        first, last = max(top, math.ceil(upper)), min(top + size[0], math.ceil(lower))
        if first >= last:  # a side along a row crosses none
            continue
        rows = np.arange(first, last)
        crossed = at_upper + (rows - upper) / (lower - upper) * (at_lower - at_upper)
        # Pixels with a smaller column than the crossing have it to their right: as many as ceil says.
        places = np.clip(np.ceil(crossed - left), 0, size[1]).astype(np.intp)
        np.bitwise_xor.at(crossings, (rows - top, places), np.uint8(1))
    from_right = np.bitwise_xor.accumulate(crossings[:, ::-1], axis=1)[:, ::-1]
    return from_right[:, 1:].astype(np.bool_)


def crosses_itself(points: Sequence[Point]) -> bool:
    """Tell whether two sides of a polygon that are no neighbours meet: its area then has no meaning."""
    points = [point for i, point in enumerate(points) if point != points[i - 1]]
    count = len(points)
    sides = [(points[i], points[(i + 1) % count]) for i in range(count)]
    return any(
        _meet(*sides[i], *sides[j]) for i in range(count) for j in range(i + 2, count) if (j + 1) % count != i
    )


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell whether the segment a-b meets c-d elsewhere than along a common line."""
    ways = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    return ways[0] * ways[1] <= 0 and ways[2] * ways[3] <= 0 and any(ways)


def _turn(a: Point, b: Point, c: Point) -> float:
    cross = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    return math.copysign(1.0, cross) if cross else 0.0

"""Panning by whole device pixels: what was on screen moves, only what comes into view is resampled.

The hand moves by whole pixels, so a pan is a shift of the values already resampled, exactly; a strip
at two edges is new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from app.core.imaging.geometry import Affine
from app.core.imaging.resample import Sampled

SAME: Final = 1e-4
"""Device pixels by which a shift may miss a whole number: far below what a value could show."""
WORTH: Final = 0.5
"""Part of the pane that must stay in view for a shift to be worth its copies."""

Resample = Callable[[Affine, tuple[int, int]], Sampled]
"""Affine to device pixels and (rows, columns) -> values there."""


def whole_shift(old: Affine, new: Affine) -> tuple[int, int] | None:
    """Return (rows, columns) by which `new` moves what `old` shows, or None if it is not a whole shift."""
    difference = new.matrix - old.matrix
    if np.abs(difference[:, :2]).max() > 1e-12:
        return None
    by = np.round(difference[:, 2])
    if np.abs(difference[:, 2] - by).max() > SAME:
        return None
    return (int(by[0]), int(by[1]))


def shifted(old: Sampled, by: tuple[int, int], affine: Affine, resample: Resample) -> Sampled | None:
    """Return the values under `affine`, which moved by `by` since `old`; None where all must be made.

    Parameters
    ----------
    affine
        The new one: stored -> device pixel centres.
    resample
        Makes the strips that came into view.
    """
    rows, columns = old.shape
    kept = (rows - abs(by[0])) * (columns - abs(by[1]))
    if by == (0, 0) or abs(by[0]) >= rows or abs(by[1]) >= columns or kept < WORTH * rows * columns:
        return None
    parts = [(old, old.top + by[0], old.left + by[1])]
    for top, left, height, width in _strips(rows, columns, by):
        strip = resample(Affine.translation(-top, -left).after(affine), (height, width))
        parts.append((strip, strip.top + top, strip.left + left))
    return _joined(parts, old.shape)


def _strips(rows: int, columns: int, by: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return (top, left, height, width) of what came into view: a band and a column, not overlapping."""
    strips = []
    if by[0]:
        strips.append((0 if by[0] > 0 else rows + by[0], 0, abs(by[0]), columns))
    if by[1]:
        top, height = max(by[0], 0), rows - abs(by[0])
        strips.append((top, 0 if by[1] > 0 else columns + by[1], height, abs(by[1])))
    return strips


def _joined(parts: list[tuple[Sampled, int, int]], shape: tuple[int, int]) -> Sampled:
    """Return one `Sampled` of all parts, each clipped to the pane."""
    boxes = []
    for part, top, left in parts:
        height, width = part.values.shape
        box = (max(top, 0), max(left, 0), min(top + height, shape[0]), min(left + width, shape[1]))
        if box[2] > box[0] and box[3] > box[1]:
            boxes.append((part, top, left, box))
    if not boxes:
        return Sampled(np.zeros((0, 0), np.uint16), None, 0, 0, shape)
    top, left = (min(box[i] for *_, box in boxes) for i in (0, 1))
    bottom, right = (max(box[i] for *_, box in boxes) for i in (2, 3))
    values = np.zeros((bottom - top, right - left), np.uint16)
    is_covered = all(part.coverage is None for part, *_ in boxes)
    coverage = None if is_covered else np.zeros(values.shape, np.uint8)
    for part, own_top, own_left, (row0, col0, row1, col1) in boxes:
        source = (slice(row0 - own_top, row1 - own_top), slice(col0 - own_left, col1 - own_left))
        target = (slice(row0 - top, row1 - top), slice(col0 - left, col1 - left))
        values[target] = part.values[source]
        if coverage is not None:
            coverage[target] = 255 if part.coverage is None else part.coverage[source]
    return Sampled(values, coverage, top, left, shape)

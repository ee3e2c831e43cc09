"""A resolution pyramid of area means, weighted by the mask so that the skin line keeps its value.

Level k holds blocks of 2**k x 2**k stored pixels. Each level is halved to make the next; one with an odd
number of rows or columns goes on with its last one. Padding takes no part in a mean; `coverage` says how
much of a block is not padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.imaging.background import Surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import index_of, stored_range
from app.core.imaging.image import Grey

Values = npt.NDArray[np.uint16]
Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_SMALLEST = 512
"""Halving stops when the longer side is at most this."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One resolution.

    Attributes
    ----------
    values
        Read-only uint16 indices (stored value - `Pyramid.low`), shape (rows, columns). Where nothing is
        covered they mean nothing.
    coverage
        Read-only uint8, 0 (all masked) to 255 (nothing masked); None at level 0, where the mask itself
        says it, and where there is no mask.
    unpadded
        The same of the padding alone; the same array where all that is masked is padding.
    to_stored
        Centre coordinates of this level to those of stored pixels.
    """

    values: Values
    coverage: Bytes | None
    unpadded: Bytes | None
    to_stored: Affine


@dataclass(frozen=True, slots=True, eq=False)
class Pyramid:
    """All resolutions of one frame, finest first.

    Attributes
    ----------
    levels
        Level 0 shares memory with the stored pixels where they are uint16.
    low
        Stored value of index 0.
    mask
        True where padding or background air is; None if nowhere.
    padding
        The part of the mask that is padding; None if nowhere. The rest is air: its pixels count in the
        means and are shown as they are, unless inverted.
    seen
        Box (row0, col0, row1, col1) of stored pixels outside which all is padding.
    nbytes
        Bytes held beyond the stored pixels and the mask.
    """

    levels: tuple[Level, ...]
    low: int
    mask: Mask | None
    padding: Mask | None
    seen: tuple[int, int, int, int]
    nbytes: int

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the stored image."""
        rows, columns = self.levels[0].values.shape
        return (rows, columns)


def build(stored: npt.NDArray[Any], around: Surroundings | None, grey: Grey) -> Pyramid:
    """Build the pyramid of one frame.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns), any integer type of at most 16 bits.
    around
        What of the frame is padding or air; None for nothing.

    Returns
    -------
    Levels of half the size each (rounded up), until the longer side is at most 512.
    """
    mask, padding = (None, None) if around is None else (around.dark, around.padding)
    mask, padding = (each if each is not None and each.any() else None for each in (mask, padding))
    index = index_of(stored, grey)
    levels = [Level(_frozen(index), None, None, Affine.identity())]
    values, unpadded = index, _outside(padding)
    coverage = unpadded if mask is padding else _outside(mask)
    while max(values.shape) > _SMALLEST:
        finer, values = values, _halve(values)
        if unpadded is not None:
            weights, unpadded = unpadded, _frozen(_halve(unpadded))
            _weigh(values, unpadded, finer, weights)
        if mask is padding:
            coverage = unpadded
        elif coverage is not None:
            coverage = _frozen(_halve(coverage))
        # Block i covers stored pixels step*i .. step*i + step-1: its centre is their mean.
        step = float(1 << len(levels))
        levels.append(Level(_frozen(values), coverage, unpadded, Affine.scale_edges(step)))
    held = {id(array): array for each in levels[1:] for array in (each.values, each.coverage, each.unpadded)}
    nbytes = sum(array.nbytes for array in held.values() if array is not None)
    nbytes += 0 if np.shares_memory(index, stored) else index.nbytes
    nbytes += 0 if mask is padding or padding is None else padding.nbytes
    seen = (0, 0, *stored.shape[:2]) if padding is None else _extent(padding)
    return Pyramid(tuple(levels), stored_range(grey)[0], mask, padding, seen, nbytes)


def _outside(mask: Mask | None) -> Bytes | None:
    """Return 255 where nothing is masked, else 0."""
    return None if mask is None else _frozen(np.multiply(~mask, 255, dtype=np.uint8))


def _extent(mask: Mask) -> tuple[int, int, int, int]:
    """Return the box of all pixels that are not masked; the whole image if there is none."""
    down, across = np.flatnonzero(~mask.all(axis=1)), np.flatnonzero(~mask.all(axis=0))
    if down.size == 0:
        return (0, 0, mask.shape[0], mask.shape[1])
    return (int(down[0]), int(across[0]), int(down[-1]) + 1, int(across[-1]) + 1)


def _weigh(values: Values, coverage: Bytes, finer: Values, weights: Bytes) -> None:
    """Put the weighted mean where blocks are covered in part; elsewhere the plain mean is right already."""
    rows, columns = np.divmod(np.flatnonzero(cv2.inRange(coverage, 1, 254)), coverage.shape[1])
    last_row, last_column = finer.shape[0] - 1, finer.shape[1] - 1
    total = np.zeros(rows.shape, np.float32)
    weight = np.zeros(rows.shape, np.float32)
    for down in (0, 1):
        for across in (0, 1):
            # An odd number of rows or columns goes on with the last one, as in `_halve`.
            place = (np.minimum(2 * rows + down, last_row), np.minimum(2 * columns + across, last_column))
            part = weights[place].astype(np.float32)
            total += part * finer[place]
            weight += part
    values[rows, columns] = np.rint(total / weight).astype(np.uint16)


def _halve(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    rows, columns = array.shape
    if rows % 2 or columns % 2:
        array = cv2.copyMakeBorder(array, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
    size = (array.shape[1] // 2, array.shape[0] // 2)
    half: npt.NDArray[Any] = cv2.resize(array, size, interpolation=cv2.INTER_AREA)
    return half


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = array.view()
    view.setflags(write=False)
    return view

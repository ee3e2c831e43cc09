"""Pictures that stand in a data set twice: identical, or alike to the eye.

Arithmetic for 50,000 pictures: 1.25e9 pairs. What is common to all eight positions is 135 numbers, so all
pairs cost 2 x 135 x 1.25e9 = 3.4e11 operations in matrix products of blocks (a few seconds on two cores);
of real pictures less than one pair in a thousand is left and compared in the eight positions
(2 x 256 x 8 x 1.25e6 = 5e9). Memory: 50,000 x (135 + 256) x 4 = 78 MB, and 1024 x 8192 x 4 = 34 MB
for a block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trainer.audit.marks import TWINS, likeness, positionless, unit

Indices = npt.NDArray[np.intp]

_MAYBE = 0.72
"""Agreement of what is common to all positions below which a pair is not looked at further.

Of the pairs with a likeness of 0.9 and more in the measurement of `marks` none lay below.
"""
_ROWS, _COLUMNS = 1024, 8192
_AT_ONCE = 50_000
MOST = 200_000
"""Pairs kept: a set with more is no set of different pictures."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows of a manifest, by number, and how alike their pictures are, 0.9..1."""

    first: int
    second: int
    likeness: float


def identical(marks: Sequence[str]) -> list[list[int]]:
    """Return groups of numbers of rows with the same mark; rows without a mark are in no group."""
    groups: dict[str, list[int]] = {}
    for number, mark in enumerate(marks):
        if mark:
            groups.setdefault(mark, []).append(number)
    return [group for group in groups.values() if len(group) > 1]


def _maybe(common: npt.NDArray[np.float32]) -> Iterator[tuple[Indices, Indices]]:
    """Give pairs (first < second) that may be alike, in bites."""
    for top in range(0, len(common), _ROWS):
        some = common[top : top + _ROWS]
        for left in range(top, len(common), _COLUMNS):
            first, second = np.nonzero(some @ common[left : left + _COLUMNS].T >= _MAYBE)
            first, second = first + top, second + left
            once = first < second
            for start in range(0, int(once.sum()), _AT_ONCE):
                bite = slice(start, start + _AT_ONCE)
                yield first[once][bite], second[once][bite]


def alike(codes: npt.NDArray[np.int8], least: float = TWINS) -> list[Pair]:
    """Return the pairs of codes (N, 16, 16) that are perceptual twins in any of the eight positions.

    At most `MOST`, those found first.
    """
    vectors = unit(codes)
    found: list[Pair] = []
    for first, second in _maybe(positionless(vectors)):
        alikes = likeness(vectors[first], vectors[second])
        for place in np.flatnonzero(alikes >= least):
            found.append(Pair(int(first[place]), int(second[place]), round(float(alikes[place]), 4)))
        if len(found) >= MOST:
            return found[:MOST]
    return found

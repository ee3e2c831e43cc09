"""Which parts of a breast have been on screen at actual pixels or larger: a coarse map of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.imaging.geometry import Box

CELL = 32
"""Stored pixels along each edge of a cell."""

Cells = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """What was seen of one frame.

    Attributes
    ----------
    rows, columns
        Of the frame in stored pixels.
    needed, seen
        Read-only, one value per cell (the last cells may be smaller): whether any of the breast lies in
        it; whether all of it has been shown.
    """

    rows: int
    columns: int
    needed: Cells
    seen: Cells

    @property
    def share(self) -> float:
        """Part of the breast that was seen, 0..1 in cells; 1.0 where there is no breast."""
        count = int(self.needed.sum())
        return 1.0 if count == 0 else float((self.seen & self.needed).sum() / count)

    @property
    def complete(self) -> bool:
        """Whether nothing of the breast is left."""
        return not bool((self.needed & ~self.seen).any())


def unseen(mask: Cells) -> Coverage:
    """Return the coverage of a frame of which nothing was seen.

    Parameters
    ----------
    mask
        True where padding or air, shape (rows, columns).
    """
    rows, columns = mask.shape
    high, wide = -(-rows // CELL), -(-columns // CELL)
    air = np.ones((high * CELL, wide * CELL), dtype=bool)
    air[:rows, :columns] = mask
    needed: Cells = np.logical_not(air.reshape(high, CELL, wide, CELL).all(axis=(1, 3)))
    needed.setflags(write=False)
    seen = np.zeros_like(needed)
    seen.setflags(write=False)
    return Coverage(rows, columns, needed, seen)


def shown(coverage: Coverage, visible: Box) -> Coverage:
    """Return the coverage after a box of stored pixels (edges at pixel corners) was on screen.

    The same object where that is no news.
    """
    row0, row1 = _whole(visible[0], visible[2], coverage.rows)
    col0, col1 = _whole(visible[1], visible[3], coverage.columns)
    if coverage.seen[row0:row1, col0:col1].all():
        return coverage
    seen = coverage.seen.copy()
    seen[row0:row1, col0:col1] = True
    seen.setflags(write=False)
    return Coverage(coverage.rows, coverage.columns, coverage.needed, seen)


def _whole(low: float, high: float, size: int) -> tuple[int, int]:
    """Return the first and the past-the-last cell that lie wholly between two edges."""
    first = max(0, int(np.ceil(low / CELL - 1e-9)))
    last = -(-size // CELL) if high >= size - 1e-6 else int(np.floor(high / CELL + 1e-9))
    return first, max(first, last)

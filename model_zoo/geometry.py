"""Turns, affines and boxes between stored and prepared pixels.

Points are (row, col) with pixel centres at whole numbers; boxes are (row0, col0, row1, col1) with
edges at pixel corners, half-open, so a box edge e lies at centre coordinate e - 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""2x3: takes (row, col, 1) to (row, col)."""

_FEET_DOWN = ("MLO", "ML", "LM", "LMO", "SIO", "ISO")


@dataclass(frozen=True, slots=True)
class Turn:
    """One of the eight dihedral operations: transpose first, then the flips."""

    transpose: bool = False
    flip_rows: bool = False
    flip_cols: bool = False

    def shape(self, rows: int, columns: int) -> tuple[int, int]:
        """Return the shape of a turned array."""
        return (columns, rows) if self.transpose else (rows, columns)

    def apply(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the turned array (a view of the same memory)."""
        turned = array.T if self.transpose else array
        return turned[:: -1 if self.flip_rows else 1, :: -1 if self.flip_cols else 1]

    def undo(self, rows: int, columns: int) -> Matrix:
        """Return the affine from turned pixel centres back to those of a (rows, columns) array."""
        high, wide = self.shape(rows, columns)
        row = (-1.0, 0.0, high - 1.0) if self.flip_rows else (1.0, 0.0, 0.0)
        col = (0.0, -1.0, wide - 1.0) if self.flip_cols else (0.0, 1.0, 0.0)
        return np.array([col, row] if self.transpose else [row, col], np.float64)


def facing_left(orientation: tuple[str, str], laterality: str | None, view: str | None) -> Turn:
    """Return the turn that puts the chest wall on the left, and head or lateral side on top.

    Both breasts come to lie alike: the right one is the mirror image of its usual hanging.

    Parameters
    ----------
    orientation
        (row direction, column direction) letters of Patient Orientation, DICOM PS3.3 C.7.6.1.1.1.
    laterality, view
        ``L``/``R`` and view, or None. MLO, ML, LM, LMO, SIO, ISO come with the feet down, other views
        with the medial side down (IHE mammography profile); what the letters do not tell stays.
    """
    row, col = (letters.upper() for letters in orientation)
    transpose = _letter(row, "AP") is None and _letter(col, "AP") is not None
    # An oblique direction may name A or P second; the axis that names it first runs front to back.
    if row[:1] not in ("A", "P") and col[:1] in ("A", "P"):
        transpose = True
    if transpose:
        row, col = col, row
    flip_cols = _letter(row, "AP") == "P"
    if view in _FEET_DOWN or view is None:
        upside_down = _letter(col, "HF") == "H"
        if view is None and _letter(col, "HF") is None:
            upside_down = laterality is not None and laterality in col
    else:
        upside_down = laterality is not None and laterality in col
    return Turn(transpose, upside_down, flip_cols)


def _letter(letters: str, among: str) -> str | None:
    return next((letter for letter in letters if letter in among), None)


def after(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the affine that applies `inner` first, then `outer`."""
    return np.hstack([outer[:, :2] @ inner[:, :2], outer[:, :2] @ inner[:, 2:] + outer[:, 2:]])


def inverse(affine: Matrix) -> Matrix:
    """Return the affine that undoes `affine`."""
    linear = np.linalg.inv(affine[:, :2])
    return np.hstack([linear, -linear @ affine[:, 2:]])


def scaled(row: float, col: float) -> Matrix:
    """Return the affine from centres of a resized grid to those of its source, edges on edges.

    Parameters
    ----------
    row, col
        Source pixels per resized pixel along each axis.
    """
    return np.array([[row, 0.0, (row - 1.0) / 2.0], [0.0, col, (col - 1.0) / 2.0]])


def shifted(row: float, col: float) -> Matrix:
    """Return the affine that adds (row, col)."""
    return np.array([[1.0, 0.0, row], [0.0, 1.0, col]])


def map_points(affine: Matrix, points: npt.ArrayLike) -> Matrix:
    """Return (N, 2) points (row, col) taken through the affine."""
    given = np.asarray(points, np.float64).reshape(-1, 2)
    mapped: Matrix = given @ affine[:, :2].T + affine[:, 2]
    return mapped


def map_boxes(affine: Matrix, boxes: npt.ArrayLike) -> Matrix:
    """Return (N, 4) boxes taken through an affine of pixel centres that keeps axes parallel."""
    given = np.asarray(boxes, np.float64).reshape(-1, 4)
    first = map_points(affine, given[:, :2] - 0.5) + 0.5
    last = map_points(affine, given[:, 2:] - 0.5) + 0.5
    return np.hstack([np.minimum(first, last), np.maximum(first, last)])


def clip_boxes(boxes: Matrix, rows: int, columns: int) -> Matrix:
    """Return the boxes cut at the edges of a (rows, columns) image."""
    limit = np.array([rows, columns, rows, columns], np.float64)
    clipped: Matrix = np.clip(boxes, 0.0, limit)
    return clipped

"""Which way up a mammogram hangs: one of the eight dihedral operations, from Patient Orientation.

The rule is that of the IHE mammography reference viewer (PixelMed MammoImageViewer): chest wall of
the right breast on the right of the image, of the left breast on the left; feet (obliques and
laterals) or the medial side (cranio-caudals) at the bottom. Canonical letters: RCC P\\L, LCC A\\R,
RMLO P\\FL, LMLO A\\FR. Patient Orientation (0020,0020): PS3.3 C.7.6.1.1.1; the first letters tell where
a row runs to with growing column, the second where a column runs to with growing row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.imaging.background import breast_region
from app.core.imaging.geometry import Affine
from app.core.imaging.image import Laterality

Orientation = tuple[str, str]

FEET_DOWN_VIEWS = frozenset({"MLO", "ML", "LM", "LMO", "SIO", "ISO"})
"""Views hung with the feet at the bottom; all others have the medial side there."""

_OPPOSITE = str.maketrans("APLRHF", "PARLFH")


@dataclass(frozen=True, slots=True)
class Hang:
    """One of the eight dihedral operations on a pixel grid: transpose first, then flips.

    Attributes
    ----------
    transpose
        Rows become columns.
    flip_rows
        Then the order of rows is reversed (top to bottom).
    flip_cols
        Then the order of columns is reversed (left to right).
    """

    transpose: bool = False
    flip_rows: bool = False
    flip_cols: bool = False

    def flipped(self, *, horizontally: bool = False, vertically: bool = False) -> Hang:
        """Return this hang followed by what the reader flips on screen."""
        return Hang(self.transpose, self.flip_rows != vertically, self.flip_cols != horizontally)


def opposite(letters: str) -> str:
    """Return the letters of the opposite direction (A and P, L and R, H and F change places)."""
    return letters.translate(_OPPOSITE)


def canonical(orientation: Orientation | None, laterality: Laterality | None, view: str | None) -> Hang:
    """Return the operation that hangs an image as a radiologist expects it.

    Parameters
    ----------
    orientation
        Letters of the stored rows and columns; None, or letters of which neither names anterior or
        posterior, give the identity (nothing is turned on a guess).
    laterality
        With None or ``B`` only what does not depend on the side is done: the transpose, and feet down.
    view
        As in `Image.view`; a specimen hangs as stored, for it has no patient directions.

    Notes
    -----
    Columns of an oblique or lateral view that name neither F nor H are judged by their L or R.
    """
    if orientation is None or view == "SPECIMEN":
        return Hang()
    row, column = (letters.upper() for letters in orientation)
    transpose = not _has(row, "AP")
    if transpose:
        row, column = column, row
    if not _has(row, "AP"):
        return Hang()
    side = laterality if laterality in ("L", "R") else None
    flip_cols = side is not None and ("P" if side == "R" else "A") not in row
    return Hang(transpose, _upside_down(column, side, view), flip_cols)


def hung_shape(hang: Hang, rows: int, columns: int) -> tuple[int, int]:
    """Return (rows, columns) of the hung image."""
    return (columns, rows) if hang.transpose else (rows, columns)


def hang_affine(hang: Hang, rows: int, columns: int) -> Affine:
    """Return the map from stored to hung pixel centres of an image of that stored size."""
    height, width = hung_shape(hang, rows, columns)
    linear = np.array([[0.0, 1.0], [1.0, 0.0]]) if hang.transpose else np.eye(2)
    offset = np.zeros(2)
    if hang.flip_rows:
        linear[0] *= -1
        offset[0] = height - 1
    if hang.flip_cols:
        linear[1] *= -1
        offset[1] = width - 1
    return Affine(np.column_stack([linear, offset]))


def turn(array: npt.NDArray[Any], hang: Hang) -> npt.NDArray[Any]:
    """Return the hung view of pixels, sharing memory.

    Parameters
    ----------
    array
        Shape (rows, columns) or (rows, columns, channels) in stored orientation.
    """
    turned = np.swapaxes(array, 0, 1) if hang.transpose else array
    return turned[:: -1 if hang.flip_rows else 1, :: -1 if hang.flip_cols else 1]


def hung_letters(orientation: Orientation | None, hang: Hang) -> Orientation | None:
    """Return the row and column letters of the hung image, None where the stored ones are unknown."""
    if orientation is None:
        return None
    row, column = reversed(orientation) if hang.transpose else orientation
    return (opposite(row) if hang.flip_cols else row, opposite(column) if hang.flip_rows else column)


def edge_letters(orientation: Orientation | None, hang: Hang) -> tuple[str, str, str, str] | None:
    """Return the letters to write at the (top, right, bottom, left) edges of the hung image."""
    letters = hung_letters(orientation, hang)
    if letters is None:
        return None
    row, column = letters
    return (opposite(column), row, column, opposite(row))


def chest_wall(
    stored: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_],
    laterality: Laterality | None,
    view: str | None,
) -> Orientation | None:
    """Infer Patient Orientation from pixels: the breast is broad at the chest wall, narrow at the nipple.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns); only its shape counts.
    mask
        True where padding or air is.

    Returns
    -------
    (row letters, column letters), to be marked as inferred; None where no side stands out (a spot view,
    a mask that says nothing) .

    Notes
    -----
    Pixels tell where the chest wall is, and for obliques which end the axilla is at (the broader one).
    They cannot tell the lateral from the medial side of a cranio-caudal view, nor a mirrored image from
    one turned over: such an image is taken to be unmirrored where its chest wall allows, else mirrored
    from left to right.
    """
    if mask.shape != stored.shape:
        raise ValueError("the mask has another shape than the image")
    step = max(1, -(-max(mask.shape) // 512))
    region = breast_region(mask[step // 2 :: step, step // 2 :: step])
    if not region.any():
        return None
    down, across = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    region = region[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    top, bottom, left, right = _breadths(region)
    if max(abs(top - bottom), abs(left - right)) < 0.15 * max(region.shape):
        return None
    medial = {"L": "R", "R": "L"}.get(laterality or "", "")
    feet = view in FEET_DOWN_VIEWS
    # Canonical direction of a column of this view; empty where not even the laterality is known.
    down_letters = f"F{medial}" if feet else medial
    if abs(left - right) >= abs(top - bottom):
        flip = feet and bottom - top > 0.1 * region.shape[1]
        return ("A" if left > right else "P", opposite(down_letters) if flip else down_letters)
    # Chest wall above or below: the image was turned by 90 degrees, never mirrored.
    chest_is_left_when_hung = laterality == "L"
    clockwise = (top > bottom) == chest_is_left_when_hung
    row = opposite(down_letters) if clockwise else down_letters
    flip = feet and abs(left - right) > 0.1 * region.shape[0] and ((left > right) == clockwise)
    return (opposite(row) if flip else row, "A" if top > bottom else "P")


def _breadths(region: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Return how many pixels of the box's (top, bottom, left, right) edge the region takes up."""
    rows, columns = region.shape
    deep, wide = max(1, rows // 50), max(1, columns // 50)
    return (
        int(region[:deep].any(axis=0).sum()),
        int(region[-deep:].any(axis=0).sum()),
        int(region[:, :wide].any(axis=1).sum()),
        int(region[:, -wide:].any(axis=1).sum()),
    )


def _has(letters: str, wanted: str) -> bool:
    return any(letter in letters for letter in wanted)


def _upside_down(column: str, side: str | None, view: str | None) -> bool:
    if (view in FEET_DOWN_VIEWS or view is None) and _has(column, "FH"):
        return "F" not in column
    return side is not None and side in column

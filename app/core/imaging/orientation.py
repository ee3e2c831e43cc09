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

from app.core.imaging.background import breast_region, thinned
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
    some = thinned(mask.shape, step)
    region = breast_region(mask[some])
    if not region.any() or not mask.any():
        return None
    values = stored[some].astype(np.float64)
    values = np.abs(values - np.median(values[mask[some]])) if mask[some].any() else values
    box = (_body(region.sum(axis=1)), _body(region.sum(axis=0)))
    region, values = region[box], values[box] * region[box]
    side = _broad_side(region)
    if side is None:
        return None
    # Turn the picture so that it hangs upright with its chest wall where `laterality` wants it, but for
    # mirroring: the letters there are canonical, and turning them back gives those of the stored picture.
    medial = {"L": "R", "R": "L"}.get(laterality or "", "")
    column = f"F{medial}" if view in FEET_DOWN_VIEWS else medial
    quarter = {"top": laterality == "L", "bottom": laterality != "L"}.get(side)
    upright = values if quarter is None else np.rot90(values, 1 if quarter else -1)
    chest_left = side == "left" or (quarter is not None and laterality == "L")
    if view in FEET_DOWN_VIEWS and _axilla_is_below(upright, chest_left):
        column = opposite(column)
    row = "A" if chest_left else "P"
    if quarter is None:
        return (row, column)
    # Undo the turn: counter-clockwise made the old left-to-right direction run from bottom to top.
    return (opposite(column), row) if quarter else (column, opposite(row))


def _body(counts: npt.NDArray[np.int_]) -> slice:
    """Return where the breast is more than a thread: film edges and labels may hang on it."""
    thick = np.flatnonzero(counts > 0.05 * counts.max())
    return slice(int(thick[0]), int(thick[-1]) + 1)


def _broad_side(region: npt.NDArray[np.bool_]) -> str | None:
    """Return the edge of its box along which the breast is broad while the one across is narrow."""
    top, bottom, left, right = _breadths(region)
    rows, columns = region.shape
    if abs(left - right) >= max(abs(top - bottom), 0.15 * max(rows, columns)):
        return "left" if left > right else "right"
    # An image on its side is rare: only a plain case counts.
    if abs(top - bottom) >= 0.15 * max(rows, columns) and min(top, bottom) < 0.5 * columns:
        return "top" if top > bottom else "bottom"
    return None


def _axilla_is_below(upright: npt.NDArray[np.float64], chest_left: bool) -> bool:
    """Tell whether the pectoral muscle, bright in its corner at the chest wall, plainly lies at the bottom.

    In 252 of 254 films of mini-MIAS the upper corner is the brighter one, in none the lower one is twice
    as bright: that is asked for, because most images hang upright.
    """
    rows, columns = upright.shape
    height, width = max(1, rows // 6), max(1, columns // 3)
    wall = upright[:, :width] if chest_left else upright[:, -width:]
    return bool(wall[-height:].mean() > 2.0 * wall[:height].mean())


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

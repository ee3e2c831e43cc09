"""The eight ways in which one view can be stored, and how truth follows the pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from app.core.phantom.exam import PhantomView

Orientation = tuple[str, str]
_T = TypeVar("_T", bound=np.generic)
_OPPOSITE = str.maketrans("APLRHF", "PARLFH")


def stored_orientations(view: PhantomView) -> tuple[Orientation, ...]:
    """Return the eight Patient Orientations a view can be stored in, its own first.

    Rows and columns run along the same two directions of the patient, either way and either order.
    """
    row, column = view.orientation
    ways = []
    for first, second in ((row, column), (column, row)):
        for one in (first, first.translate(_OPPOSITE)):
            ways += [(one, other) for other in (second, second.translate(_OPPOSITE))]
    return tuple(ways)


def turn_view(view: PhantomView, orientation: Orientation) -> PhantomView:
    """Return a view with pixels, truth and nipple as stored in another orientation.

    Raises
    ------
    ValueError
        If the letters are none of `stored_orientations`.
    """
    if orientation not in stored_orientations(view):
        raise ValueError(f"a {view.label} cannot be stored as {orientation[0]}\\{orientation[1]}")
    row, column = view.orientation
    swap = orientation[0] not in (row, row.translate(_OPPOSITE))
    if swap:
        row, column = column, row
    # Letters name where the row and the column run to: an opposite letter is a flip along that axis.
    flip_columns, flip_rows = orientation[0] != row, orientation[1] != column
    height, width = view.pixels.shape[::-1] if swap else view.pixels.shape

    def box(edges: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        row0, column0, row1, column1 = edges
        if swap:
            row0, column0, row1, column1 = column0, row0, column1, row1
        if flip_rows:
            row0, row1 = height - row1, height - row0
        if flip_columns:
            column0, column1 = width - column1, width - column0
        return row0, column0, row1, column1

    nipple = view.nipple[::-1] if swap else view.nipple
    nipple = (
        height - 1 - nipple[0] if flip_rows else nipple[0],
        width - 1 - nipple[1] if flip_columns else nipple[1],
    )
    truth = tuple(
        replace(mark, box=box(mark.box), mask=_turn(mark.mask, swap, flip_rows, flip_columns))
        for mark in view.truth
    )
    pixels = _turn(view.pixels, swap, flip_rows, flip_columns)
    return replace(view, pixels=pixels, orientation=orientation, nipple=nipple, truth=truth)


def _turn(array: npt.NDArray[_T], swap: bool, flip_rows: bool, flip_columns: bool) -> npt.NDArray[_T]:
    """Return an array transposed first, then flipped; read-only."""
    turned = array.T if swap else array
    turned = np.array(turned[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1], order="C")
    turned.flags.writeable = False
    return turned

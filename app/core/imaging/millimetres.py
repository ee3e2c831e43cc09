"""Lengths in millimetres, with the basis that makes them worth something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.imaging.image import Spacing

Point = tuple[float, float]

NO_SPACING = "no spacing"
"""The basis of lengths and areas in pixels."""


@dataclass(frozen=True, slots=True)
class Length:
    """A measured distance.

    Attributes
    ----------
    value
        In `unit`.
    unit
        ``mm``, or ``px`` where the image has no usable spacing.
    basis
        Where the millimetres hold, as written beside the length (`Spacing.label`); ``no spacing``
        for pixels.
    """

    value: float
    unit: str
    basis: str

    @property
    def label(self) -> str:
        """The length as written on the image: ``12.3 mm at detector``, ``123 px: no spacing``."""
        if self.unit == "px":
            return f"{self.value:.0f} px: {self.basis}"
        return f"{self.value:.1f} {self.unit} {self.basis}"


def length(start: Point, end: Point, spacing: Spacing | None) -> Length:
    """Return the distance between two points.

    Parameters
    ----------
    start, end
        (row, col) of stored pixels; the two axes may have different spacings.
    spacing
        Of the image; None gives pixels, never a guess in millimetres.
    """
    rows, columns = end[0] - start[0], end[1] - start[1]
    if spacing is None:
        return Length(float(np.hypot(rows, columns)), "px", NO_SPACING)
    return Length(float(np.hypot(rows * spacing.row_mm, columns * spacing.col_mm)), "mm", spacing.label)


def extent(rows: float, columns: float, spacing: Spacing | None) -> tuple[float, float]:
    """Return the size of `rows` x `columns` stored pixels as (vertical, horizontal) millimetres.

    In pixels where there is no spacing.
    """
    if spacing is None:
        return (float(rows), float(columns))
    return (rows * spacing.row_mm, columns * spacing.col_mm)


def nearest_pixel(point: Point, rows: int, columns: int) -> tuple[int, int] | None:
    """Return the (row, col) of the stored pixel that holds a point, or None outside the image.

    A pixel reaches half a unit to each side of its centre; the upper and left edge belong to it.
    """
    row, column = (int(np.floor(value + 0.5)) for value in point)
    return (row, column) if 0 <= row < rows and 0 <= column < columns else None

"""Lengths in millimetres, with the basis that makes them worth something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.core.imaging.image import Spacing

Point = tuple[float, float]


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
        Where the millimetres hold, as written beside the length (`Spacing.label`); ``uncalibrated``
        for pixels.
    """

    value: float
    unit: str
    basis: str

    @property
    def label(self) -> str:
        """The length as written on the image, for example ``12.3 mm at detector``."""
        digits = 1 if self.unit == "mm" else 0
        return f"{self.value:.{digits}f} {self.unit} {self.basis}"


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
        return Length(float(np.hypot(rows, columns)), "px", "uncalibrated")
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

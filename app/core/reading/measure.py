"""What a mark measures: lengths, angles, areas and grey values, with the basis that gives them their worth.

Pure arithmetic on the points of an annotation and the facts of its image; nothing is stored. Millimetres
are those of the image's spacing (`app.core.imaging.millimetres`); without one everything is in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.imaging.image import Grey, Image, Spacing
from app.core.imaging.millimetres import NO_SPACING, Length, extent, length
from app.core.imaging.voi import modality
from app.core.reading.annotations import Annotation, Kind, Point
from app.core.reading.regions import crosses_itself, region


@dataclass(frozen=True, slots=True)
class Area:
    """A measured area: `value` in `unit` (``mm²`` or ``px²``), `basis` as in `Length`."""

    value: float
    unit: str
    basis: str

    @property
    def label(self) -> str:
        """The area as written on the image: ``77.3 mm² at detector``, ``456 px²: no spacing``."""
        if self.unit == "px²":
            return f"{self.value:.0f} px²: {self.basis}"
        return f"{self.value:.{1 if self.value < 100 else 0}f} mm² {self.basis}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Modality values (after rescale or Modality LUT) of the pixels of a region, padding left out.

    `count` pixels; `mean`, `sd` (of these pixels, divided by their number), `least` and `most` are nan
    for an empty region.
    """

    count: int
    mean: float = math.nan
    sd: float = math.nan
    least: float = math.nan
    most: float = math.nan


def angle(end: Point, vertex: Point, other: Point, spacing: Spacing | None) -> float | None:
    """Return the angle at `vertex` in degrees, 0..180, as it is in the plane of the millimetres.

    Rows and columns of different spacing are taken to their true proportion; without a spacing pixels
    are taken as square. None where an arm has no length.
    """
    row_mm, col_mm = (spacing.row_mm, spacing.col_mm) if spacing else (1.0, 1.0)
    a = ((end[0] - vertex[0]) * row_mm, (end[1] - vertex[1]) * col_mm)
    b = ((other[0] - vertex[0]) * row_mm, (other[1] - vertex[1]) * col_mm)
    if math.hypot(*a) == 0 or math.hypot(*b) == 0:
        return None
    return abs(math.degrees(math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])))


def area(kind: Kind, points: Sequence[Point], spacing: Spacing | None) -> Area | None:
    """Return the area of a rectangle, ellipse or polygon; None for a polygon that crosses itself.

    The area of the shape as drawn, not of the pixels in it. Polygon: the shoelace formula.
    """
    if kind == "polygon":
        if crosses_itself(points):
            return None
        pairs = zip(points, [*points[1:], points[0]], strict=True)
        pixels = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2
    else:
        (row0, col0), (row1, col1) = points
        pixels = abs(row1 - row0) * abs(col1 - col0) * (math.pi / 4 if kind == "ellipse" else 1.0)
    if spacing is None:
        return Area(pixels, "px²", NO_SPACING)
    return Area(pixels * spacing.row_mm * spacing.col_mm, "mm²", spacing.label)


def size(points: Sequence[Point], spacing: Spacing | None) -> tuple[Length, Length]:
    """Return (longer, shorter) side of the upright box around points."""
    rows, columns = (float(value) for value in np.ptp(np.asarray(points, dtype=np.float64), axis=0))
    unit, basis = ("mm", spacing.label) if spacing else ("px", NO_SPACING)
    longer, shorter = sorted(extent(rows, columns, spacing), reverse=True)
    return Length(longer, unit, basis), Length(shorter, unit, basis)


def statistics(
    kind: Kind, points: Sequence[Point], stored: npt.NDArray[np.integer[Any]], grey: Grey
) -> Statistics:
    """Return the grey values of the pixels whose centres lie in a region.

    Parameters
    ----------
    stored
        Stored values of the *whole* resolution, (rows, columns): never those of a refining frame.
    grey
        Of this frame: its padding is left out, its modality transform applied.
    """
    found = region(kind, points, (stored.shape[0], stored.shape[1]))
    rows, columns = found.inside.shape
    values = stored[found.top : found.top + rows, found.left : found.left + columns][found.inside]
    if grey.padding is not None:
        values = values[(values < grey.padding[0]) | (values > grey.padding[1])]
    if not values.size:
        return Statistics(0)
    # Stored values have at most 16 bits: each distinct one is transformed once, and the sums are exact.
    levels, counts = np.unique(values, return_counts=True)
    x = modality(grey, levels)
    mean = float(np.average(x, weights=counts))
    sd = math.sqrt(float(np.average((x - mean) ** 2, weights=counts)))
    return Statistics(int(counts.sum()), mean, sd, float(x.min()), float(x.max()))


def centre(annotation: Annotation) -> Point:
    """Return the place that a mark speaks of.

    The middle of a length and of a box, the vertex of an angle, the tip of an arrow, the point of a text,
    the centre of gravity of a polygon (the middle of its box where it crosses itself).
    """
    points = annotation.points
    if annotation.kind in ("text", "nipple"):
        return points[0]
    if annotation.kind in ("angle", "arrow"):
        return points[1]
    if annotation.kind == "polygon" and not crosses_itself(points):
        found = _gravity(points)
        if found is not None:
            return found
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    return (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)


def _gravity(points: Sequence[Point]) -> Point | None:
    row0, col0 = points[0]  # from a point of its own, so that large coordinates do not cancel
    twice, row, column = 0.0, 0.0, 0.0
    for (r0, c0), (r1, c1) in zip(points, [*points[1:], points[0]], strict=True):
        part = (r0 - row0) * (c1 - col0) - (r1 - row0) * (c0 - col0)
        twice += part
        row += part * (r0 + r1 - 2 * row0)
        column += part * (c0 + c1 - 2 * col0)
    if abs(twice) < 1e-9:
        return None
    return (row0 + row / (3 * twice), col0 + column / (3 * twice))


def measured(annotation: Annotation, image: Image) -> Length | Area | float | None:
    """Return the one number of a mark: a length, an area, an angle in degrees, or None where it has none."""
    points, spacing = annotation.points, image.spacing
    match annotation.kind:
        case "length":
            return length(points[0], points[1], spacing)
        case "angle":
            return angle(points[0], points[1], points[2], spacing)
        case "rectangle" | "ellipse" | "polygon":
            return area(annotation.kind, points, spacing)
        case "finding":
            return size(points, spacing)[0]
        case _:
            return None

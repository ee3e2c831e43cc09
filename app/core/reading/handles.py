"""Taking hold of a mark: its handles, and what it becomes when one is moved. Pure; nothing snaps.

Points are (row, col) of stored pixels, pixel centres at integers; the image reaches from -0.5 to
rows - 0.5 and columns - 0.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.core.imaging.image import Image
from app.core.reading.annotations import Annotation, Kind, Point

BOXES: Final[tuple[Kind, ...]] = ("rectangle", "ellipse", "finding")
"""Kinds that are held by the corners and sides of their upright box."""

_CORNERS: Final = ((0, 0), (0, 1), (1, 1), (1, 0))
_SIDES: Final = ((0, None), (None, 1), (1, None), (None, 0))


def identity(image: Image) -> str:
    """Return the name under which marks know an image: its SOP Instance UID, or its path without one."""
    return image.sop_uid or str(image.path)


def handles(annotation: Annotation) -> tuple[Point, ...]:
    """Return the places to take hold of: corners then side middles of a box, else the points themselves."""
    if annotation.kind not in BOXES:
        return annotation.points
    (row0, col0), (row1, col1) = annotation.points
    rows, columns = (row0, row1, (row0 + row1) / 2), (col0, col1, (col0 + col1) / 2)
    return tuple(
        (rows[2 if r is None else r], columns[2 if c is None else c]) for r, c in (*_CORNERS, *_SIDES)
    )


def reshaped(annotation: Annotation, handle: int, to: Point) -> Annotation:
    """Return the mark with one handle (its index in `handles`) moved to a point."""
    if annotation.kind not in BOXES:
        points = annotation.points
        return replace(annotation, points=(*points[:handle], to, *points[handle + 1 :]))
    row, column = (*_CORNERS, *_SIDES)[handle]
    ends = [list(point) for point in annotation.points]
    if row is not None:
        ends[row][0] = to[0]
    if column is not None:
        ends[column][1] = to[1]
    return replace(annotation, points=tuple((each[0], each[1]) for each in ends))


def moved(annotation: Annotation, rows: float, columns: float, image: Image) -> Annotation:
    """Return the mark moved as a whole, no farther than the image reaches."""
    all_rows, all_columns = zip(*annotation.points, strict=True)
    rows = min(max(rows, -0.5 - min(all_rows)), image.rows - 0.5 - max(all_rows))
    columns = min(max(columns, -0.5 - min(all_columns)), image.columns - 0.5 - max(all_columns))
    return replace(annotation, points=tuple((r + rows, c + columns) for r, c in annotation.points))


def clipped(point: Point, image: Image) -> Point:
    """Return the nearest point of the image."""
    return (
        min(max(point[0], -0.5), image.rows - 0.5),
        min(max(point[1], -0.5), image.columns - 0.5),
    )

"""Where a mark lies in the breast, as one view tells it: distance to the nipple, and depth.

Depth follows the posterior nipple line: the breast between the nipple and its posterior border in three
equal parts, anterior, middle, posterior (BI-RADS, location). The posterior border is here the edge of
the image at the chest wall, and depth runs at right angles to it, in every view. In obliques and laterals
the line is usually drawn to the pectoral muscle instead, which is not found here: what is given for
them says so, and comes out deeper by the muscle's thickness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app.core.imaging.image import Image
from app.core.imaging.millimetres import Length, length
from app.core.imaging.orientation import FEET_DOWN_VIEWS
from app.core.reading.annotations import Annotation, Point
from app.core.reading.measure import centre

Third = Literal["anterior", "middle", "posterior"]

TO_EDGE: Final = "to the image edge"
NOT_PECTORAL: Final = "to the image edge, not the pectoral muscle"


@dataclass(frozen=True, slots=True)
class Location:
    """Where a mark lies in one view.

    Attributes
    ----------
    nipple
        Straight distance from the mark's centre to the nipple; None where no nipple is marked.
    chest_wall
        Perpendicular distance from the image edge at the chest wall; None where that edge is not known.
    third
        Of the line from the nipple to that edge; None unless both are known.
    basis
        What the depth was taken to, in words for the reader.
    """

    nipple: Length | None
    chest_wall: Length | None
    third: Third | None
    basis: str


def location(annotation: Annotation, image: Image, nipple: Point | None) -> Location:
    """Return where a mark lies.

    Parameters
    ----------
    image
        Completed facts: the orientation tells where the chest wall is.
    nipple
        (row, col) of stored pixels where the reader marked it on this image, or None.
    """
    place = centre(annotation)
    wall = wall_distance(place, image)
    to_nipple = None if nipple is None else length(place, nipple, image.spacing)
    whole = None if nipple is None else wall_distance(nipple, image)
    basis = NOT_PECTORAL if image.view in FEET_DOWN_VIEWS else TO_EDGE
    return Location(to_nipple, wall, _third(wall, whole), basis if wall else "")


def wall_distance(point: Point, image: Image) -> Length | None:
    """Return the perpendicular distance of a point from the image edge where the chest wall is.

    None where the orientation names neither anterior nor posterior.
    """
    if image.orientation is None:
        return None
    row, column = (letters.upper() for letters in image.orientation)
    # Patient Orientation: the first letters tell where columns grow to, the second where rows do.
    if "A" in row or "P" in row:
        edge = (point[0], -0.5 if "A" in row else image.columns - 0.5)
    elif "A" in column or "P" in column:
        edge = (-0.5 if "A" in column else image.rows - 0.5, point[1])
    else:
        return None
    return length(point, edge, image.spacing)


def _third(wall: Length | None, whole: Length | None) -> Third | None:
    if wall is None or whole is None or whole.value <= 0:
        return None
    share = wall.value / whole.value
    if share >= 2 / 3:
        return "anterior"
    return "middle" if share >= 1 / 3 else "posterior"

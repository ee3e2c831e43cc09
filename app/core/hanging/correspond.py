"""Where a place in one mammogram is likely to lie in another: a cross in the same view, an arc in another.

The same view of the other breast, or of an earlier study, mirrors about the chest wall: places answer to
each other by height and by depth from the chest wall, measured from the nipples where both are marked.
CC and MLO look along different axes; what they share is the distance to the nipple, so that a place of
one lies somewhere on an arc in the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from app.core.hanging.layout import Justify, justify_of
from app.core.hanging.placement import Hung, PixelBox, hung
from app.core.imaging.image import Image
from app.core.imaging.millimetres import length, nearest_pixel

Point = tuple[float, float]

ARC_STEPS = 180


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as far as places in it can be compared.

    Attributes
    ----------
    image
        Completed facts.
    breast
        (row0, col0, row1, col1) of the breast in stored pixels, edges at pixel corners.
    nipple
        (row, col) of stored pixels where the reader marked it, or None.
    """

    image: Image
    breast: PixelBox
    nipple: Point | None = None


@dataclass(frozen=True, slots=True)
class Cross:
    """The place itself, (row, col) of stored pixels."""

    point: Point


@dataclass(frozen=True, slots=True)
class Arc:
    """All places at one distance from the nipple: (row, col) of stored pixels, and the distance in mm."""

    points: tuple[Point, ...]
    radius_mm: float


def corresponding(source: Shown, point: Point, target: Shown) -> Cross | Arc | None:
    """Return where a place of one image is to be looked for in another, or None where nothing can be said.

    Parameters
    ----------
    point
        (row, col) of stored pixels of the source.

    Notes
    -----
    Nothing is said without millimetres in both, between different views of different breasts, of an
    image whose chest wall is not known, or of a magnified cut-out of a breast. An estimate to look by,
    never a measurement: two compressions of a breast differ.
    """
    if not _comparable(source.image) or not _comparable(target.image):
        return None
    if source.image.view == target.image.view:
        return _cross(source, point, target)
    if source.image.laterality == target.image.laterality:
        return _arc(source, point, target)
    return None


def _comparable(image: Image) -> bool:
    partial_view = {"M", "S"} & set(image.modifiers)
    known = image.spacing is not None and image.view is not None
    return known and justify_of(image) != "none" and not partial_view and not image.partial


def _cross(source: Shown, point: Point, target: Shown) -> Cross | None:
    here, there = _frame_of(source), _frame_of(target)
    if here is None or there is None:
        return None
    if source.nipple is not None and target.nipple is not None:
        old, new = here.place(source.nipple), there.place(target.nipple)
    else:
        old, new = (here.origin, 0.0), (there.origin, 0.0)
    height, depth = here.place(point)
    found = there.stored(height - old[0] + new[0], depth - old[1] + new[1])
    inside = nearest_pixel(found, target.image.rows, target.image.columns)
    return None if inside is None else Cross(found)


def _arc(source: Shown, point: Point, target: Shown) -> Arc | None:
    spacing = target.image.spacing
    if source.nipple is None or target.nipple is None or spacing is None:
        return None
    radius = length(source.nipple, point, source.image.spacing).value
    angles = np.linspace(0.0, 2 * math.pi, ARC_STEPS + 1)
    rows = target.nipple[0] + radius * np.sin(angles) / spacing.row_mm
    columns = target.nipple[1] + radius * np.cos(angles) / spacing.col_mm
    return Arc(tuple(zip(rows.tolist(), columns.tolist(), strict=True)), radius)


@dataclass(frozen=True, slots=True)
class _Frame:
    """(height, depth) of places in millimetres, as hung; `origin` is the height that answers to another's."""

    shown: Shown
    justify: Justify
    origin: float

    def place(self, point: Point) -> tuple[float, float]:
        """Return (height from the top, depth from the chest wall) of a stored point."""
        view = _hung(self.shown)
        row, column = view.affine.apply(np.array([point]))[0].tolist()
        return row, view.size[1] - column if self.justify == "right" else column

    def stored(self, height: float, depth: float) -> Point:
        """Return the stored point of a place."""
        view = _hung(self.shown)
        column = view.size[1] - depth if self.justify == "right" else depth
        row, col = view.affine.inverse().apply(np.array([[height, column]]))[0].tolist()
        return (row, col)


def _hung(shown: Shown) -> Hung:
    image = shown.image
    return hung(image, image.rows, image.columns, shown.breast, justify_of(image))


def _frame_of(shown: Shown) -> _Frame | None:
    """Return the frame of an image, or None where its chest wall is not vouched for.

    Heights count from the breast's middle in cranio-caudal views, which can be shifted along the
    detector, and from the image's top (the axilla) in all others.
    """
    view = _hung(shown)
    if view.justify == "none":
        return None
    cranio_caudal = (shown.image.view or "").endswith("CC") or shown.image.view in ("XCCL", "XCCM", "FB")
    origin = (view.breast[0] + view.breast[2]) / 2 if cranio_caudal else 0.0
    return _Frame(shown, view.justify, origin)

"""Where an image lies in its pane: one affine from stored pixels to device pixels of the pane.

Everything on screen (pixels, boxes, heat map, magnifier, measurements) goes through this affine.
The chest-wall edge of the image touches its pane edge without a gap; obliques and laterals touch the
top too. All panes share one scale in device pixels per millimetre, so that the largest breast fits
(the *same size* of the IHE Mammography Image profile); for *true size* it is that of the screen.

Lengths of an image without spacing are in pixels; it is fitted to its pane instead of sharing a scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from app.core.hanging.layout import Justify
from app.core.imaging.geometry import Affine, FloatArray
from app.core.imaging.image import Image
from app.core.imaging.orientation import canonical, hang_affine, hung_letters, hung_shape

PixelBox = tuple[float, float, float, float]
Size = tuple[float, float]


class View(Protocol):
    """The geometry of `app.services.state.ViewportState`, where each field is explained."""

    @property
    def sizing(self) -> Literal["same", "fit", "true", "actual", "free"]:
        """What the scale is made for."""

    @property
    def base(self) -> Literal["same", "fit", "true", "actual"]:
        """What zoom is relative to while free."""

    @property
    def zoom(self) -> float:
        """Factor on that scale."""

    @property
    def pan(self) -> tuple[float, float]:
        """(rows, columns) in hung millimetres."""

    @property
    def focus(self) -> tuple[float, float] | None:
        """(row, col) of stored pixels at the centre of the pane, or None."""

    @property
    def flip_h(self) -> bool:
        """Mirrored left to right."""

    @property
    def flip_v(self) -> bool:
        """Mirrored top to bottom."""


@dataclass(frozen=True, slots=True)
class Hung:
    """A stored pixel grid as it hangs, in millimetres (pixels where there is no spacing).

    Attributes
    ----------
    affine
        Stored pixel centres to hung *edge* coordinates in millimetres: (0, 0) is the outer corner
        of the hung image's top-left pixel.
    size
        (height, width) of the hung image in millimetres.
    pixel
        (height, width) of one hung pixel in millimetres.
    breast
        (top, left, bottom, right) of the breast in hung edge millimetres.
    justify
        The edge that holds the chest wall, ``none`` unless the image's orientation vouches for it.
    """

    affine: Affine
    size: Size
    pixel: Size
    breast: PixelBox
    justify: Justify


def hung(image: Image, rows: int, columns: int, breast: PixelBox | None, justify: Justify) -> Hung:
    """Return an image as it hangs.

    Parameters
    ----------
    image
        Completed facts (orientation inferred where the file has none).
    rows, columns
        Size of the stored grid.
    breast
        (row0, col0, row1, col1) of the breast in stored pixels, edges at pixel corners; None: all.
    justify
        What the pane asks for.
    """
    hang = canonical(image.orientation, image.laterality, image.view)
    height, width = hung_shape(hang, rows, columns)
    row_mm, col_mm = (image.spacing.row_mm, image.spacing.col_mm) if image.spacing else (1.0, 1.0)
    pixel = (col_mm, row_mm) if hang.transpose else (row_mm, col_mm)
    to_mm = Affine(np.array([[pixel[0], 0.0, pixel[0] / 2], [0.0, pixel[1], pixel[1] / 2]]))
    affine = to_mm.after(hang_affine(hang, rows, columns))
    row0, col0, row1, col1 = breast or (0.0, 0.0, float(rows), float(columns))
    corners = affine.apply(np.array([[row0, col0], [row1, col1]]) - 0.5)
    top, left = corners.min(axis=0).tolist()
    bottom, right = corners.max(axis=0).tolist()
    letters = hung_letters(image.orientation, hang)
    vouched = letters is not None and {"right": "P", "left": "A"}.get(justify, "-") in letters[0]
    return Hung(
        affine,
        (height * pixel[0], width * pixel[1]),
        pixel,
        (top, left, bottom, right),
        justify if vouched else "none",
    )


def extent_mm(
    image: Image, rows: int, columns: int, breast: PixelBox | None, justify: Justify, top: bool
) -> Size:
    """Return (height, width) in millimetres that a pane must hold for the breast to fit.

    Width runs from the chest-wall edge of the image to the far side of the breast; height is that of
    the breast, from the image's top edge where it is justified to the top. An image whose chest wall
    is not known counts whole.
    """
    view = hung(image, rows, columns, breast, justify)
    upper, left, lower, right = view.breast
    if view.justify == "none":
        return view.size
    height = lower if top else lower - upper
    return (height, view.size[1] - left if view.justify == "right" else right)


def same_scale(panes_px: Sequence[Size], extents_mm: Sequence[Size]) -> float:
    """Return the one scale, in device pixels per millimetre, at which every breast fits its pane.

    Parameters
    ----------
    panes_px
        (height, width) of each pane in device pixels.
    extents_mm
        (height, width) of what each must hold, from `extent_mm`; panes without an image, or with
        one that has no spacing, are left out of both.

    Returns
    -------
    float
        1.0 when there is nothing to fit.
    """
    scales = [
        min(pane[0] / extent[0], pane[1] / extent[1])
        for pane, extent in zip(panes_px, extents_mm, strict=True)
        if min(*pane, *extent) > 0
    ]
    return min(scales, default=1.0)


def base_of(state: View) -> Literal["same", "fit", "true", "actual"]:
    """Return the sizing that the zoom is relative to."""
    return state.base if state.sizing == "free" else state.sizing


def scale_of(view: Hung, state: View, pane_px: Size, px_per_mm: float, *, calibrated: bool) -> float:
    """Return device pixels per millimetre (per pixel where there is no spacing) of an image in its pane."""
    base = base_of(state)
    if base == "actual":
        scale = 1.0 / min(view.pixel)
    elif base == "fit" or not calibrated:
        scale = min(pane_px[0] / view.size[0], pane_px[1] / view.size[1])
    else:
        scale = px_per_mm
    return scale * state.zoom


def place(
    image: Image,
    rows: int,
    columns: int,
    breast: PixelBox | None,
    state: View,
    justify: Justify,
    top: bool,
    pane_px: Size,
    px_per_mm: float,
) -> Affine:
    """Return the map from stored pixel centres to device pixel centres of the pane.

    Parameters
    ----------
    image, rows, columns, breast
        The completed image, its stored size, and its breast (see `hung`).
    state
        How the reader looks at it; see `app.services.state.ViewportState`.
    justify, top
        Edges the image touches.
    pane_px
        (height, width) of the pane in device pixels; its pixel (0, 0) is at the top left.
    px_per_mm
        The scale all panes share, from `same_scale`; for true size that of the screen.

    Notes
    -----
    At one image pixel per device pixel the image is moved to whole device pixels (by half of one at
    most), so that actual pixels are shown and not means of two.
    """
    view = hung(image, rows, columns, breast, justify)
    scale = scale_of(view, state, pane_px, px_per_mm, calibrated=image.spacing is not None)
    point, anchor = _justified(view, state, top, pane_px, scale)
    linear = np.diag([scale, scale])
    offset = np.array(anchor) + scale * (np.array(state.pan) - np.array(point))
    offset = _whole_pixels(offset, view, scale)
    placed = Affine(np.column_stack([linear, offset - 0.5])).after(view.affine)
    return _flips(state, pane_px).after(placed)


def anchor_of(
    image: Image,
    rows: int,
    columns: int,
    breast: PixelBox | None,
    state: View,
    justify: Justify,
    top: bool,
    pane_px: Size,
    px_per_mm: float,
    device: tuple[float, float],
) -> tuple[float, float]:
    """Return the place under a device pixel as Session.zoom_at wants it.

    Returns
    -------
    (rows, columns)
        In hung millimetres from the justified origin: the point of the hung image that `place` puts
        at its edge (or centre) while pan is (0, 0). Reader's flips are taken out.
    """
    view = hung(image, rows, columns, breast, justify)
    placed = place(image, rows, columns, breast, state, justify, top, pane_px, px_per_mm)
    stored = placed.inverse().apply(np.array([device]))
    scale = scale_of(view, state, pane_px, px_per_mm, calibrated=image.spacing is not None)
    point, _ = _justified(view, state, top, pane_px, scale)
    at = view.affine.apply(stored)[0] - np.array(point)
    return (float(at[0]), float(at[1]))


def sizing_label(image: Image, state: View, screen: str = "") -> str:
    """Return the sizing as words for the corner text; an image without spacing says that it is fitted.

    Parameters
    ----------
    screen
        How the pixel size of the screen is known, ``calibrated``; empty: it is not, and what was to be
        of true size is shown at the same size as the others.
    """
    base = base_of(state)
    true = f"true size, {screen}" if screen else "same size, screen not known"
    words = {"same": "same size", "fit": "fit", "true": true, "actual": "actual pixels"}[base]
    if base in ("same", "true") and image.spacing is None:
        words = "fit, size unknown"
    return words if state.zoom == 1.0 else f"{words} ×{state.zoom:.2g}"


def _justified(view: Hung, state: View, top: bool, pane_px: Size, scale: float) -> tuple[Size, Size]:
    """Return the hung point (edge mm) that is held, and the pane point (edge px) that holds it."""
    if state.focus is not None:
        row, column = view.affine.apply(np.array([state.focus]))[0].tolist()
        return (row, column), (pane_px[0] / 2, pane_px[1] / 2)
    if view.justify == "none":
        return (view.size[0] / 2, view.size[1] / 2), (pane_px[0] / 2, pane_px[1] / 2)
    column, at_column = (view.size[1], pane_px[1]) if view.justify == "right" else (0.0, 0.0)
    if top:
        return (0.0, column), (0.0, at_column)
    middle = _middle(view, pane_px[0] / (scale / state.zoom))  # zooming is about this point: it stays
    return (middle, column), (pane_px[0] / 2, at_column)


def _middle(view: Hung, room: float) -> float:
    """Return the hung row (mm) that lies at the pane's middle: the breast's, but no image that fits is cut.

    The label burned into a corner of the image would be lost else.
    """
    centre = (view.breast[0] + view.breast[2]) / 2
    height = view.size[0]
    if height > room * (1 + 1e-9):
        return centre
    return min(max(centre, height - room / 2), room / 2)


def _whole_pixels(offset: FloatArray, view: Hung, scale: float) -> FloatArray:
    one_to_one = np.isclose(scale * np.array(view.pixel), 1.0, rtol=1e-9)
    return np.where(one_to_one, np.round(offset), offset)


def _flips(state: View, pane_px: Size) -> Affine:
    """Return the mirror about the pane's centre that the reader asked for."""
    height, width = pane_px
    rows = [-1.0, 0.0, height - 1] if state.flip_v else [1.0, 0.0, 0.0]
    columns = [0.0, -1.0, width - 1] if state.flip_h else [0.0, 1.0, 0.0]
    return Affine(np.array([rows, columns]))

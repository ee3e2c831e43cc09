"""From a mammogram to a network's input, and exactly back.

The ``preprocess`` block of bundle.json is the one description of it: the trainer and
`model_zoo.exam` both call `prepare` with the same block, so they cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from model_zoo.breast import Breast, find_in_halved, halvings
from model_zoo.contract import MammogramView
from model_zoo.fields import Fields
from model_zoo.geometry import (
    Matrix,
    Turn,
    after,
    clip_boxes,
    facing_left,
    inverse,
    map_boxes,
    scaled,
    shifted,
)

DIGITAL = ("ffdm", "synthetic2d", "dbt", "phantom")
"""Sources whose air is of one value."""

_KEEP = 0.012
"""The mask that blacks out air and labels is widened by this share of its side, so that no skin is lost."""


@dataclass(frozen=True, slots=True)
class Resize:
    """How large the prepared breast is.

    Attributes
    ----------
    by
        ``size``: as large as fits the canvas. ``spacing``: `mm` millimetres per prepared pixel; a
        breast too large for the canvas is made to fit, with a note.
    rows, columns
        The canvas, in prepared pixels; multiples of 32.
    mm
        Only for ``spacing``.
    """

    by: Literal["size", "spacing"] = "size"
    rows: int = 1024
    columns: int = 768
    mm: float | None = None


@dataclass(frozen=True, slots=True)
class Normalise:
    """How P-values become network values: ``(x - mean) / std`` of x as the method defines it.

    Attributes
    ----------
    method
        ``fixed``: x = P / 65535. ``percentile``: x = 0 at the `low` and 1 at the `high` percentile of
        breast pixels, clipped. ``mean-std``: x = P less the breast's mean, over its standard deviation.
    low, high
        Percentiles 0..100, only for ``percentile``.
    mean, std
        Applied last.
    """

    method: Literal["fixed", "percentile", "mean-std"] = "fixed"
    low: float = 1.0
    high: float = 99.5
    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True, slots=True)
class Preprocess:
    """The ``preprocess`` block of bundle.json.

    Attributes
    ----------
    crop, margin
        Cut to the breast region, widened on each side by `margin` of its longer side.
    mask
        Black out air, labels and film edges beside the breast.
    face
        ``left``: chest wall on the left, head or lateral side on top; ``stored``: as stored.
    """

    crop: bool = True
    margin: float = 0.02
    mask: bool = True
    face: Literal["left", "stored"] = "left"
    resize: Resize = field(default_factory=Resize)
    normalise: Normalise = field(default_factory=Normalise)

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_preprocess` takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network's input with its way back.

    Attributes
    ----------
    pixels
        float32, shape (1, H, W).
    mask
        bool, shape (H, W), True on the breast; padding and air are False.
    to_stored
        2x3 float64 from (row, col) of prepared pixel centres to those of stored pixels.
    stored_shape
        (rows, columns) of the stored image.
    notes
        Sentences on what was inferred, or did not fit.
    """

    pixels: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    to_stored: Matrix
    stored_shape: tuple[int, int]
    notes: tuple[str, ...] = ()

    def boxes_to_stored(self, boxes: npt.ArrayLike) -> Matrix:
        """Return (N, 4) boxes of prepared pixels as stored ones, clipped to the image."""
        return clip_boxes(map_boxes(self.to_stored, boxes), *self.stored_shape)

    def boxes_to_prepared(self, boxes: npt.ArrayLike) -> Matrix:
        """Return (N, 4) boxes of stored pixels as prepared ones, clipped to the canvas."""
        rows, columns = self.pixels.shape[1:]
        return clip_boxes(map_boxes(inverse(self.to_stored), boxes), rows, columns)


def read_preprocess(fields: Fields) -> Preprocess:
    """Return the block read from JSON or a recipe; `BundleError` names a wrong field."""
    size = fields.fields("resize")
    by = cast(Literal["size", "spacing"], size.choice("by", ("size", "spacing")))
    rows, columns = (size.whole(name, low=32, high=4096) for name in ("rows", "columns"))
    for name, value in (("rows", rows), ("columns", columns)):
        if value % 32:
            raise size.error(name, f"must be a multiple of 32, not {value}")
    mm = size.maybe("mm", lambda name: size.number(name, low=0.02, high=2.0))
    if (by == "spacing") != (mm is not None):
        raise size.error("mm", "is needed by spacing, and only there")
    size.finish()
    grey = fields.fields("normalise")
    method = cast(
        Literal["fixed", "percentile", "mean-std"], grey.choice("method", ("fixed", "percentile", "mean-std"))
    )
    normalise = Normalise(
        method,
        grey.number("low", 1.0, low=0, high=50),
        grey.number("high", 99.5, low=50, high=100),
        grey.number("mean", 0.0, low=-100, high=100),
        grey.number("std", 1.0, low=1e-6, high=100),
    )
    grey.finish()
    block = Preprocess(
        fields.flag("crop", True),
        fields.number("margin", 0.02, low=0, high=0.5),
        fields.flag("mask", True),
        cast(Literal["left", "stored"], fields.choice("face", ("left", "stored"), "left")),
        Resize(by, rows, columns, mm),
        normalise,
    )
    fields.finish()
    return block


def prepare(view: MammogramView, block: Preprocess) -> Prepared:
    """Return the network's input for a view.

    Raises
    ------
    ValueError
        Where the pixels are not a 2-D uint16 array, or millimetres are needed and missing.
    """
    pixels, padding = _checked(view)
    levels, shares = _levels(pixels, padding)
    breast = find_in_halved(levels, padding, digital=view.source in DIGITAL)
    notes: list[str] = []
    turn = _turn(view, block, breast, notes)
    region = _region(breast, block, pixels.shape)
    scale, level, region = _scale(view, block, turn, region, len(levels), notes)
    small, covered, per_pixel = _resized(levels, shares, region, scale, level)
    turned, rows, columns = turn.apply(small), block.resize.rows, block.resize.columns
    top = (rows - turned.shape[0]) // 2
    to_stored = after(
        shifted(region[0], region[1]),
        after(scaled(*per_pixel), after(turn.undo(*small.shape), shifted(-top, 0))),
    )
    place = (slice(top, top + turned.shape[0]), slice(0, turned.shape[1]))
    canvas = np.zeros((rows, columns), np.uint16)
    canvas[place] = turned
    inside = np.zeros((rows, columns), np.bool_)
    inside[place] = True if covered is None else turn.apply(covered)
    mask, keep = _masks(breast, to_stored, inside)
    canvas = cv2.copyTo(canvas, (keep if block.mask else inside).view(np.uint8))
    values = _normalised(canvas, mask, block.normalise)[np.newaxis]
    return Prepared(values, mask, to_stored, (pixels.shape[0], pixels.shape[1]), tuple(notes))


def _checked(view: MammogramView) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_] | None]:
    """Return pixels and padding (None where nothing is padding) after checking their form."""
    pixels, padding = view.pixels, view.padding
    if pixels.ndim != 2 or pixels.dtype != np.uint16 or not pixels.size:
        raise ValueError(f"needs a two-dimensional uint16 image, not {pixels.dtype} {pixels.shape}")
    if padding is not None and (padding.shape != pixels.shape or padding.dtype != np.bool_):
        raise ValueError(f"needs a bool padding mask of {pixels.shape}, not {padding.dtype} {padding.shape}")
    if padding is not None and not padding.any():
        padding = None
    return pixels, padding


def _turn(view: MammogramView, block: Preprocess, breast: Breast, notes: list[str]) -> Turn:
    """Return the turn asked for; without orientation letters the wider half is the chest wall's."""
    if block.face == "stored":
        return Turn()
    if view.orientation is not None and any(view.orientation):
        return facing_left(view.orientation, view.laterality, view.view)
    notes.append("The chest wall was sought in the pixels, because the image names no orientation.")
    across = np.flatnonzero(breast.mask.any(axis=0))
    half = (int(across[0]) + int(across[-1]) + 1) // 2
    left, right = np.count_nonzero(breast.mask[:, :half]), np.count_nonzero(breast.mask[:, half:])
    return Turn(flip_cols=bool(right > left))


def _region(breast: Breast, block: Preprocess, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the half-open box of stored pixels that is prepared."""
    rows, columns = shape
    if not block.crop:
        return (0, 0, rows, columns)
    row0, col0, row1, col1 = breast.box
    more = round(block.margin * max(row1 - row0, col1 - col0))
    return (max(0, row0 - more), max(0, col0 - more), min(rows, row1 + more), min(columns, col1 + more))


def _levels(
    pixels: npt.NDArray[np.uint16], padding: npt.NDArray[np.bool_] | None
) -> tuple[list[npt.NDArray[np.uint16]], list[npt.NDArray[np.uint8]] | None]:
    """Return the image's halvings with padding black, and those of 255 where valid (None: all is)."""
    if padding is None:
        return halvings(pixels), None
    aside = padding.view(np.uint8)
    # 0 and 255, of which OpenCV's means are shares.
    valid: npt.NDArray[np.uint8] = aside - np.uint8(1)
    if cv2.minMaxLoc(pixels, mask=aside)[1] > 0:
        pixels = cv2.copyTo(pixels, valid)
    return halvings(pixels), halvings(valid)


def _scale(
    view: MammogramView,
    block: Preprocess,
    turn: Turn,
    region: tuple[int, int, int, int],
    levels: int,
    notes: list[str],
) -> tuple[tuple[float, float], int, tuple[int, int, int, int]]:
    """Return how much is resized, from which halving, and the region in whole blocks of that.

    The first are prepared pixels per stored pixel along stored rows and columns.
    """
    size = block.resize
    canvas = (size.columns, size.rows) if turn.transpose else (size.rows, size.columns)
    wanted = (np.inf, np.inf)
    if size.mm is not None:
        if view.spacing_mm is None:
            raise ValueError(f"needs millimetres: the model sees {size.mm:g} mm per pixel")
        wanted = (view.spacing_mm[0] / size.mm, view.spacing_mm[1] / size.mm)
    row0, col0, row1, col1 = region
    scale = _fitting(canvas, (row1 - row0, col1 - col0), wanted)
    level = min(levels - 1, max(0, int(np.log2(1.0 / max(scale)))))
    factor = 2**level
    region = (
        row0 // factor * factor,
        col0 // factor * factor,
        -(-row1 // factor) * factor,
        -(-col1 // factor) * factor,
    )
    scale = _fitting(canvas, (region[2] - region[0], region[3] - region[1]), wanted)
    if scale[0] < wanted[0] < np.inf:
        share = scale[0] / wanted[0]
        notes.append(f"The breast is larger than the model's field and was shrunk to {share:.0%}.")
    return scale, level, region


def _fitting(
    canvas: tuple[int, int], shape: tuple[int, ...], wanted: tuple[float, float]
) -> tuple[float, float]:
    """Return the wanted scale, or the largest of its aspect at which `shape` fits the canvas."""
    if np.isinf(wanted[0]):
        scale = min(canvas[0] / shape[0], canvas[1] / shape[1])
        return (scale, scale)
    shrink = min(1.0, canvas[0] / (shape[0] * wanted[0]), canvas[1] / (shape[1] * wanted[1]))
    return (wanted[0] * shrink, wanted[1] * shrink)


def _resized(
    levels: Sequence[npt.NDArray[np.uint16]],
    shares: Sequence[npt.NDArray[np.uint8]] | None,
    region: tuple[int, int, int, int],
    scale: tuple[float, float],
    level: int,
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.bool_] | None, tuple[float, float]]:
    """Return the region resized, where it is not padding, and stored pixels per resized pixel.

    Where padding is aside, a resized pixel is the mean of its stored pixels that are not padding
    (to 1/255 of the share they cover); it is kept where they cover at least half of it.
    """
    row0, col0, row1, col1 = (edge >> level for edge in region)
    lengths = (region[2] - region[0], region[3] - region[1])
    rows, columns = (max(1, round(length * by)) for length, by in zip(lengths, scale, strict=True))
    how = cv2.INTER_AREA if max(scale) * 2**level < 1.0 else cv2.INTER_LINEAR
    small = cv2.resize(levels[level][row0:row1, col0:col1], (columns, rows), interpolation=how)
    covered = None
    if shares is not None:
        share = cv2.resize(shares[level][row0:row1, col0:col1], (columns, rows), interpolation=how)
        covered = share >= 128
        small = cv2.copyTo(small, covered.view(np.uint8))
        part = np.flatnonzero(covered & (share < 255))
        mean = small.ravel()[part] * (255.0 / share.ravel()[part])
        small.ravel()[part] = np.minimum(mean + 0.5, 65535.0).astype(np.uint16)
    return small, covered, (lengths[0] / rows, lengths[1] / columns)


def _masks(
    breast: Breast, to_stored: Matrix, inside: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the breast, and the breast with a rim for its skin, on the prepared grid."""
    to_small = after(inverse(scaled(breast.factor, breast.factor)), to_stored)
    # OpenCV's points are (x, y).
    matrix = to_small[::-1][:, [1, 0, 2]]
    body = breast.mask.view(np.uint8)
    side = 2 * round(_KEEP * max(body.shape)) + 1
    rim = cv2.dilate(body, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    kinds = cv2.warpAffine(
        body + rim,
        matrix,
        (inside.shape[1], inside.shape[0]),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return (kinds == 2) & inside, (kinds > 0) & inside


def _normalised(
    canvas: npt.NDArray[np.uint16], mask: npt.NDArray[np.bool_], how: Normalise
) -> npt.NDArray[np.float32]:
    """Return float32 values; statistics are taken over `mask` only."""
    values = canvas.astype(np.float32)
    if how.method == "fixed":
        values *= np.float32(1.0 / 65535.0)
    elif mask.any():
        inside = values[mask]
        if how.method == "percentile":
            low, high = np.percentile(inside, (how.low, how.high))
            values = np.clip((values - low) / max(high - low, 1.0), 0.0, 1.0).astype(np.float32)
        else:
            spread = max(float(inside.std(dtype=np.float64)), 1.0)
            values = ((values - inside.mean(dtype=np.float64)) / spread).astype(np.float32)
    else:
        values[:] = 0.0
    if how.mean != 0.0 or how.std != 1.0:
        values = (values - np.float32(how.mean)) / np.float32(how.std)
    return values

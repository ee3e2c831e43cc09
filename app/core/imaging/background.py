"""What is not breast: the padding a file names, and the air around the breast where it names none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.imaging.image import Grey

Mask = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]

_SIDE = 512
"""Air is looked for on a copy whose longer side has at most about so many pixels."""

_REACH = 0.12
"""Largest part of the way from air to breast tissue that still counts as air."""

_AROUND = 0.4
"""Least part of a ring inside the image border that air takes up: it surrounds the breast."""


def padding_mask(stored: npt.NDArray[Any], grey: Grey) -> Mask | None:
    """Return where pixels are padding, or None where the file names none.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).
    grey
        `grey.padding` is inclusive and in stored values, the smaller first (C.7.5.1.1.2).

    Returns
    -------
    bool array, True = padding; all False where the named values do not occur.
    """
    if grey.padding is None:
        return None
    low, high = grey.padding
    information = np.iinfo(stored.dtype)
    if low <= information.min <= high:
        below: Mask = stored <= min(high, information.max)
        return below
    mask: Mask = (stored >= low) & (stored <= high)
    return mask


def background_mask(stored: npt.NDArray[Any], grey: Grey) -> Mask:
    """Return where the air around the breast is, for files that name no padding.

    Air is the uniform region that touches the image border on the dark side of the grey scale
    (`grey.inverse` minded). Raw images whose air is on the bright side are recognised by its shape:
    the breast bulges, the air surrounds it. When in doubt a pixel is breast.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).

    Returns
    -------
    bool array, True = air, also what is as dark as air within a label. Letters and film edges are neither
    breast nor air: False here, and not part of `breast_box`.
    """
    step = max(1, -(-max(stored.shape) // _SIDE))
    small = _shrink(stored, step)
    dark_is_high = grey.inverse != (grey.modality_lut is None and grey.slope < 0)
    found = _air(-small if dark_is_high else small)
    if found is None or _surrounds(found[0]) < _AROUND:
        other = _air(small if dark_is_high else -small)
        if other and _surrounds(other[0]) > 0.5 and _bulges(other) and not _bulges(found):
            found, dark_is_high = other, not dark_is_high
    if found is None:
        return np.zeros(stored.shape, np.bool_)
    air, limit = found
    return _refine(stored, air, -limit if dark_is_high else limit, dark_is_high, step)


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What of a frame is not breast, and when it is black.

    Attributes
    ----------
    dark
        True where padding or the air around the breast is: black when the reader inverts.
    padding
        The part of it that is the file's padding: black always, and in no mean. The same array where
        padding is all there is; None where the file names none, or a value that never occurs.
    """

    dark: Mask
    padding: Mask | None

    def black(self, *, invert: bool) -> Mask | None:
        """Return what is black whatever its value; None for nothing. Air keeps its value till inverted."""
        return self.dark if invert else self.padding


def surroundings(stored: npt.NDArray[Any], grey: Grey) -> Surroundings:
    """Return what of a frame is not breast: one rule for the screen, for files and for the orientation.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).

    Notes
    -----
    Padding is the air where it lies around the breast as air does. Where it does not, however much of it
    there is, the air is looked for as well: a strip or a frame along the border says nothing about it.
    """
    padding = padding_mask(stored, grey)
    if padding is None or not padding.any():
        return Surroundings(background_mask(stored, grey), None)
    step = max(1, -(-max(padding.shape) // _SIDE))
    if _surrounds(padding[thinned(padding.shape, step)]) >= _AROUND:
        return Surroundings(padding, padding)
    return Surroundings(padding | background_mask(stored, grey), padding)


def breast_region(mask: Mask) -> Mask:
    """Return the largest connected part that is not masked.

    Labels are parts of their own; film edges and whatever else hangs on the breast by less than about a
    fiftieth of the image are cut off.
    """
    inside = np.ascontiguousarray(~mask).view(np.uint8)
    size = max(3, max(mask.shape) // 50 | 1)
    kernel = np.ones((size, size), np.uint8)
    # Outside the image counts as masked here, else a line along the border would seem thick.
    core = cv2.dilate(cv2.erode(inside, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0), kernel)
    if not core.any():
        core = inside
    _, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
    stats[0, cv2.CC_STAT_AREA] = 0
    largest = (labels == int(np.argmax(stats[:, cv2.CC_STAT_AREA]))) if core.any() else labels > 0
    region: Mask = (cv2.dilate(largest.astype(np.uint8), kernel) & inside).view(np.bool_)
    return region


def thinned(shape: tuple[int, ...], step: int) -> tuple[slice, ...]:
    """Return the slices that take the middle pixel of every `step`, of each axis one at least."""
    return tuple(slice(min(step // 2, size - 1), None, step) for size in shape)


def breast_box(mask: Mask) -> tuple[int, int, int, int]:
    """Return the extent of the breast: (row0, col0, row1, col1), half-open, in pixels of the mask.

    Parameters
    ----------
    mask
        True where padding or air is. The breast is the largest connected rest.

    Returns
    -------
    The whole image where everything is masked.
    """
    rows, columns = mask.shape
    step = max(1, -(-max(mask.shape) // _SIDE))
    region = breast_region(mask[thinned(mask.shape, step)])
    if not region.any():
        return (0, 0, rows, columns)
    near = cv2.dilate(region.view(np.uint8), np.ones((3, 3), np.uint8)) if step > 1 else region.view(np.uint8)
    inside = _enlarge(_cover(near, step, rows, columns), step, rows, columns) > mask.view(np.uint8)
    down, across = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    return (int(down[0]), int(across[0]), int(down[-1]) + 1, int(across[-1]) + 1)


def _shrink(stored: npt.NDArray[Any], step: int) -> npt.NDArray[np.float32]:
    rows, columns = (max(1, n // step) for n in stored.shape)
    whole = stored[: rows * step, : columns * step]
    small: npt.NDArray[Any] = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32)


def _air(small: npt.NDArray[np.float32]) -> tuple[Mask, float] | None:
    """Find the dark region at the border: (mask, largest value that is air), or None."""
    low, high = (float(v) for v in np.percentile(small, [0.1, 99.5]))
    if high <= low:
        return None
    scaled = np.clip((small - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)
    split, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    dark = _touching_border(scaled <= split)
    if not dark.any() or (scaled > split).mean() < 0.02:
        return None
    tissue = float(np.median(scaled[scaled > split]))
    level, noise = _air_level(scaled[dark], tissue)
    far = tissue - level
    if noise > _REACH * far:
        return None  # as uneven as tissue: a close-up, which has no air
    limit = level + float(np.clip(4.0 * noise + 2.0, 0.03 * far, _REACH * far))
    air = _touching_border(scaled <= limit)
    beyond = np.count_nonzero((scaled > limit) & (scaled <= 2 * limit - level))
    if air.mean() < 0.01 or beyond > 0.5 * np.count_nonzero(air):
        return None  # values run on into the tissue without a step
    return air, low + limit * (high - low) / 255.0


def _air_level(dark: ByteArray, tissue: float) -> tuple[int, float]:
    """Return the commonest dark value and how far values spread below it.

    Scanned films may lie on a flat mat of one value; the air of the film itself, a little brighter and
    still narrow, is then the level that counts.
    """
    counts = np.bincount(dark, minlength=256).astype(np.float64)
    level = int(np.argmax(np.convolve(counts, np.ones(5), "same")))
    far = tissue - level
    above = dark[dark > level + max(2.0, 0.02 * far)]
    if above.size > 0.1 * dark.size and counts[level] > 0.9 * counts[: level + 3].sum():
        counts = np.bincount(above, minlength=256).astype(np.float64)
        second = int(np.argmax(np.convolve(counts, np.ones(5), "same")))
        half = max(3, round(0.05 * far))
        narrow = counts[max(0, second - half) : second + half + 1].sum() > 0.5 * above.size
        if narrow and second < level + 0.25 * far:
            level, dark = second, above
    below = dark[dark <= level]
    return level, level - float(np.percentile(below, 32)) if below.size else 0.0


def _touching_border(region: Mask) -> Mask:
    """Keep the connected parts that touch the image border and are more than specks."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(region.view(np.uint8), connectivity=4)
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    keep = np.zeros(count, np.bool_)
    keep[border] = stats[border, cv2.CC_STAT_AREA] >= 0.002 * region.size
    keep[0] = False
    kept: Mask = keep[labels]
    return kept


def _surrounds(region: Mask) -> float:
    """Return the part of a ring just inside the image border that the region takes up, 0..1."""
    rows, columns = region.shape
    inset = min(max(1, min(rows, columns) // 30), (min(rows, columns) - 1) // 2)
    ring = region[inset : rows - inset, inset : columns - inset]
    return float(np.concatenate([ring[0], ring[-1], ring[:, 0], ring[:, -1]]).mean())


def _bulges(found: tuple[Mask, float] | None) -> bool:
    """Tell whether what the region leaves over is more convex than the region itself, as a breast is."""
    return found is not None and _solidity(breast_region(found[0])) > _solidity(found[0])


def _solidity(region: Mask) -> float:
    """Return the part of its convex hull that a region fills."""
    points = cv2.findNonZero(region.view(np.uint8))
    if points is None or len(points) < 3:
        return 0.0
    return float(region.sum()) / max(float(cv2.contourArea(cv2.convexHull(points))), 1.0)


def _refine(stored: npt.NDArray[Any], air: Mask, limit: float, dark_is_high: bool, step: int) -> Mask:
    """Bring the small mask to full size; along its edge each pixel's own value decides."""
    rows, columns = stored.shape
    kernel = np.ones((3, 3), np.uint8)
    small = air.view(np.uint8)
    # 3: surely air; 1: next to the edge or in a label, air if it is dark enough itself; 0: breast
    away = 1 - cv2.dilate(breast_region(air).view(np.uint8), kernel)
    code = np.maximum(cv2.dilate(small, kernel) + 2 * cv2.erode(small, kernel), away)
    code = _cover(code, step, rows, columns)
    full = _enlarge((code == 3).view(np.uint8), step, rows, columns)
    down, across = np.nonzero(code == 1)
    within = np.arange(step)
    pixels = (
        np.minimum(down[:, None] * step + within, rows - 1)[:, :, None],
        np.minimum(across[:, None] * step + within, columns - 1)[:, None, :],
    )
    full[pixels] = (stored[pixels] >= limit) if dark_is_high else (stored[pixels] <= limit)
    return full.view(np.bool_)


def _cover(small: ByteArray, step: int, rows: int, columns: int) -> ByteArray:
    """Let the last pixels go on until the small copy covers the whole image."""
    more = (0, -(-rows // step) - small.shape[0], 0, -(-columns // step) - small.shape[1])
    whole: ByteArray = cv2.copyMakeBorder(small, *more, cv2.BORDER_REPLICATE)
    return whole


def _enlarge(small: ByteArray, step: int, rows: int, columns: int) -> ByteArray:
    """Repeat every pixel step x step times, and cut to size."""
    size = (small.shape[1] * step, small.shape[0] * step)
    full: ByteArray = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(full[:rows, :columns])

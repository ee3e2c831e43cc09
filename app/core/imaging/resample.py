"""From the pyramid to the pixels of the screen: exact areas, one affine, only what is visible.

Every device pixel is the mean of the image over the device pixel's own area, at any sub-pixel position.
The kernel is separable, and turns by 90 degrees and mirrors keep the axes apart, so it is two sparse
matrices: one for the stored rows, one for the stored columns. The weights that one source pixel gives to
all device pixels always sum to the same number: a calcification neither fades nor flares when the image
is moved or zoomed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from app.core.imaging.geometry import Affine
from app.core.imaging.lookup import look_up
from app.core.imaging.pyramid import Level, Mask, Pyramid

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The visible part of an image at device resolution, ready for `paint`.

    Attributes
    ----------
    values
        uint16 indices into `greyscale.table8`, of the part of the pane in which there is something to see.
    coverage
        uint8, 0 = paint black to 255 = paint the value; None if nothing is masked there.
    top, left
        Where `values` begins in the pane.
    shape
        (rows, columns) of the pane.
    """

    values: npt.NDArray[np.uint16]
    coverage: Bytes | None
    top: int
    left: int
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Axis:
    """How one axis of a level meets the pane: device pixels from `start`, source pixels from `first`."""

    start: int
    first: int
    weights: csr_array

    @property
    def last(self) -> int:
        return self.first + int(self.weights.shape[1])


def resample(
    pyramid: Pyramid, stored_to_device: Affine, shape: tuple[int, int], *, invert: bool = False
) -> Sampled:
    """Resample what a pane shows.

    Parameters
    ----------
    stored_to_device
        Centre coordinates of stored pixels to those of the pane's device pixels; a turn by a multiple of
        90 degrees, mirrors, a scale (the two axes may differ) and a translation.
    shape
        (rows, columns) of the pane in device pixels.
    invert
        The reader's inversion: background air is then covered up (padding always is).

    Raises
    ------
    ValueError
        If the affine turns by anything else than a multiple of 90 degrees.
    """
    transposed = _is_transposed(stored_to_device)
    level = _level_for(pyramid, stored_to_device)
    matrix = stored_to_device.after(level.to_stored).matrix
    box = _visible(stored_to_device, pyramid)
    # The device axis along which stored rows, then stored columns, are laid out.
    axes = [
        _axis(
            float(matrix[device, stored]),
            float(matrix[device, 2]),
            level.values.shape[stored],
            (max(0, box[device]), min(shape[device], box[device + 2])),
        )
        for stored, device in ((0, int(transposed)), (1, int(not transposed)))
    ]
    down, across = axes
    starts = (across.start, down.start) if transposed else (down.start, across.start)
    part = (slice(down.first, down.last), slice(across.first, across.last))
    values = level.values[part].astype(np.float32)
    counted = _inside(pyramid.padding, level.unpadded, part)
    means, weights = _means(values, counted, down, across, transposed)
    if invert and pyramid.mask is not pyramid.padding:
        shown = _inside(pyramid.mask, level.coverage, part)
        weights = None if shown is None else _spread(shown, down, across, transposed)
    coverage = None if weights is None else np.clip(weights * 255.0 + 0.5, 0, 255).astype(np.uint8)
    return Sampled(_indices(means), coverage, *starts, shape)


def effort(pyramid: Pyramid, stored_to_device: Affine, shape: tuple[int, int]) -> float:
    """Return how much work `resample` would be: values read and values made, twice where there is padding.

    Raises
    ------
    ValueError
        As `resample`.
    """
    _is_transposed(stored_to_device)
    top, left, bottom, right = _visible(stored_to_device, pyramid)
    made = max(0, min(bottom, shape[0]) - max(top, 0)) * max(0, min(right, shape[1]) - max(left, 0))
    scales = stored_to_device.after(_level_for(pyramid, stored_to_device).to_stored).scales
    return made * (1 + 1 / (scales[0] * scales[1])) * (1 if pyramid.padding is None else 2)


def paint(sampled: Sampled, table: Bytes, out: Bytes | None = None) -> Bytes:
    """Paint a pane: one lookup per pixel, the only work of a window drag.

    Parameters
    ----------
    table
        `greyscale.table8`; made with ``invert=True`` exactly where `sampled` was.
    out
        uint8 of shape `sampled.shape` to paint into, or None for a new one.

    Returns
    -------
    uint8 picture of the pane; black outside the image and where it is masked.
    """
    rows, columns = sampled.values.shape
    whole = (rows, columns) == sampled.shape
    if out is None:
        out = np.empty(sampled.shape, np.uint8)
    if not whole:
        out[...] = 0
    if rows == 0 or columns == 0:
        return out
    part = out[sampled.top : sampled.top + rows, sampled.left : sampled.left + columns]
    look_up(sampled.values, table, part)
    if sampled.coverage is not None:
        cv2.multiply(part, sampled.coverage, dst=part, scale=1 / 255)
    return out


def _is_transposed(affine: Affine) -> bool:
    (a, b, _), (c, d, _) = np.abs(affine.matrix)
    tiny = 1e-9 * max(a, b, c, d)
    if b <= tiny and c <= tiny and a > 0 and d > 0:
        return False
    if a <= tiny and d <= tiny and b > 0 and c > 0:
        return True
    raise ValueError("a pane can only turn an image by multiples of 90 degrees")


def _level_for(pyramid: Pyramid, stored_to_device: Affine) -> Level:
    """Return the coarsest level that is not coarser than the device pixels."""
    reduction = 1 / max(stored_to_device.scales)
    wanted = int(np.floor(np.log2(max(reduction, 1.0)) + 1e-6))
    return pyramid.levels[min(wanted, len(pyramid.levels) - 1)]


def _visible(affine: Affine, pyramid: Pyramid) -> tuple[int, int, int, int]:
    """Return the half-open box of device pixels that show something of the image."""
    row0, col0, row1, col1 = affine.apply_box((0, 0, *pyramid.shape))
    image = (_first_centre(row0), _first_centre(col0), _first_centre(row1), _first_centre(col1))
    top, left, bottom, right = affine.apply_box(pyramid.seen)
    # A device pixel whose centre lies beyond the skin line may still be covered in part.
    return (
        max(image[0], _first_centre(top) - 1),
        max(image[1], _first_centre(left) - 1),
        min(image[2], _first_centre(bottom) + 1),
        min(image[3], _first_centre(right) + 1),
    )


def _first_centre(edge: float) -> int:
    """Return the first device pixel whose centre is not before a box edge (edges are at pixel corners)."""
    return int(np.ceil(edge - 0.5 - 1e-6))


def _axis(scale: float, offset: float, size: int, visible: tuple[int, int]) -> _Axis:
    """Weigh `size` source pixels, centred at scale * i + offset on the device, for each device pixel."""
    start, stop = visible
    if stop <= start:
        return _Axis(0, 0, csr_array((0, 0), dtype=np.float32))
    centres = (np.arange(start, stop) - offset) / scale
    step = 1 / abs(scale)  # source pixels per device pixel
    reach = _support(step)
    first = np.floor(centres - reach).astype(np.intp) + 1
    taps = int(np.ceil(2 * reach)) + 1
    source = first[:, None] + np.arange(taps)
    weights = _kernel(source - centres[:, None], step)
    weights[(source < 0) | (source >= size)] = 0  # the edge goes on as it is: what is inside counts in full
    weights /= weights.sum(axis=1, keepdims=True)
    used = weights > 1e-7
    low, high = int(source[used].min()), int(source[used].max()) + 1
    pointers = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    entries = (weights[used].astype(np.float32), source[used] - low, pointers)
    return _Axis(start, low, csr_array(entries, shape=(stop - start, high - low)))


def _softness(step: float) -> float:
    """Return the width of the third box of the kernel: 0 when reducing, 1 from twofold enlargement on."""
    return min(max(1 / step - 1, 0.0), 1.0)


def _support(step: float) -> float:
    return (1 + step + _softness(step)) / 2


def _kernel(distance: Doubles, step: float) -> Doubles:
    """Return the weight of a source pixel at a distance, in source pixels, from the device pixel's centre.

    A box of the source pixel's width convolved with one of the device pixel's width `step` is the exact
    overlap. When enlarging, a third box turns pixels into slopes (a triangle and the device pixel: linear
    interpolation). Any kernel that contains the box of width `step` gives each source pixel the same total.
    """
    soft = _softness(step)
    if soft < 1e-6:
        ends = np.minimum(distance + 0.5, step / 2), np.maximum(distance - 0.5, -step / 2)
        overlap: Doubles = np.maximum(ends[0] - ends[1], 0.0)
        return overlap
    total = np.zeros_like(distance)
    for one in (-1, 1):
        for two in (-1, 1):
            for three in (-1, 1):
                x = distance + (one + two * step + three * soft) / 2
                total += one * two * three * np.maximum(x, 0.0) ** 2
    kernel: Doubles = np.maximum(total / (2 * soft), 0.0)
    return kernel


def _means(
    values: Floats, counted: Floats | None, down: _Axis, across: _Axis, transposed: bool
) -> tuple[Floats, Floats | None]:
    """Return the mean over each device pixel and how much of it counts; padding takes no part in it."""
    if counted is None:
        return _spread(values, down, across, transposed), None
    weights = _spread(counted, down, across, transposed)
    sums = _spread(values * counted, down, across, transposed)
    return np.divide(sums, weights, out=np.zeros_like(sums), where=weights > 0), weights


def _inside(mask: Mask | None, coverage: Bytes | None, part: tuple[slice, slice]) -> Floats | None:
    """Return how much of each source pixel is not masked, 0..1, or None where all of it is not.

    `coverage` of a level says it; at level 0, which has none, the mask does.
    """
    if mask is None:
        return None
    if coverage is None:
        masked = mask[part]
        return (~masked).astype(np.float32) if masked.any() else None
    coverage = coverage[part]
    if coverage.size == 0 or coverage.min() == 255:
        return None
    return coverage.astype(np.float32) * np.float32(1 / 255)


def _spread(values: Floats, down: _Axis, across: _Axis, transposed: bool) -> Floats:
    """Apply both matrices; the result lies as the device does."""
    if down.weights.shape[0] == 0 or across.weights.shape[0] == 0:
        return np.zeros((0, 0), np.float32)
    rows: Any = down.weights @ values
    turned: Floats = across.weights @ cv2.transpose(rows)
    return turned if transposed else cv2.transpose(turned)


def _indices(means: Floats) -> npt.NDArray[np.uint16]:
    means += 0.5
    return means.astype(np.uint16)

"""The breast in a mammogram: where it is, with air, film labels and film edges set aside.

It works on a halved copy of at most `SMALL` pixels a side, so that it costs a few milliseconds
whatever the detector, and needs only numpy and OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Pixel = TypeVar("Pixel", np.uint8, np.uint16)

SMALL = 640
"""Longest side of the halved image in which the breast is sought, in pixels."""

_OPENING = 0.035
"""Labels, markers and film edges narrower than this share of the longest side are cut off."""

_DIM = 0.7
"""Li's level is lowered by this, for the dim skin of films; on 281 films it grew no mask past 10 %."""

_FLAT = 1.0
"""A detector's air is of one value, to within so many of 256 grey levels."""

_SHEET = 0.9
"""What fills more than this share of its box is no breast (a half ellipse fills 0.79)."""

_STRIP = 0.06
"""A film edge is sought in this share of the rows or columns."""

_LEAST = 0.02
"""A component smaller than this share of the image is no breast; the whole image is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Breast:
    """Where the breast lies in an image.

    Attributes
    ----------
    box
        (row0, col0, row1, col1) in stored pixels, half-open, inside the image.
    mask
        bool, on a grid halved to `factor`: cell (r, c) covers stored rows
        [r * factor, (r + 1) * factor) and the same of columns; True on the breast.
    factor
        A power of two.
    found
        False when nothing looked like a breast; box and mask then cover the whole image.
    """

    box: tuple[int, int, int, int]
    mask: npt.NDArray[np.bool_]
    factor: int
    found: bool


def halvings(pixels: npt.NDArray[Pixel]) -> list[npt.NDArray[Pixel]]:
    """Return an array and its halvings: element k holds the area means of blocks of 2**k.

    The last one has at most `SMALL` pixels a side. A part block at the end repeats its edge. Halving
    step by step is several times faster in OpenCV than averaging larger blocks at once.

    Parameters
    ----------
    pixels
        uint8 or uint16, shape (rows, columns).
    """
    levels = [pixels]
    while max(levels[-1].shape) > SMALL:
        last = levels[-1]
        rows, columns = last.shape
        if rows % 2 or columns % 2:
            last = cv2.copyMakeBorder(last, 0, rows % 2, 0, columns % 2, cv2.BORDER_REPLICATE)
        size = (last.shape[1] // 2, last.shape[0] // 2)
        levels.append(cv2.resize(last, size, interpolation=cv2.INTER_AREA))
    return levels


def find_breast(
    pixels: npt.NDArray[np.uint16], padding: npt.NDArray[np.bool_] | None = None, *, digital: bool = False
) -> Breast:
    """Find the largest bright body of an image, the breast.

    Parameters
    ----------
    pixels
        uint16, shape (rows, columns), higher = denser.
    padding
        bool of the same shape, True where padding; or None. Padding is never breast.
    digital
        True for a detector's image, whose air is of one value: tissue is then sought down to it.

    Notes
    -----
    The grey level between air and tissue minimises the cross entropy (Li & Lee, Pattern
    Recognition 26:617, 1993), which keeps dim fatty tissue where Otsu's level loses it. An opening
    cuts off what is thin (labels, markers, film edges), the largest component stays, and its holes
    are filled.
    """
    return find_in_halved(halvings(pixels), padding, digital=digital)


def find_in_halved(
    levels: Sequence[npt.NDArray[np.uint16]],
    padding: npt.NDArray[np.bool_] | None = None,
    *,
    digital: bool = False,
) -> Breast:
    """Find the breast as `find_breast` does, in the `halvings` of an image that are at hand already."""
    (rows, columns), small, factor = levels[0].shape, levels[-1], 2 ** (len(levels) - 1)
    aside = None if padding is None else padding[::factor, ::factor]
    whole = Breast((0, 0, rows, columns), np.ones(small.shape, np.bool_), factor, False)
    valid = small if aside is None else small[~aside]
    if valid.size == 0 or valid.min() >> 8 == valid.max() >> 8:
        return whole
    body = _above(small, aside, _air_level((valid >> 8).astype(np.uint8)), digital)
    if body is not None and digital:
        body = _with_dim_tissue(small, aside, int(valid.min()), body)
    if body is None or np.count_nonzero(body) < _LEAST * body.size:
        return whole
    mask = body.astype(np.bool_)
    across, down = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    box = (
        int(down[0]) * factor,
        int(across[0]) * factor,
        min(rows, (int(down[-1]) + 1) * factor),
        min(columns, (int(across[-1]) + 1) * factor),
    )
    return Breast(box, mask, factor, True)


def _air_level(levels: npt.NDArray[np.uint8]) -> float:
    """Return the highest 8-bit grey of air: Li's threshold, by its fixed-point iteration, lowered."""
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    # Levels are shifted by one so that air of exactly 0 has a logarithm.
    grey = np.arange(1.0, 257.0)
    total, mass = np.cumsum(counts), np.cumsum(counts * grey)
    threshold = mass[-1] / total[-1]
    for _ in range(100):
        cut = int(np.clip(np.floor(threshold), 1, 255))
        low, high = total[cut - 1], total[-1] - total[cut - 1]
        if low == 0 or high == 0:
            break
        mean_low, mean_high = mass[cut - 1] / low, (mass[-1] - mass[cut - 1]) / high
        if mean_high <= mean_low:
            break
        following = (mean_high - mean_low) / (np.log(mean_high) - np.log(mean_low))
        if abs(following - threshold) < 0.5:
            threshold = following
            break
        threshold = following
    return float(np.floor(_DIM * (threshold - 1)))


def _above(
    small: npt.NDArray[np.uint16], aside: npt.NDArray[np.bool_] | None, level: float, digital: bool
) -> npt.NDArray[np.uint8] | None:
    """Return the largest body whose 8-bit grey is above a level, or None."""
    bright = (small >= (level + 1) * 256).astype(np.uint8)
    if aside is not None:
        bright[aside] = 0
    if not digital:
        for turned in (bright, bright[::-1], bright.T, bright.T[::-1]):
            _clear_film_edge(turned)
    return _body(_opened(bright))


def _clear_film_edge(bright: npt.NDArray[np.uint8]) -> None:
    """Clear a bright strip along the first rows, in place: a film's edge, never a breast.

    Nearly whole rows are bright there and far fewer a little further in; a breast that touches the
    edge narrows slowly.
    """
    share = bright[: max(2, round(_STRIP * bright.shape[0]))].mean(axis=1)
    strip = np.flatnonzero(share > 0.75)
    if strip.size and share[strip[-1]] - share[-1] > 0.3:
        bright[: int(strip[-1]) + 2] = 0


def _with_dim_tissue(
    small: npt.NDArray[np.uint16],
    aside: npt.NDArray[np.bool_] | None,
    darkest: int,
    body: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8] | None:
    """Return the body down to the darkest tissue, its fat at the chest wall included."""
    dim = _above(small, aside, darkest / 256 + _FLAT, True)
    if dim is None or np.count_nonzero(dim & body) < 0.9 * np.count_nonzero(body):
        return body
    rows, columns = np.flatnonzero(dim.any(axis=1)), np.flatnonzero(dim.any(axis=0))
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    if np.count_nonzero(dim) > _SHEET * box:
        return body
    edges = [dim[:, 0], dim[:, -1], dim[0], dim[-1]]
    chest_wall = max(edges, key=np.count_nonzero)
    contact = np.flatnonzero(chest_wall)
    if contact.size:
        # Black fat on the chest wall opens the body to the edge; closed there, it is a hole to fill.
        chest_wall[contact[0] : contact[-1] + 1] = 1
    return _body(dim)


def _opened(bright: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the mask without what is thinner than `_OPENING`; the image's edge counts as inside."""
    side = max(3, round(_OPENING * max(bright.shape))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = np.zeros_like(bright)
    # Far from what is bright nothing can change, and a breast fills a third of its image.
    left, top, width, height = cv2.boundingRect(bright)
    near = (
        slice(max(0, top - side), top + height + side),
        slice(max(0, left - side), left + width + side),
    )
    opened[near] = cv2.morphologyEx(bright[near], cv2.MORPH_OPEN, kernel)
    return opened


def _body(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | None:
    """Return the component of largest extent with its holes filled, or None if there is none."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    filled = np.zeros_like(mask)
    cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, thickness=cv2.FILLED)
    return filled

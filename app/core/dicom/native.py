"""Frames that are not compressed, in either byte order: PS3.5 8.1.1 and 8.2."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.dicom.layout import PixelLayout
from app.core.imaging.image import Grey


def unpack(raw: bytes, layout: PixelLayout, *, big_endian: bool, words: bool) -> npt.NDArray[Any]:
    """Return as many stored values as there are bytes for, flat, uint16 or int16.

    Parameters
    ----------
    raw
        The bytes of one frame, possibly cut.
    big_endian
        Byte order of the file.
    words
        Whether the element is OW: then bytes of 8-bit pixels lie swapped in big-endian files.

    Notes
    -----
    Bits outside of Bits Stored (old files keep overlays there) are not part of the pixel: they are
    masked, and negative values sign extended.
    """
    size = layout.bits_allocated // 8
    if size == 1 and words and big_endian:
        even = raw[: len(raw) // 2 * 2]
        values: npt.NDArray[Any] = np.frombuffer(even, ">u2").astype("<u2").view(np.uint8)
    else:
        values = np.frombuffer(raw[: len(raw) // size * size], f"{'>' if big_endian else '<'}u{size}")
    shift = layout.high_bit + 1 - layout.bits_stored
    if shift:
        values = values >> shift
    mask = (1 << layout.bits_stored) - 1
    if layout.signed:
        sign = 1 << (layout.bits_stored - 1)
        extended: npt.NDArray[np.int32] = ((values.astype(np.int32) & mask) ^ sign) - sign
        return extended.astype(np.int16)
    if layout.bits_stored < 8 * size and values.size and int(values.max()) > mask:
        values = values & mask
    return values.astype(np.uint16, copy=False)


def filled(values: npt.NDArray[Any], layout: PixelLayout, grey: Grey) -> npt.NDArray[Any]:
    """Return a whole frame, flat, of which only the first `values` are known; the rest is `filler`."""
    frame = np.full(layout.rows * layout.columns, filler(grey), values.dtype)
    frame[: values.size] = values
    return frame


def without_tail(values: npt.NDArray[Any], grey: Grey) -> npt.NDArray[Any]:
    """Return a frame whose last rows, which a decoder made up in one grey, are `filler` instead."""
    same = (values == values[-1, -1]).all(axis=1)
    known = values.shape[0] - int(np.argmin(same[::-1])) if not same.all() else 0
    frame = values.copy()
    frame[known:] = filler(grey)
    return frame


def filler(grey: Grey) -> int:
    """Return what stands for pixels that are missing: padding, or where none is named the darkest value."""
    if grey.padding is not None:
        return grey.padding[0]
    low = -(1 << (grey.bits_stored - 1)) if grey.signed else 0
    return low + (1 << grey.bits_stored) - 1 if grey.inverse else low

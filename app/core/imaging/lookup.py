"""One table lookup per pixel, as fast as this machine's OpenCV allows."""

from __future__ import annotations

from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Entry = TypeVar("Entry", np.uint8, np.uint16)

INDICES = 65536
"""Length of every table here: one entry for each uint16 index."""


def _opencv_takes_16_bit() -> bool:
    try:
        cv2.LUT(np.zeros((1, 1), np.uint16), np.zeros((1, INDICES), np.uint8))
    except cv2.error:  # before OpenCV 5: 8-bit input only
        return False
    return True


_OPENCV = _opencv_takes_16_bit()


def whole_table(table: npt.NDArray[Entry]) -> npt.NDArray[Entry]:
    """Return a table stretched to all 65536 indices; those past its end take its last entry."""
    whole = np.empty(INDICES, table.dtype)
    whole[: len(table)] = table
    whole[len(table) :] = table[-1]
    return whole


def look_up(
    index: npt.NDArray[np.uint16],
    table: npt.NDArray[Entry],
    out: npt.NDArray[Entry] | None = None,
) -> npt.NDArray[Entry]:
    """Return the entry of every index.

    Parameters
    ----------
    index
        Any 2-D array of uint16.
    table
        Length 65536.
    out
        Array of the same shape and the table's type to write into; rows may be apart (a part of a
        larger picture).

    Returns
    -------
    `out` where given, else a new array.
    """
    if out is None:
        out = np.empty(index.shape, table.dtype)
    if _OPENCV:
        written: Any = cv2.LUT(index, table.reshape(1, -1), dst=out)
        if written is not out and not np.shares_memory(written, out):
            out[...] = written
        return out
    np.take(table, index, out=out, mode="clip")
    return out

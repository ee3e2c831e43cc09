"""What lies outside the breast: found where something is there that is not air, and made black on request.

Letters, stickers and names are burnt into film and into some digital images. What overlies the breast itself
is not found here.
"""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from app.core.imaging.background import breast_region, surroundings
from app.core.imaging.image import Grey

Mask = npt.NDArray[np.bool_]

_SMALLEST: Final = 12
"""Pixels of the smallest stroke that counts: of letters 6 pixels high. Dust is smaller."""
_LONGEST: Final = 3
"""And its longer side has more pixels than that."""


def outside(stored: npt.NDArray[Any], grey: Grey) -> Mask:
    """Return what is not the breast's largest part; all False where no air tells the breast from it.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).
    """
    dark = surroundings(stored, grey).dark
    if not dark.any():
        return np.zeros(stored.shape, np.bool_)
    region: Mask = ~breast_region(dark)
    return region


def marks_outside(stored: npt.NDArray[Any], grey: Grey) -> int:
    """Return how many things as large as a small letter lie outside the breast and are no air."""
    dark = surroundings(stored, grey).dark
    if not dark.any():
        return 0
    bright = (~dark & ~breast_region(dark)).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    sides = np.maximum(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    large = (stats[1:, cv2.CC_STAT_AREA] >= _SMALLEST) & (sides > _LONGEST)
    return int(large.sum()) if count > 1 else 0


def blanked(stored: npt.NDArray[Any], grey: Grey) -> npt.NDArray[Any] | None:
    """Return a copy in which all outside the breast has the darkest value that occurs, or the padding's.

    None where no air tells the breast from what is outside, as in a view that fills the frame.
    """
    region = outside(stored, grey)
    if not region.any():
        return None
    bright_is_low = grey.inverse != (grey.modality_lut is None and grey.slope < 0)
    value = stored.max() if bright_is_low else stored.min()
    if grey.padding is not None and (stored == grey.padding[0]).any():
        value = grey.padding[0]
    made = stored.copy()
    made[region] = value
    return made

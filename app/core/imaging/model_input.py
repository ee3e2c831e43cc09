"""What models see of a frame: P-values after the file's first VOI, in stored orientation.

One function for the workstation and the trainer, so that a network is never shown other values
than the ones it was trained on.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.imaging.greyscale import render
from app.core.imaging.image import Grey, Window


def full_range(grey: Grey) -> Window:
    """Return the window that maps all values of the stored bits onto the whole output range.

    Used where the file names no VOI: an automatic window would depend on the picture's content,
    and the same film scanned twice would look different to a model.
    """
    low = -(1 << (grey.bits_stored - 1)) if grey.signed else 0
    high = low + (1 << grey.bits_stored) - 1
    first, last = sorted((low * grey.slope + grey.intercept, high * grey.slope + grey.intercept))
    # LINEAR of width w spans exactly [c - 0.5 - (w-1)/2, c - 0.5 + (w-1)/2] (PS3.3 C.11.2.1.2.1).
    return Window(center=(first + last) / 2 + 0.5, width=last - first + 1, explanation="full range")


def model_pixels(
    stored: npt.NDArray[np.generic], grey: Grey, padding: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.uint16]:
    """Return uint16 P-values 0..65535 of one frame for a model.

    Parameters
    ----------
    stored
        (rows, columns) stored values.
    grey
        The frame's grey-scale facts.
    padding
        True where padding (set to 0), or None.

    Returns
    -------
    Higher = denser whatever the photometric; the file's first VOI, or the full stored range where
    the file names none; *stored* orientation.
    """
    voi = grey.voi[0] if grey.voi else full_range(grey)
    return render(stored, grey, voi, mask=padding)

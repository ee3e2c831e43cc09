"""A window for files that name none, from the grey values of the breast alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.imaging.background import breast_region, padding_mask
from app.core.imaging.image import Grey, Window
from app.core.imaging.voi import modality

_SAMPLE = 400_000
"""About so many pixels are enough for percentiles."""


def automatic_window(stored: npt.NDArray[Any], mask: npt.NDArray[np.bool_] | None, grey: Grey) -> Window:
    """Return a LINEAR window over breast pixels, marked as automatic.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).
    mask
        True where padding or background air is; None if everything is breast.
    grey
        For the modality transform; the window is in its units.

    Notes
    -----
    From the 0.5th to the 99.8th percentile with a margin of 5 % below, so that neither a label, a clip
    nor the air at the skin line decides. Works on raw (For Processing) ranges too.
    """
    step = max(1, int(np.sqrt(stored.size / _SAMPLE)))
    sample = stored[::step, ::step]
    hidden = padding_mask(sample, grey) if mask is None else mask[::step, ::step]
    if hidden is not None and not hidden.all():
        sample = sample[breast_region(hidden)]
    low, high = (float(v) for v in np.percentile(modality(grey, sample.ravel()), [0.5, 99.8]))
    margin = 0.05 * (high - low)
    low, high = (low, high + margin) if grey.inverse else (low - margin, high)
    # The inverse of C.11.2.1.2.1: `low` is the last black value, `high` the first white one.
    return Window(0.5 + (low + high) / 2, max(high - low + 1, 1.0), "LINEAR", "automatic", automatic=True)

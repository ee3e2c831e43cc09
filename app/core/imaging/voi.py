"""Modality and VOI transforms as formulas in float64, PS3.3 C.11.1 and C.11.2.

Values of interest come out normalised to 0..1. The reader's drag is (shift, stretch), relative to the
alternative itself, so that linked panes of different vendors move together and a table or a sigmoid
keeps its shape.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from app.core.imaging.image import Grey, LookupTable, Voi, Window

FloatArray = npt.NDArray[np.float64]

_NARROWEST = 1e-3
"""Least width of LINEAR_EXACT and SIGMOID (they only demand > 0)."""


def modality(grey: Grey, stored: npt.ArrayLike) -> FloatArray:
    """Apply the Modality LUT, else slope and intercept, to stored values (PS3.3 C.11.1)."""
    values = np.asarray(stored, dtype=np.float64)
    table = grey.modality_lut
    if table is None:
        return values * grey.slope + grey.intercept
    entry = np.clip(values - table.first, 0, len(table.data) - 1).astype(np.intp)
    return table.data[entry].astype(np.float64)


def values_of_interest(x: FloatArray, voi: Voi, *, shift: float = 0.0, stretch: float = 1.0) -> FloatArray:
    """Apply one VOI alternative.

    Parameters
    ----------
    x
        Output of the modality transform, any shape.
    shift
        How far the reader moved the centre, in units of the alternative's own width.
    stretch
        Factor on the width, > 0.

    Returns
    -------
    float64 in 0..1, before the presentation transform.
    """
    if isinstance(voi, Window):
        return _window(x, dragged(voi, shift, stretch))
    centre, width = reach(voi)
    source = centre + (x - centre - shift * width) / max(stretch, _NARROWEST)
    entries = np.arange(len(voi.data), dtype=np.float64)
    # Between entries (only when dragged, or after a fractional rescale) the curve goes straight on.
    output = np.interp(source - voi.first, entries, voi.data.astype(np.float64))
    normalised: FloatArray = np.minimum(output / (2**voi.bits - 1), 1.0)
    return normalised


def dragged(window: Window, shift: float, stretch: float) -> Window:
    """Return a window as the reader moved it: same function and name, legal width."""
    narrowest = 1.0 if window.function == "LINEAR" else min(_NARROWEST, window.width)
    width = max(window.width * stretch, narrowest)
    return replace(window, center=window.center + shift * window.width, width=width)


def reach(voi: Voi, shift: float = 0.0, stretch: float = 1.0) -> tuple[float, float]:
    """Return (centre, width) in modality units, to write on the image and to scale a drag by.

    For a table: of the inputs between which its output runs from 2 % to 98 % of its own range, for
    tables are often far longer than the part that does something.
    """
    if isinstance(voi, Window):
        moved = dragged(voi, shift, stretch)
        return (moved.center, moved.width)
    low, high = _active(voi)
    centre, width = voi.first + (low + high) / 2, float(high - low + 1)
    return (centre + shift * width, width * max(stretch, _NARROWEST))


def _active(table: LookupTable) -> tuple[int, int]:
    data = table.data.astype(np.float64)
    least, span = data.min(), float(np.ptp(data))
    if span == 0:
        return (0, len(data) - 1)
    inside = np.flatnonzero((data > least + 0.02 * span) & (data < least + 0.98 * span))
    if inside.size == 0:
        step = int(np.abs(np.diff(data)).argmax())
        return (step, step + 1)
    return (int(inside[0]), int(inside[-1]))


def _window(x: FloatArray, window: Window) -> FloatArray:
    c, w = window.center, window.width
    if window.function == "SIGMOID":  # C.11.2.1.3.1; the exponent is bounded to keep exp finite
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (x - c) / w, -700.0, 700.0)))
    if window.function == "LINEAR_EXACT":  # C.11.2.1.3.2
        return np.clip((x - c) / w + 0.5, 0.0, 1.0)
    if w <= 1.0:  # C.11.2.1.2.1: a step
        return (x > c - 0.5).astype(np.float64)
    return np.clip((x - (c - 0.5)) / (w - 1.0) + 0.5, 0.0, 1.0)

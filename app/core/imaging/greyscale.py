"""The grey-scale pipeline: stored values to P-values (0..65535), PS3.3 C.11 and PS3.4 N.2.

Stored values have at most 16 bits, so modality transform, VOI, the reader's drag and the inversions
fold into one table over the stored range: exact to rounding, and one lookup per pixel.
Padding is set aside before everything else and painted black.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.imaging.autowindow import automatic_window
from app.core.imaging.image import Grey, Voi, Window
from app.core.imaging.lookup import look_up, whole_table
from app.core.imaging.voi import modality, reach, values_of_interest

__all__ = [
    "automatic_window",
    "index_of",
    "p_value_table",
    "reach",
    "render",
    "stored_range",
    "table8",
    "voi_name",
    "voi_names",
]

WHITE = 65535
"""The largest P-value."""

Stored = npt.NDArray[Any]
"""Stored values: any integer type of at most 16 bits."""


def stored_range(grey: Grey) -> tuple[int, int]:
    """Return the least and the largest stored value that the file's bit depth allows, inclusive."""
    if grey.signed:
        return (-(1 << (grey.bits_stored - 1)), (1 << (grey.bits_stored - 1)) - 1)
    return (0, (1 << grey.bits_stored) - 1)


def voi_name(voi: Voi, index: int = 0) -> str:
    """Return the name of an alternative: the file's explanation, else its kind and number.

    Parameters
    ----------
    index
        0-based place among the alternatives of the same kind (windows, tables).
    """
    if isinstance(voi, Window):
        return "automatic" if voi.automatic else voi.explanation.strip() or f"window {index + 1}"
    return voi.explanation.strip() or f"LUT {index + 1}"


def voi_names(vois: tuple[Voi, ...]) -> tuple[str, ...]:
    """Return the names of all alternatives, each unlike the others."""
    names: list[str] = []
    windows = 0
    for place, voi in enumerate(vois):
        is_window = isinstance(voi, Window)
        name = voi_name(voi, windows if is_window else place - windows)
        windows += is_window
        if name in names and not is_window:
            name = f"{name} (LUT)"
        names.append(name if name not in names else f"{name} ({place + 1})")
    return tuple(names)


def p_value_table(
    grey: Grey, voi: Voi, *, shift: float = 0.0, stretch: float = 1.0, invert: bool = False
) -> npt.NDArray[np.uint16]:
    """Return the P-value of every stored value.

    Parameters
    ----------
    voi
        One of `alternatives`.
    shift, stretch
        The reader's drag, see `app.core.imaging.voi`; 0 and 1 are the alternative itself, exactly.
    invert
        The reader's inversion, on top of the file's own.

    Returns
    -------
    uint16 of length high - low + 1 of `stored_range`, 0 black to 65535 white; entry i belongs to the
    stored value low + i. MONOCHROME1 is applied once, after the VOI.
    """
    low, high = stored_range(grey)
    x = modality(grey, np.arange(low, high + 1))
    output = values_of_interest(x, voi, shift=shift, stretch=stretch)
    if grey.inverse:
        output = 1.0 - output
    table = np.floor(output * WHITE + 0.5).astype(np.uint16)
    return np.uint16(WHITE) - table if invert else table


def table8(
    grey: Grey, voi: Voi, *, shift: float = 0.0, stretch: float = 1.0, invert: bool = False
) -> npt.NDArray[np.uint8]:
    """Return the screen's table: `p_value_table` at 8 bits, for `app.core.imaging.resample.paint`.

    Returns
    -------
    uint8 of length 65536 over the index (stored value - low); indices past the stored range, which
    only broken files reach, take its last entry.
    """
    table = p_value_table(grey, voi, shift=shift, stretch=stretch, invert=invert)
    return whole_table(((table.astype(np.uint32) + 128) // 257).astype(np.uint8))


def index_of(stored: Stored, grey: Grey) -> npt.NDArray[np.uint16]:
    """Return stored values as unsigned indices into the tables: value - low of `stored_range`.

    The array itself where it is uint16 already. Values below the range take index 0.
    """
    low, _ = stored_range(grey)
    if stored.dtype == np.uint16 and low == 0:
        return stored
    return np.clip(stored.astype(np.int32) - low, 0, WHITE).astype(np.uint16)


def render(
    stored: Stored,
    grey: Grey,
    voi: Voi,
    *,
    mask: npt.NDArray[np.bool_] | None = None,
    invert: bool = False,
    shift: float = 0.0,
    stretch: float = 1.0,
) -> npt.NDArray[np.uint16]:
    """Render a whole frame at its native size.

    Parameters
    ----------
    stored
        Stored values, shape (rows, columns).
    mask
        True where it is black whatever the values: `background.Surroundings.black`.
    invert
        The reader's inversion.

    Returns
    -------
    uint16 P-values of the same shape, 0 where masked.
    """
    table = p_value_table(grey, voi, shift=shift, stretch=stretch, invert=invert)
    values = look_up(index_of(stored, grey), whole_table(table))
    if mask is not None:
        values[mask] = 0
    return values

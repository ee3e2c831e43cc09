"""How large a pixel of a screen is, so that a millimetre of the breast can be one on the screen.

Told by the monitor itself (EDID), or measured by the reader with a ruler; the ruler wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

FINEST_MM, COARSEST_MM = 0.04, 1.0
"""Pixel pitches beyond which no screen is: from the finest telephone to a wall."""
SQUARE = 0.05
"""How far the pitches across and down may differ before what a monitor says is not believed."""
CALIBRATED = "calibrated"
BY_DATA = "by the monitor's own data"
ASPECTS = frozenset({(160, 90), (160, 100), (160, 120), (16, 9), (16, 10)})
"""Sizes (width, height) in millimetres that monitors give when they mean their aspect ratio."""


@dataclass(frozen=True, slots=True)
class Monitor:
    """A screen as the system describes it.

    Attributes
    ----------
    name, model, serial
        As told; any may be empty.
    pixels
        (width, height) in device pixels.
    size_mm
        (width, height) of the picture; (0, 0) where it is not told.
    """

    name: str
    model: str
    serial: str
    pixels: tuple[int, int]
    size_mm: tuple[float, float]

    @property
    def key(self) -> str:
        """What its calibration is kept under: another resolution is another pixel size."""
        width, height = self.pixels
        return "|".join((self.name, self.model, self.serial, f"{width}x{height}"))


@dataclass(frozen=True, slots=True)
class Pitch:
    """Millimetres from one device pixel to the next, and how that is known."""

    mm: float
    basis: str


def pitch_of(monitor: Monitor, measured: Mapping[str, str]) -> Pitch | None:
    """Return the pixel pitch of a monitor, or None where it is not known.

    Parameters
    ----------
    measured
        Monitor key to pitch in millimetres as text, as the settings keep it.
    """
    try:
        ruler = float(measured.get(monitor.key, ""))
    except ValueError:
        ruler = 0.0
    if FINEST_MM <= ruler <= COARSEST_MM:
        return Pitch(ruler, CALIBRATED)
    told = pitch_told(monitor)
    return None if told is None else Pitch(told, BY_DATA)


def pitch_told(monitor: Monitor) -> float | None:
    """Return the pitch that follows from a monitor's own data, or None where they cannot be right."""
    width, height = monitor.size_mm
    if min(width, height, *monitor.pixels) <= 0 or (round(width), round(height)) in ASPECTS:
        return None
    across, down = width / monitor.pixels[0], height / monitor.pixels[1]
    if abs(across - down) > SQUARE * max(across, down):
        return None
    pitch = (across + down) / 2
    return pitch if FINEST_MM <= pitch <= COARSEST_MM else None


def pitch_measured(line_px: float, length_mm: float) -> float:
    """Return the pitch of a screen on which a line of so many device pixels is so long.

    Raises
    ------
    ValueError
        When no screen has such pixels: the ruler was read wrongly.
    """
    pitch = length_mm / line_px if line_px > 0 else 0.0
    if not FINEST_MM <= pitch <= COARSEST_MM:
        raise ValueError(f"pitch {pitch} mm")
    return pitch

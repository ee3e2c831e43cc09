"""Millimetres per pixel, with the plane in which they hold.

Mammography (For Presentation, For Processing): Imager Pixel Spacing (0018,1164), measured at the
detector, over the Estimated Radiographic Magnification Factor (0018,1114) always wins. Tomosynthesis: Pixel
Spacing of the functional groups (PS3.3 C.7.6.16.2.1), which holds in the slices, then as mammography. CR,
DX and Secondary Capture: Pixel Spacing (0028,0030) if calibrated, else Imager Pixel Spacing, else Nominal
Scanned Pixel Spacing (0018,2010). PS3.3 10.7.1.3: Pixel Spacing that differs from Imager Pixel Spacing,
or comes with a Pixel Spacing Calibration Type (0028,0A02), has been calibrated; equal, it has not. Alone
it may be either: the millimetres are given as ``not calibrated``.
"""

from __future__ import annotations

import math
from typing import Literal

from pydicom.dataset import Dataset

from app.core.dicom.elements import broken, number, numbers, text, value, walk
from app.core.dicom.source import TOMOSYNTHESIS
from app.core.imaging.image import Note, Spacing

SMALLEST_MM, LARGEST_MM = 0.001, 10.0
"""Outside these a distance between pixels of a mammogram is a mistake."""

LARGEST_FACTOR = 10.0

MISSING = Note("spacing-missing", "No pixel spacing: lengths can only be given in pixels.", "warning")

Pair = tuple[float, float]
Rule = Literal["mammography", "other"]
_NAMES = {
    "ImagerPixelSpacing": "Imager Pixel Spacing",
    "PixelSpacing": "Pixel Spacing",
    "NominalScannedPixelSpacing": "Nominal Scanned Pixel Spacing",
}


def read_spacing(ds: Dataset, rule: Rule) -> tuple[Spacing | None, tuple[Note, ...]]:
    """Return the spacing (None: only pixels can be counted) and what was doubted.

    Notes
    -----
    Codes: ``spacing-invalid``, ``spacing-conflict``, ``spacing-missing``, ``spacing-uncalibrated``,
    ``magnification-missing``, ``magnification-ignored``.
    """
    notes: list[Note] = []
    imager = _pair(ds, "ImagerPixelSpacing", notes)
    pixel = _pair(ds, "PixelSpacing", notes)
    scanned = _pair(ds, "NominalScannedPixelSpacing", notes)
    measures = _measures(ds, notes)
    if measures is not None and text(ds, "SOPClassUID") == TOMOSYNTHESIS:
        found: Spacing | None = _slices(measures, imager, pixel, notes)
    elif rule == "mammography":
        found = _mammography(ds, imager, pixel, scanned, measures, notes)
    else:
        found = _other(ds, imager, pixel, scanned, notes)
    if found is None:
        notes.append(MISSING)
    return found, tuple(notes)


def _slices(measures: Pair, imager: Pair | None, pixel: Pair | None, notes: list[Note]) -> Spacing:
    """Return the spacing of tomosynthesis slices; one at the detector belongs to the projections."""
    for name, other in (("Imager Pixel Spacing", imager), ("Pixel Spacing", pixel)):
        if other is not None and not _same(other, measures):
            both = f"{name} ({_mm(other)}) differs from the Pixel Spacing of the slices ({_mm(measures)})"
            notes.append(Note("spacing-conflict", f"{both}: {_mm(measures)} is used."))
    return Spacing(*measures, "calibrated")


def _uncalibrated(pixel: Pair, notes: list[Note]) -> Spacing:
    words = f"Pixel Spacing ({_mm(pixel)}) stands alone: nothing says that or how it was calibrated."
    notes.append(Note("spacing-uncalibrated", words, "warning"))
    return Spacing(*pixel, "not calibrated")


def _mammography(ds: Dataset, imager: Pair | None, pixel: Pair | None, scanned: Pair | None,
                 measures: Pair | None, notes: list[Note]) -> Spacing | None:  # fmt: skip
    if imager is None:
        alone = pixel or measures
        if alone is not None:
            return _uncalibrated(alone, notes)
        return Spacing(*scanned, "at film") if scanned is not None else None
    factor = _factor(ds, notes)
    magnified = factor is not None and factor > 1
    used = (imager[0] / factor, imager[1] / factor) if factor is not None and magnified else imager
    for name, other in (("Pixel Spacing", pixel), ("the frames' Pixel Spacing", measures)):
        if other is not None and not _same(other, imager):
            both = f"{name} ({_mm(other)}) differs from Imager Pixel Spacing ({_mm(imager)})"
            level: Literal["info", "warning"] = "info" if _same(other, used) else "warning"
            notes.append(Note("spacing-conflict", f"{both}: {_mm(used)} is used.", level))
    if factor is not None and magnified:
        return Spacing(*used, "magnified", factor)
    return Spacing(*imager, "at detector")


def _other(ds: Dataset, imager: Pair | None, pixel: Pair | None, scanned: Pair | None,
           notes: list[Note]) -> Spacing | None:  # fmt: skip
    if pixel is not None:
        kind = text(ds, "PixelSpacingCalibrationType")
        uncalibrated = imager or scanned
        if not kind and uncalibrated is None:
            return _uncalibrated(pixel, notes)
        if kind or (uncalibrated is not None and not _same(pixel, uncalibrated)):
            if not kind:
                words = f"Pixel Spacing ({_mm(pixel)}) does not say how it was calibrated."
                notes.append(Note("spacing-uncalibrated", words, "info"))
            return Spacing(*pixel, "calibrated")
    if imager is not None:
        factor = number(ds, "EstimatedRadiographicMagnificationFactor")
        if factor is not None and factor > 1:
            words = f"The magnification factor {factor:g} is not applied: lengths hold at the detector."
            notes.append(Note("magnification-ignored", words, "warning"))
        return Spacing(*imager, "at detector")
    return Spacing(*scanned, "at film") if scanned is not None else None


def _factor(ds: Dataset, notes: list[Note]) -> float | None:
    """Return the magnification factor (>= 1), None where it is missing or impossible."""
    keyword = "EstimatedRadiographicMagnificationFactor"
    holders = [ds, *walk(ds, "XRay3DAcquisitionSequence")]
    holder = next((one for one in holders if value(one, keyword) is not None or broken(one, keyword)), None)
    if holder is None:
        words = "No magnification factor is stated: lengths hold at the detector, not in the breast."
        notes.append(Note("magnification-missing", words))
        return None
    found = number(holder, keyword)
    if found is None or not 1 <= found <= LARGEST_FACTOR:
        said = text(holder, keyword)[:16] or "unreadable"
        words = (
            f"The magnification factor {said} is impossible and was ignored: lengths hold at the detector."
        )
        notes.append(Note("magnification-ignored", words, "warning"))
        return None
    return found


def _pair(ds: Dataset, keyword: str, notes: list[Note]) -> Pair | None:
    if value(ds, keyword) is None and not broken(ds, keyword):
        return None
    found = numbers(ds, keyword)
    if len(found) == 2 and all(math.isfinite(one) and SMALLEST_MM <= one <= LARGEST_MM for one in found):
        return found[0], found[1]
    said = text(ds, keyword)[:32] or "unreadable"
    notes.append(
        Note("spacing-invalid", f"{_NAMES[keyword]} '{said}' is impossible and was ignored.", "warning")
    )
    return None


def _measures(ds: Dataset, notes: list[Note]) -> Pair | None:
    """Return the Pixel Spacing of the functional groups (PS3.3 C.7.6.16.2.1), shared or first."""
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for measures in walk(ds, groups, "PixelMeasuresSequence"):
            if value(measures, "PixelSpacing") is not None or broken(measures, "PixelSpacing"):
                return _pair(measures, "PixelSpacing", notes)
    return None


def _same(one: Pair, other: Pair) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(one, other, strict=True))


def _mm(pair: Pair) -> str:
    row, col = (f"{one:.4g}" for one in pair)
    return f"{row} mm" if row == col else f"{row} x {col} mm"

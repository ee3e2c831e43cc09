"""All facts of the grey-scale pipeline, of the whole image or of every frame.

PS3.3 C.7.6.3 (pixels), C.11.1 (modality), C.11.2 (VOI), C.11.6 (Presentation LUT Shape), C.7.5.1.1.2
(padding); in multi-frame objects C.7.6.16.2.9 (Pixel Value Transformation) and C.7.6.16.2.10 (Frame VOI
LUT). Only facts: the arithmetic is in ``app.core.imaging``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
from pydicom.dataset import Dataset

from app.core.dicom.elements import (
    BROKEN,
    broken,
    integer,
    item,
    items,
    number,
    numbers,
    text,
    texts,
    value,
    words,
)
from app.core.dicom.tables import read_table
from app.core.imaging.image import Grey, LookupTable, Note, Voi, VoiFunction, Window

_FUNCTIONS: dict[str, VoiFunction] = {
    "LINEAR": "LINEAR",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How stored values lie in the file: the bits of PS3.3 C.7.6.3.1.1."""

    bits_stored: int
    signed: bool
    frames: int
    little_endian: bool = True


def read_grey(ds: Dataset, layout: Layout) -> tuple[tuple[Grey, ...], tuple[Note, ...]]:
    """Return one `Grey`, or one per frame where the frames differ, and what was doubted.

    Notes
    -----
    Codes: ``window-invalid``, ``voi-function-unknown``, ``voi-lut-broken``, ``modality-lut-broken``,
    ``rescale-invalid``, ``photometric-missing``, ``photometric-conflict``, ``padding-invalid``,
    ``frames-conflict``.
    """
    notes: list[Note] = []
    base = Grey(
        inverse=_inverse(ds, notes),
        padding=_padding(ds, layout, notes),
        bits_stored=layout.bits_stored,
        signed=layout.signed,
    )
    shared = item(ds, "SharedFunctionalGroupsSequence")
    per_frame = items(ds, "PerFrameFunctionalGroupsSequence")
    common = _of_frame(ds, shared, None, base, layout, notes)
    own = [_has_grey(frame) for frame in per_frame[: layout.frames]]
    if not any(own):
        return (common,), tuple(dict.fromkeys(notes))
    if len(per_frame) < layout.frames:
        words_ = f"The functional groups describe {len(per_frame)} of {layout.frames} frames."
        notes.append(Note("frames-conflict", words_, "warning"))
    greys = [
        _of_frame(ds, shared, frame, base, layout, notes) if has else common
        for frame, has in zip(per_frame, own, strict=False)
    ]
    greys += [common] * (layout.frames - len(greys))
    different = any(grey != greys[0] for grey in greys[1:])
    return tuple(greys) if different else (greys[0],), tuple(dict.fromkeys(notes))


def _has_grey(frame: Dataset) -> bool:
    return any(item(frame, key) for key in ("FrameVOILUTSequence", "PixelValueTransformationSequence"))


def _of_frame(ds: Dataset, shared: Dataset | None, frame: Dataset | None, base: Grey, layout: Layout,
              notes: list[Note]) -> Grey:  # fmt: skip
    def group(keyword: str) -> Dataset:
        return item(frame, keyword) or item(shared, keyword) or ds

    modality = group("PixelValueTransformationSequence")
    slope, intercept = _rescale(modality, notes)
    table = _modality_table(modality, layout, notes)
    signed_input = layout.signed or (table is None and intercept < 0)
    voi, missing = _voi(group("FrameVOILUTSequence"), signed_input, layout.little_endian, notes)
    return replace(base, voi=voi, missing=missing, slope=slope, intercept=intercept, modality_lut=table)


def _voi(
    ds: Dataset, signed_input: bool, little_endian: bool, notes: list[Note]
) -> tuple[tuple[Voi, ...], tuple[int, ...]]:
    """Return the possible alternatives, windows before tables, and the places of the impossible ones."""
    found: list[Voi | None] = list(_windows(ds, notes))
    for number_, one in enumerate(items(ds, "VOILUTSequence"), start=1):
        table = read_table(one, signed_input=signed_input, little_endian=little_endian)
        if table is None:
            notes.append(Note("voi-lut-broken", f"VOI LUT {number_} is broken and was left out.", "warning"))
        found.append(table)
    missing = tuple(place for place, voi in enumerate(found, start=1) if voi is None)
    return tuple(voi for voi in found if voi is not None), missing


def _windows(ds: Dataset, notes: list[Note]) -> list[Window | None]:
    """Return the windows in file order, None in the place of an impossible one."""
    if not _present(ds, "WindowCenter") and not _present(ds, "WindowWidth"):
        return []
    stated = text(ds, "VOILUTFunction").upper()
    function = _FUNCTIONS.get(stated, "LINEAR")
    if stated and stated not in _FUNCTIONS:
        words_ = f"The VOI LUT function '{stated[:16]}' is not known: LINEAR is used."
        notes.append(Note("voi-function-unknown", words_, "warning"))
    centers, widths = numbers(ds, "WindowCenter"), numbers(ds, "WindowWidth")
    names = texts(ds, "WindowCenterWidthExplanation")
    found: list[Window | None] = []
    pairs: list[tuple[float | None, float | None]] = list(zip_longest(centers, widths)) or [(None, None)]
    for place, (center, width) in enumerate(pairs):
        # PS3.3 C.11.2.1.2.1: LINEAR needs a width of at least 1, the others one above 0.
        if center is None or width is None or width <= 0 or (function == "LINEAR" and width < 1):
            words_ = f"Window {place + 1} of the file is impossible and was left out."
            notes.append(Note("window-invalid", words_, "warning"))
            found.append(None)
        else:
            found.append(Window(center, width, function, names[place] if place < len(names) else ""))
    return found


def _rescale(ds: Dataset, notes: list[Note]) -> tuple[float, float]:
    slope, intercept = number(ds, "RescaleSlope"), number(ds, "RescaleIntercept")
    bad = slope == 0 or any(
        _present(ds, key) and found is None
        for key, found in (("RescaleSlope", slope), ("RescaleIntercept", intercept))
    )
    if bad:
        notes.append(
            Note(
                "rescale-invalid", "The rescale slope or intercept is impossible and was ignored.", "warning"
            )
        )
        return 1.0, 0.0
    return (1.0 if slope is None else slope), (0.0 if intercept is None else intercept)


def _modality_table(ds: Dataset, layout: Layout, notes: list[Note]) -> LookupTable | None:
    first = item(ds, "ModalityLUTSequence")
    if first is None:
        return None
    table = read_table(first, signed_input=layout.signed, little_endian=layout.little_endian)
    if table is None:
        notes.append(Note("modality-lut-broken", "The modality LUT is broken and was ignored.", "warning"))
    return table


def _inverse(ds: Dataset, notes: list[Note]) -> bool:
    stated = text(ds, "PhotometricInterpretation").upper()
    shape = text(ds, "PresentationLUTShape").upper()
    if not stated:
        how = "dark" if shape == "INVERSE" else "bright"
        words_ = f"The photometric interpretation is not stated: high values are taken to be {how}."
        notes.append(Note("photometric-missing", words_, "inferred"))
        return shape == "INVERSE"
    mono1 = stated == "MONOCHROME1"
    # With MONOCHROME1 the shape must be INVERSE and with MONOCHROME2 IDENTITY (PS3.3 C.8.11.1.1).
    if shape and (shape == "INVERSE") != mono1:
        kind = "MONOCHROME1" if mono1 else "MONOCHROME2"
        words_ = f"{kind} and Presentation LUT Shape {shape[:16]} contradict each other: low is shown bright."
        notes.append(Note("photometric-conflict", words_, "warning"))
    return mono1 or shape == "INVERSE"


def _padding(ds: Dataset, layout: Layout, notes: list[Note]) -> tuple[int, int] | None:
    first = _stored(ds, "PixelPaddingValue", layout)
    if first is None:
        return None
    limit = _stored(ds, "PixelPaddingRangeLimit", layout)
    low, high = sorted((first, first if limit is None else limit))
    lowest = -(1 << (layout.bits_stored - 1)) if layout.signed else 0
    if high - low >= (1 << layout.bits_stored) - 1 and low <= lowest:
        notes.append(
            Note("padding-invalid", "The padding range covers every value and was ignored.", "warning")
        )
        return None
    return low, high


def _stored(ds: Dataset, keyword: str, layout: Layout) -> int | None:
    """Return a US or SS value in the pixels' own representation, whatever VR it was written with."""
    raw = words(ds, keyword, little_endian=layout.little_endian)
    if raw is None:
        return None
    if len(raw) == 2:
        return int(np.frombuffer(raw, "<i2" if layout.signed else "<u2")[0])
    try:
        return integer(ds, keyword)
    except BROKEN:
        return None


def _present(ds: Dataset, keyword: str) -> bool:
    return value(ds, keyword) is not None or broken(ds, keyword)

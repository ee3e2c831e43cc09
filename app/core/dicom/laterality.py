"""Which breast: Frame Laterality, Image Laterality, Laterality, then what the file says in words.

PS3.3 C.7.6.16.2.8 (Frame Anatomy), C.8.11.7 (Image Laterality), C.7.3.1 (Laterality). A tomosynthesis
object states its side in the functional groups alone.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from app.core.dicom.codes import SIDES, code_value
from app.core.dicom.elements import items, text, walk
from app.core.dicom.naming import parse
from app.core.imaging.image import Laterality, Note

_LETTERS: dict[str, Laterality] = {
    "L": "L",
    "R": "R",
    "B": "B",
    "LEFT": "L",
    "RIGHT": "R",
    "BOTH": "B",
    "BILATERAL": "B",
}


def read_laterality(ds: Dataset) -> tuple[Laterality | None, tuple[Note, ...]]:
    """Return the side of the breast and what there is to say about it.

    Notes
    -----
    Codes: ``laterality-conflict`` (two elements contradict each other, the first in order of trust is
    kept), ``laterality-inferred`` (from an anatomic modifier or a description), ``laterality-unknown``.
    """
    stated = [(name, side) for name, raw in _stated(ds) if (side := _LETTERS.get(raw.upper()))]
    if stated:
        name, side = stated[0]
        others = [f"{other} {letter}" for other, letter in stated[1:] if letter != side]
        worded = _worded(ds)
        if not others and worded is not None and worded[1] != side and side != "B":
            others = [f"{worded[0]} {worded[1]}"]
        if others:
            text_ = f"{name} says {side}, but {' and '.join(others)}: {side} is shown."
            return side, (Note("laterality-conflict", text_, "warning"),)
        return side, ()
    coded = _coded(ds)
    if coded:
        text_ = f"The side ({coded}) was taken from the anatomic region modifier."
        return coded, (Note("laterality-inferred", text_, "inferred"),)
    worded = _worded(ds)
    if worded:
        text_ = f"The side ({worded[1]}) was taken from the {worded[0]}."
        return worded[1], (Note("laterality-inferred", text_, "inferred"),)
    return None, (Note("laterality-unknown", "The file does not say which breast it shows.", "warning"),)


def _stated(ds: Dataset) -> list[tuple[str, str]]:
    frames = [
        ("Frame Laterality", text(anatomy, "FrameLaterality"))
        for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        for anatomy in walk(ds, groups, "FrameAnatomySequence")
    ]
    image = ("Image Laterality", text(ds, "ImageLaterality"))
    return [*dict.fromkeys(frames), image, ("Laterality", text(ds, "Laterality"))]


def _coded(ds: Dataset) -> Laterality | None:
    for region in items(ds, "AnatomicRegionSequence"):
        for modifier in items(region, "AnatomicRegionModifierSequence"):
            side = SIDES.get(code_value(modifier))
            if side:
                return _LETTERS[side]
    return None


def _worded(ds: Dataset) -> tuple[str, Laterality] | None:
    for keyword, name in (
        ("SeriesDescription", "series description"),
        ("AcquisitionDeviceProcessingDescription", "processing description"),
        ("ProtocolName", "protocol name"),
    ):
        named = parse(text(ds, keyword))
        # A lone letter in prose is no side; beside a view it is.
        words = text(ds, keyword).lower()
        if named.laterality and (named.view or "left" in words or "right" in words):
            return name, named.laterality
    return None

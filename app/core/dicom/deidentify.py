"""A DICOM image without its person: the basic profile of PS3.15 Annex E, and more where the profile keeps.

A new data set is made of what may stay; nothing is taken over unseen. Pixels are decoded and written anew,
so that comments in a codestream, bits above Bits Stored (where old overlays lie) and whatever follows the
pixels stay behind. File meta, preamble and file name are our own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydicom.datadict import dictionary_has_tag, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import correct_ambiguous_vr
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian

from app.core.dicom.confidentiality import (
    BIRTH_DATES,
    CHARACTERISTICS,
    CLASSIC,
    DATE_VRS,
    EDITION,
    KEPT_BYTES,
    KEPT_TEXTS,
    METHOD_CODES,
    NUMBER_VRS,
    SCHEMES,
    TABLE,
    TEXT_VRS,
)
from app.core.dicom.elements import BROKEN, as_date, text
from app.core.dicom.identities import Identities
from app.core.dicom.pseudonyms import Pseudonyms
from app.core.dicom.source import MAMMOGRAPHY

Dates = Literal["remove", "shift"]

_PATIENT_NAME: Final = 0x00100010
_PATIENT_ID: Final = 0x00100020
_AGE: Final = 0x00101010
_STANDARD_ROOT: Final = "1.2.840.10008."
_CODE: Final = re.compile(r"[A-Z0-9 _/.+-]{0,16}", re.IGNORECASE)
_CODE_VALUE: Final = 0x00080100
_NEVER_EMPTY: Final = frozenset({0x00080100, 0x00080102, 0x00080104})
"""Code Value, Coding Scheme Designator, Code Meaning: type 1 in their items (PS3.3 8.8)."""
_PUBLIC_CODE: Final = re.compile(r"[A-Z]{0,3}-?[0-9A-F]{2,18}")
"""As the codes of the public schemes are written: they may hold the digits of somebody's id by chance."""
_NUMBER: Final = re.compile(r"[-+0-9.eE]{0,16}")
_OLDEST: Final = 89
"""Ages above it are written as 090Y: so old are few."""
_DUMMIES: Final[dict[str, Any]] = {
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101",
    "TM": "000000",
    "DS": "0",
    "IS": "0",
    "UR": "http://removed.invalid",
    "OB": b"\0\0",
    "UN": b"",
}
_DEEPEST: Final = 16
IMPLEMENTATION: Final = "2.25.252183163498417416903047311283562938521"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the exporter asked for.

    Attributes
    ----------
    dates
        ``remove``, or ``shift``: days are moved back, all of a patient by as many; times go either way.
    characteristics
        Age and sex stay; ages above 89 become 90.
    """

    dates: Dates = "remove"
    characteristics: bool = False


@dataclass(slots=True)
class Removed:
    """What was removed, by attribute and manner; no value is ever in it."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def note(self, tag: BaseTag | int, how: str) -> None:
        """Count one attribute; private ones by their group alone, for a block's number may name its owner."""
        tag = Tag(tag)
        if tag.group % 2:
            name = "private"
        elif 0x5000 <= tag.group < 0x5100 or 0x6000 <= tag.group < 0x6100:
            name = "curve" if tag.group < 0x5100 else "overlay"
        else:
            name = f"({tag.group:04X},{tag.element:04X}) {keyword_for_tag(tag) or 'unknown'}"
        self.counts[name, how] += 1


class Deidentifier:
    """Makes de-identified data sets of one patient.

    Parameters
    ----------
    patient
        The patient's own id, of which the pseudonym is made.
    names
        What must not be found in any text that is kept.
    """

    def __init__(
        self, pseudonyms: Pseudonyms, patient: str, names: Identities, wishes: Wishes, removed: Removed
    ) -> None:
        self._pseudonyms, self._patient = pseudonyms, patient
        self._names, self._wishes, self.removed = names, wishes, removed
        self._classic = self._mammogram = False

    def dataset(self, original: Dataset, *, swapped: bool = False) -> Dataset:
        """Return the data set without its pixels, marked as de-identified.

        Parameters
        ----------
        swapped
            Its words are big endian.
        """
        kind = str(original.get("SOPClassUID", ""))
        self._classic, self._mammogram = kind in CLASSIC, kind in MAMMOGRAPHY
        with suppress(*BROKEN):  # implicit VR does not say whether a number has a sign
            correct_ambiguous_vr(original, not swapped)
        made = self._cleaned(original, 0, swapped)
        pseudonym = self._pseudonyms.name("P", self._patient)
        made.PatientName = made.PatientID = pseudonym
        for keyword in ("PatientBirthDate", "PatientSex"):
            if keyword not in made:
                setattr(made, keyword, "")
        made.PatientIdentityRemoved = "YES"
        made.DeidentificationMethod = f"Mammoview, PS3.15 {EDITION} Table E.1-1 basic profile"
        kinds = ["basic"]
        kinds += ["shifted"] if self._wishes.dates == "shift" else []
        kinds += ["characteristics"] if self._wishes.characteristics else []
        made.DeidentificationMethodCodeSequence = [_method(kind) for kind in kinds]
        shifted = self._wishes.dates == "shift"
        made.LongitudinalTemporalInformationModified = "MODIFIED" if shifted else "REMOVED"
        return made

    def _cleaned(self, original: Dataset, depth: int, swapped: bool) -> Dataset:
        made = Dataset()
        for tag in original.keys():  # noqa: SIM118 - iterating a Dataset gives elements
            if tag.element == 0:
                continue
            if not _is_known(tag):
                self.removed.note(tag, "removed")
                continue
            try:
                element = original[tag]
                kept = self._element(element, depth, swapped)
            except BROKEN:
                kept = None
                self.removed.note(tag, "removed, for its value is none")
            if kept is not None:
                made[tag] = kept
        return made

    def _element(self, element: DataElement, depth: int, swapped: bool) -> DataElement | None:
        """Return what becomes of an element, None where it goes; notes what was changed."""
        tag = int(element.tag)
        if self._wishes.characteristics and tag in CHARACTERISTICS:
            return self._characteristic(element)
        action = TABLE.get(tag)
        if action is None:
            return self._unlisted(element, depth, swapped)
        if tag in (_PATIENT_ID, _PATIENT_NAME):
            self.removed.note(tag, "replaced")
            return _with(element, "")  # the pseudonym follows
        if element.VR in ("DA", "DT") and self._wishes.dates == "shift" and tag not in BIRTH_DATES:
            return self._shifted(element)
        if action == "U":
            return self._mapped(element)
        if action == "X/Z/U*":
            return self._sequence(element, depth, swapped)
        chosen = self._chosen(action, element.VR)
        self.removed.note(tag, {"X": "removed", "Z": "emptied", "D": "replaced"}[chosen])
        if chosen == "X":
            return None
        if chosen == "Z" or element.VR == "SQ":
            return _with(element, [] if element.VR == "SQ" else "")
        return _with(element, _DUMMIES.get(element.VR, 0 if element.VR in NUMBER_VRS else "ANONYMIZED"))

    def _chosen(self, action: str, vr: str) -> str:
        """Return X, Z or D: of several the one that any object may have."""
        if action in ("X", "Z", "D"):
            return "X" if (action, vr) == ("D", "SQ") else action
        if action == "X/Z" or (action == "Z/D" and self._classic):
            return "Z"
        # An empty sequence would not do where one is of type 1; no image object has such a one.
        return "X" if self._classic or vr == "SQ" else "D"

    def _unlisted(self, element: DataElement, depth: int, swapped: bool) -> DataElement | None:
        """Return an element that the profile does not name: numbers, codes, and text that is known."""
        tag, vr = int(element.tag), element.VR
        if vr == "SQ":
            return self._sequence(element, depth, swapped)
        if vr == "UI":
            return element if _all(element, _is_standard) else self._mapped(element)
        kept = (
            vr in NUMBER_VRS
            or vr == "US or SS"
            or (vr in ("DS", "IS") and _all(element, lambda each: bool(_NUMBER.fullmatch(each.strip()))))
            or (vr == "CS" and _all(element, lambda each: bool(_CODE.fullmatch(each.strip()))))
            or (vr in TEXT_VRS and tag in KEPT_TEXTS)
            or tag in KEPT_BYTES
        )
        if vr in DATE_VRS and self._wishes.dates == "shift" and vr != "TM":
            return self._shifted(element)
        if not kept:
            self.removed.note(tag, "removed, not needed")
            return None
        public = tag == _CODE_VALUE and _all(element, lambda each: bool(_PUBLIC_CODE.fullmatch(each.strip())))
        named = not public and not _all(element, lambda each: not self._names.within(each))
        if (vr in TEXT_VRS or vr == "CS") and named:
            self.removed.note(tag, "emptied, for it named somebody")
            return _with(element, "removed" if tag in _NEVER_EMPTY else "")
        if vr == "OW" and swapped:
            return _with(element, np.frombuffer(element.value, ">u2").astype("<u2").tobytes())
        return element

    def _sequence(self, element: DataElement, depth: int, swapped: bool) -> DataElement | None:
        if depth >= _DEEPEST:
            self.removed.note(element.tag, "removed, too deep")
            return None
        items = []
        for item in element.value or ():
            scheme = str(item.get("CodingSchemeDesignator", "") or "").strip()
            if "CodeValue" in item and scheme not in SCHEMES:
                self.removed.note(element.tag, "item of a local coding scheme removed")
                continue
            cleaned = self._cleaned(item, depth + 1, swapped)
            if len(cleaned) or not len(item):
                items.append(cleaned)
        if not items and element.keyword == "AnatomicRegionSequence" and depth == 0 and self._mammogram:
            items = [_code("76752008", "SCT", "Breast")]  # CID 4013: of a mammogram it can be nothing else
        return _with(element, items)

    def _mapped(self, element: DataElement) -> DataElement:
        self.removed.note(element.tag, "new UID")
        values = [self._pseudonyms.uid(each) if each else "" for each in _texts(element)]
        return _with(element, values if len(values) > 1 else "".join(values))

    def _shifted(self, element: DataElement) -> DataElement:
        """Return a date moved back; of a date with a time the day alone."""
        self.removed.note(element.tag, "shifted")
        days = [as_date(each[:8]) for each in _texts(element)]
        moved = [_written(self._pseudonyms.shifted(self._patient, day)) if day else "" for day in days]
        return _with(element, moved if len(moved) > 1 else "".join(moved))

    def _characteristic(self, element: DataElement) -> DataElement | None:
        text = str(element.value or "").strip()
        if int(element.tag) == _AGE:
            years = re.fullmatch(r"(\d{3})[YMWD]", text)
            if years is None:
                self.removed.note(element.tag, "removed")
                return None
            if text.endswith("Y") and int(years[1]) > _OLDEST:
                self.removed.note(element.tag, "made 90 years")
                return _with(element, "090Y")
            return _with(element, text)
        return _with(element, text if text in ("F", "M", "O", "") else "")


def _is_known(tag: BaseTag) -> bool:
    """Tell whether an attribute may stay at all: public, in the dictionary, no overlay, curve or pixels."""
    group = tag.group
    repeating = 0x5000 <= group < 0x5100 or 0x6000 <= group < 0x6100
    return group % 2 == 0 and 0x0008 <= group < 0x7FE0 and not repeating and dictionary_has_tag(tag)


def _texts(element: DataElement) -> list[str]:
    value = element.value
    many: Iterable[Any] = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return ["" if each is None else str(each) for each in many]


def _all(element: DataElement, holds: Any) -> bool:
    return all(holds(each) for each in _texts(element))


def _is_standard(uid: str) -> bool:
    return not uid or uid.startswith(_STANDARD_ROOT)


def _with(element: DataElement, value: Any) -> DataElement:
    content = Sequence(value) if element.VR == "SQ" else value
    return DataElement(element.tag, element.VR, content, validation_mode=0)


def _written(day: date) -> str:
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _method(kind: str) -> Dataset:
    value, meaning = METHOD_CODES[kind]
    return _code(value, "DCM", meaning)


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def note_blanked(dataset: Dataset) -> None:
    """Say in a data set that all around the breast was made black.

    Text over the breast is not found, so that Burned In Annotation stays as the original states it, and only
    where that is NO are the pixels called clean (PS3.15 E.3.1).
    """
    if text(dataset, "BurnedInAnnotation").upper() == "NO":
        dataset.DeidentificationMethodCodeSequence.append(_method("pixels"))
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in dataset:
            delattr(dataset, keyword)


def set_pixels(
    dataset: Dataset, frames: Iterable[npt.NDArray[Any]], *, bits_stored: int, signed: bool
) -> None:
    """Put stored values into a data set as native pixel data.

    Parameters
    ----------
    frames
        Stored values, each (rows, columns), uint16 or int16.
    bits_stored
        1..16; bits above it are cleared (unsigned) or repeat the sign.
    """
    kind = np.dtype("<u2" if bits_stored > 8 else "u1")
    limit = (1 << bits_stored) - 1
    parts = []
    for stored in frames:
        values = stored if signed else stored & limit
        parts.append(np.ascontiguousarray(values.astype(f"i{kind.itemsize}" if signed else kind)).tobytes())
    raw = b"".join(parts)
    dataset.SamplesPerPixel = 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (
        8 * kind.itemsize,
        bits_stored,
        bits_stored - 1,
    )
    dataset.PixelRepresentation = int(signed)
    dataset.add_new(0x7FE00010, "OW" if kind.itemsize > 1 else "OB", raw + b"\0" * (len(raw) % 2))
    if "PlanarConfiguration" in dataset:
        del dataset.PlanarConfiguration


def file_meta(dataset: Dataset) -> FileMetaDataset:
    """Return a file meta group that says nothing of where the file was."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "MAMMOVIEW"
    return meta

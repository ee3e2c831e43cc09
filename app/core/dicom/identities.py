"""Who a file is about and who made it, collected so that none of it can be found in what is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.core.dicom.elements import BROKEN

_IDENTIFYING: Final = frozenset(
    {
        0x00080050,  # Accession Number
        0x00080080,  # Institution Name
        0x00080081,  # Institution Address
        0x00081010,  # Station Name
        0x00081040,  # Institutional Department Name
        0x00100020,  # Patient ID
        0x00100021,  # Issuer of Patient ID
        0x00100030,  # Patient's Birth Date
        0x00101000,  # Other Patient IDs
        0x00101040,  # Patient's Address
        0x00101090,  # Medical Record Locator
        0x00102154,  # Patient's Telephone Numbers
        0x00181000,  # Device Serial Number
        0x00200010,  # Study ID
        0x00380010,  # Admission ID
        0x00380300,  # Current Patient Location
    }
)
_GENERAL: Final = frozenset(
    (
        *("anonymized", "anonymous", "none", "unknown", "test", "testing", "demo", "phantom", "patient"),
        *(
            "mammoview",
            "breast",
            "mammo",
            "mammography",
            "mlo",
            "left",
            "right",
            "female",
            "male",
            "film",
            "digital",
        ),
        *("image", "study", "screening", "radiology", "department", "station", "doctor", "med"),
        *("hospital", "clinic", "klinik", "center", "centre", "practice", "the", "und", "von", "van"),
    )
)
"""Words that name nobody."""
_PARTS: Final = re.compile(r"[\s^=,;:/\\|()\"']+")
_SHORTEST: Final = 3
_SURE: Final = 5
"""From so many letters on a text is looked for within words too."""
_SURE_NUMBER: Final = 10


@dataclass(frozen=True, slots=True)
class Identities:
    """Words and whole texts that name a person or a place, in small letters."""

    words: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()

    def __or__(self, other: Identities) -> Identities:
        return Identities(self.words | other.words, self.texts | other.texts)

    def within(self, text: str) -> bool:
        """Tell whether a text names one of them, whatever stands around it and however it is written."""
        small = text.casefold()
        if any(part in self.words for part in _PARTS.split(small)):
            return True
        if set(re.split(r"[\W_]+", small)) & self.words:
            return True
        return any(each in small for each in self.texts)

    def in_bytes(self, content: bytes) -> bool:
        """Tell whether bytes hold one of the whole texts, as UTF-8, Latin-1 or UTF-16, in any case.

        Short numbers are not looked for: any UID may hold them by chance.
        """
        small = content.lower()
        for text in self.texts:
            if text.isdigit() and len(text) < _SURE_NUMBER:
                continue
            for encoding in ("utf-8", "latin-1", "utf-16-le"):
                try:
                    if text.encode(encoding).lower() in small:
                        return True
                except UnicodeEncodeError:
                    continue
        return False


def identities_of(values: Iterable[str]) -> Identities:
    """Return the identities in texts such as ids and names; words of fewer than 3 letters name nobody."""
    words: set[str] = set()
    texts: set[str] = set()
    for value in values:
        small = value.strip(" \0^").casefold()
        if len(small) >= _SURE and small not in _GENERAL:
            texts.add(small)
        for part in _PARTS.split(small):
            if len(part) >= _SHORTEST and part not in _GENERAL:
                words.add(part)
                if len(part) >= _SURE:
                    texts.add(part)
    return Identities(frozenset(words), frozenset(texts))


def identities_in(dataset: Dataset) -> Identities:
    """Return the identities that a data set states, in sequences too: all person names, ids, places."""
    return identities_of(_values(dataset, 0))


def _values(dataset: Dataset, depth: int) -> Iterable[str]:
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset gives elements
        try:
            element = dataset[tag]
        except BROKEN:
            continue
        if element.VR == "SQ" and depth < 16:
            for item in element.value or ():
                yield from _values(item, depth + 1)
        elif element.VR == "PN" or int(Tag(tag)) in _IDENTIFYING:
            many = element.value if element.VM > 1 else [element.value]
            for value in many:
                yield str(value if value is not None else "")

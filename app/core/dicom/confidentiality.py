"""What becomes of each DICOM attribute when a file is de-identified: PS3.15 Annex E, and what it leaves open.

The actions of Table E.1-1 (basic profile, edition 2026c) are data of dicom-anonymizer (BSD-3-Clause,
Kitware). The table says what must go; it keeps every attribute that it does not name. We do not: text and
bytes stay only where `KEPT_TEXTS` and `KEPT_BYTES` name them, private and unknown attributes, overlays and
curves never.
"""

from __future__ import annotations

from typing import Final, Literal

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as edition
from pydicom.tag import Tag

EDITION: Final = "2026c"

Action = Literal["X", "Z", "D", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"]
"""Codes of Table E.1-1a: remove, empty, dummy value, new UID; with a slash, as the object needs it."""

_LISTS: Final[dict[Action, list[tuple[int, ...]]]] = {
    "X": edition.X_TAGS,
    "Z": edition.Z_TAGS,
    "D": edition.D_TAGS,
    "U": edition.U_TAGS,
    "Z/D": edition.Z_D_TAGS,
    "X/Z": edition.X_Z_TAGS,
    "X/D": edition.X_D_TAGS,
    "X/Z/D": edition.X_Z_D_TAGS,
    "X/Z/U*": edition.X_Z_U_STAR_TAGS,
}
TABLE: Final[dict[int, Action]] = {
    int(Tag(tag[0], tag[1])): action
    for action, tags in _LISTS.items()
    for tag in tags
    if len(tag) == 2 and tag[0] % 2 == 0
}
"""Action by tag. Repeating groups (curves, overlays) and private groups are not in it: they always go."""

CLASSIC: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, For Presentation
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, For Processing
        "1.2.840.10008.5.1.4.1.1.1.2",  # Digital Mammography, For Presentation
        "1.2.840.10008.5.1.4.1.1.1.2.1",  # Digital Mammography, For Processing
        "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    }
)
"""Objects in which no attribute with a choice of actions is of type 1 (PS3.3 A.2, A.8, A.26, A.27)."""

KEPT_TEXTS: Final = frozenset(
    {
        0x00080070,  # Manufacturer
        0x00081090,  # Manufacturer's Model Name
        0x00181016,  # Secondary Capture Device Manufacturer
        0x00181018,  # Secondary Capture Device Manufacturer's Model Name
        0x00181020,  # Software Versions
        0x00080100,  # Code Value
        0x00080102,  # Coding Scheme Designator
        0x00080103,  # Coding Scheme Version
        0x00080104,  # Code Meaning
        0x00281054,  # Rescale Type
        0x00281055,  # Window Center & Width Explanation
        0x00283003,  # LUT Explanation
        0x00283004,  # Modality LUT Type
    }
)
"""Text that is kept because grey scale, views and vendors are read from it; searched for identities all the
same."""

KEPT_BYTES: Final = frozenset({0x00283006, 0x00281201, 0x00281202, 0x00281203})
"""LUT Data and palettes."""

SCHEMES: Final = frozenset(
    {"SRT", "SNM3", "SCT", "99SDM", "DCM", "UCUM", "LN", "BI", "ACR", "RADLEX", "I10", "I9", "ICD10", "FMA"}
)
"""Coding schemes (PS3.16 8) of which code and meaning are public; items of local schemes go."""

TEXT_VRS: Final = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
NUMBER_VRS: Final = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
DATE_VRS: Final = frozenset({"DA", "DT", "TM"})

BIRTH_DATES: Final = frozenset({0x00100030, 0x00100033, 0x00100034})
"""Dates of the person: no option of the profile lets them be shifted."""
CHARACTERISTICS: Final = frozenset({0x00101010, 0x00100040})
"""Age and sex: kept under the option to retain patient characteristics (E.3.7)."""

METHOD_CODES: Final = {
    "basic": ("113100", "Basic Application Confidentiality Profile"),
    "pixels": ("113101", "Clean Pixel Data Option"),
    "shifted": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "characteristics": ("113108", "Retain Patient Characteristics Option"),
}
"""CID 7050: what was done, as the file itself says it."""

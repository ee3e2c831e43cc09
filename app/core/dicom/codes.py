"""Codes of mammographic views and view modifiers, in SNOMED CT and the legacy SRT and SNM3 schemes.

Views: PS3.16 CID 4014; modifiers: CID 4015; partial view sections: CID 4005; sides: CID 244. The label
form of a modifier is that of the IHE mammography profile: ``pre`` stands before the view (RMMLO),
``post`` behind it (LCCID), ``alone`` in its place (RCV).
"""

from __future__ import annotations

from typing import Literal

from pydicom.dataset import Dataset

from app.core.dicom.elements import text

SCHEMES = frozenset({"SCT", "SRT", "SNM3", "SNM", "99SDM", ""})
"""Coding schemes whose values the tables hold; a missing designator is forgiven."""

VIEWS = {
    "399162004": "CC",
    "R-10242": "CC",
    "399368009": "MLO",
    "R-10226": "MLO",
    "399260004": "ML",
    "R-10224": "ML",
    "399352003": "LM",
    "R-10228": "LM",
    "399099002": "LMO",
    "R-10230": "LMO",
    "399196006": "FB",
    "R-10244": "FB",
    "399188001": "SIO",
    "R-102D0": "SIO",
    "441555000": "ISO",
    "R-40AAA": "ISO",
    "399265009": "XCC",
    "R-102CF": "XCC",
    "399192008": "XCCL",
    "R-1024A": "XCCL",
    "Y-X1770": "XCCL",
    "399101009": "XCCM",
    "R-1024B": "XCCM",
    "Y-X1771": "XCCM",
    "127457009": "SPECIMEN",
    "G-8310": "SPECIMEN",
}

MODIFIERS = {
    "399161006": "CV",
    "R-102D2": "CV",
    "399011000": "AT",
    "R-102D1": "AT",
    "399197002": "RL",
    "R-102D3": "RL",
    "399226006": "RM",
    "R-102D4": "RM",
    "414493004": "RI",
    "R-102CA": "RI",
    "415670009": "RS",
    "R-102C9": "RS",
    "399209000": "ID",
    "R-102D5": "ID",
    "442581004": "NP",
    "R-40AB3": "NP",
    "441752004": "AC",
    "P2-00161": "AC",
    "442593008": "IMF",
    "R-40ABE": "IMF",
    "442580003": "AX",
    "R-40AB2": "AX",
    "399163009": "M",
    "R-102D6": "M",
    "399055006": "S",
    "R-102D7": "S",
    "399110001": "TAN",
    "R-102C2": "TAN",
}

FORM: dict[str, Literal["pre", "post", "alone"]] = {
    "CV": "alone",
    "AT": "alone",
    "TAN": "alone",
    "M": "pre",
    "S": "pre",
    "RL": "post",
    "RM": "post",
    "RI": "post",
    "RS": "post",
    "ID": "post",
    "NP": "post",
    "AC": "post",
    "IMF": "post",
    "AX": "post",
}

SECTIONS = {
    "264217000": "superior",
    "R-42191": "superior",
    "261089000": "inferior",
    "R-4094A": "inferior",
    "255561001": "medial",
    "R-404D5": "medial",
    "49370004": "lateral",
    "G-A104": "lateral",
    "26216008": "central",
    "G-A110": "central",
    "255549009": "anterior",
    "R-404CC": "anterior",
    "255551008": "posterior",
    "R-404CE": "posterior",
}
"""Sections of the breast that a partial view shows, CID 4005."""

SIDES = {"24028007": "R", "G-A100": "R", "7771000": "L", "G-A101": "L", "51440002": "B", "G-A102": "B"}
"""Right, left, bilateral: CID 244."""

BREAST = frozenset({"76752008", "T-04000", "T-04020", "T-04030", "73056007", "80248007", "63762007"})
"""Breast, right breast, left breast, both breasts."""


def code_value(item: Dataset) -> str:
    """Return the value of a coded entry if its scheme is one of `SCHEMES`, else ""."""
    if text(item, "CodingSchemeDesignator").upper() not in SCHEMES:
        return ""
    return text(item, "CodeValue") or text(item, "LongCodeValue")


def meaning(item: Dataset) -> str:
    """Return the words of a coded entry, its value if it has none."""
    return text(item, "CodeMeaning") or text(item, "CodeValue")


def label_of(laterality: str | None, view: str | None, modifiers: tuple[str, ...]) -> str:
    """Return the label written on the image, such as ``RMLO``, ``LCCID``, ``RMMLO``, ``LCV``.

    Notes
    -----
    Laterality, then modifiers that stand before the view, the view (or the modifier that takes its
    place), then modifiers that stand behind it; among equals the order of the file.
    """
    kinds = {kind: [m for m in modifiers if FORM[m] == kind] for kind in ("pre", "alone", "post")}
    middle = kinds["alone"] or ([view] if view else [])
    return "".join([laterality or "", *kinds["pre"], *middle, *kinds["post"]])

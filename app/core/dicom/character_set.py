"""Which letters a file's text is made of, where what it says of that cannot be (PS3.5 6.1, C.12.1.1.2)."""

from __future__ import annotations

import re

from pydicom.charset import python_encoding
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from app.core.dicom.elements import texts
from app.core.imaging.image import Note

_UTF_8 = "ISO_IR 192"
_WRITTEN_BY_PEOPLE = ("PatientName", "PatientID", "StudyDescription", "InstitutionName", "OperatorsName")


def repair_character_set(ds: Dataset) -> tuple[Note, ...]:
    """Let a data set read its text as UTF-8, or Latin-1, where the character set it names cannot be right.

    Returns
    -------
    A note ``character-set-inferred`` where that was done; nothing for a file of plain ASCII.

    Notes
    -----
    Call it before any text of the data set is read. Bytes that are UTF-8 by chance are next to impossible
    in names.
    """
    raw = b" ".join(_raw(ds, keyword) for keyword in _WRITTEN_BY_PEOPLE)
    if raw.isascii():
        return ()
    stated = texts(ds, "SpecificCharacterSet")
    doubt = _doubt(stated, _is_utf_8(raw))
    if doubt is None:
        return ()
    name, encoding = ("UTF-8", "utf8") if _is_utf_8(raw) else ("Latin-1", "latin_1")
    ds.set_original_encoding(*ds.original_encoding, [encoding])
    return (Note("character-set-inferred", f"{doubt}: names are read as {name}.", "inferred"),)


def _doubt(stated: list[str], is_utf_8: bool) -> str | None:
    """Return why the stated character set cannot be right for letters beyond ASCII, None if it may be."""
    if not any(stated):
        return "The file names no character set and has letters beyond ASCII"
    unknown = next((one for one in stated if one and _term(one) not in python_encoding), None)
    if unknown is not None:
        return f"The character set '{unknown[:16]}' is unknown"
    if [_term(one) for one in stated] == [_UTF_8] and not is_utf_8:
        return "The text is not in the character set that the file names"
    return None


def _term(stated: str) -> str:
    """Return a defined term as the standard writes it: ``ISO_IR 100`` for ``ISO_IR100``, ``ISO-IR 100``."""
    return re.sub(r"^ISO[ _-]IR[ _-]?(\d+)$", r"ISO_IR \1", stated)


def _raw(ds: Dataset, keyword: str) -> bytes:
    tag = tag_for_keyword(keyword)
    element = ds.get_item(tag) if tag in ds else None  # type: ignore[arg-type, operator]
    found = element.value if isinstance(element, RawDataElement) else None
    return found if isinstance(found, bytes) else b""


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

"""Safe reading of data elements: what a broken value raises becomes an absent value.

pydicom converts a value when it is first asked for, and raises on what the standard forbids (a window
of "abc", a US of three bytes). The reader must go on with such files, so every tag is read through these
functions, which give None or an empty value instead. PS3.5 6.2 (value representations).
"""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Iterator
from datetime import date, time
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

BROKEN = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, NotImplementedError,
          EOFError, struct.error, BytesLengthException, RecursionError, OSError)  # fmt: skip
"""What pydicom raises when it converts a value that the standard forbids.

`OSError` where an item of a sequence has no tag; values are in memory by then, no disk is read.
"""


@functools.cache
def _tag(keyword: str) -> BaseTag:
    found = tag_for_keyword(keyword)
    if found is None:
        raise KeyError(keyword)  # a misspelling in this program
    return BaseTag(found)


def value(ds: Dataset, keyword: str) -> Any:
    """Return the value as pydicom converts it, None if absent, empty or broken."""
    tag = _tag(keyword)
    if tag not in ds:
        return None
    try:
        found = ds[tag].value
    except BROKEN:
        return None
    return None if found is None or (hasattr(found, "__len__") and len(found) == 0) else found


def broken(ds: Dataset, keyword: str) -> bool:
    """Tell whether the element is present and its value cannot be converted."""
    tag = _tag(keyword)
    if tag not in ds:
        return False
    try:
        ds[tag]
    except BROKEN:
        return True
    return False


def texts(ds: Dataset, keyword: str) -> list[str]:
    """Return all values as text without control characters and outer blanks; empty values stay."""
    found = value(ds, keyword)
    if found is None:
        return []
    if isinstance(found, bytes):
        found = found.decode("latin-1")
    many = list(found) if isinstance(found, (MultiValue, list, tuple)) else [found]
    try:
        return [clean(str(one)) for one in many]
    except BROKEN:
        return []


def text(ds: Dataset, keyword: str) -> str:
    """Return the value as one text; several values are joined by a backslash, as in the file."""
    return "\\".join(texts(ds, keyword))


def clean(raw: str) -> str:
    """Return `raw` on one line, without control characters, ESC sequences' bytes and outer blanks."""
    if not raw.isprintable():
        raw = "".join(c if c.isprintable() else " " for c in raw)
    return " ".join(raw.split())


def numbers(ds: Dataset, keyword: str) -> list[float]:
    """Return all values as finite floats; an unusable one among them gives an empty list."""
    found = value(ds, keyword)
    if found is None or isinstance(found, bytes):
        return []
    many = list(found) if isinstance(found, (MultiValue, list, tuple)) else [found]
    try:
        result = [float(one) for one in many]
    except BROKEN:
        return []
    return result if all(math.isfinite(one) for one in result) else []


def number(ds: Dataset, keyword: str) -> float | None:
    """Return the first value as a finite float, None if there is none."""
    found = numbers(ds, keyword)
    return found[0] if found else None


def integer(ds: Dataset, keyword: str) -> int | None:
    """Return the first value as an integer, None if there is none or it has a fraction."""
    found = number(ds, keyword)
    return int(found) if found is not None and found == int(found) else None


def items(ds: Dataset | None, keyword: str) -> list[Dataset]:
    """Return the items of a sequence, an empty list if absent or broken."""
    found = value(ds, keyword) if ds is not None else None
    try:
        return [item for item in found if isinstance(item, Dataset)] if found is not None else []
    except BROKEN:
        return []


def item(ds: Dataset | None, keyword: str) -> Dataset | None:
    """Return the first item of a sequence, None if there is none."""
    found = items(ds, keyword)
    return found[0] if found else None


def words(ds: Dataset, keyword: str, *, little_endian: bool = True) -> bytes | None:
    """Return the raw bytes of a US, SS or OW element with 16-bit words in little-endian order.

    Reading bytes avoids a Python list of 65536 integers per lookup table.
    """
    tag = _tag(keyword)
    if tag not in ds:
        return None
    try:
        element = ds.get_item(tag)
    except BROKEN:
        return None
    raw = element.value if element is not None else None
    if isinstance(element, RawDataElement):
        little_endian = bool(element.is_little_endian)
    if isinstance(raw, (bytes, bytearray)):
        even = bytes(raw[: len(raw) // 2 * 2])
        return bytes(raw) if little_endian else np.frombuffer(even, ">u2").astype("<u2").tobytes()
    if raw is None:
        return None
    try:
        many: npt.NDArray[np.int64] = np.atleast_1d(np.asarray(raw, dtype=np.int64))
    except BROKEN:
        return None
    return (many & 0xFFFF).astype("<u2").tobytes()


def as_date(raw: str) -> date | None:
    """Return a DA value (also the old form with points) as a date, None if it is no date."""
    digits = raw.strip().replace(".", "").replace("-", "")[:8]
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return None
    try:
        found = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return found if found.year >= 1850 else None


def as_time(raw: str) -> time | None:
    """Return a TM value (also the old form with colons, or cut after hours or minutes) as a time."""
    main, _, fraction = raw.strip().replace(":", "").partition(".")
    if not main.isdigit() or len(main) not in (2, 4, 6):
        return None
    micro = int(fraction[:6].ljust(6, "0")) if fraction.isdigit() else 0
    try:
        return time(int(main[:2]), int(main[2:4] or 0), min(int(main[4:6] or 0), 59), micro)
    except ValueError:
        return None


def walk(ds: Dataset | None, *keywords: str) -> Iterator[Dataset]:
    """Yield the items at the end of a path of sequences, first items first."""
    if ds is None:
        return
    if not keywords:
        yield ds
        return
    for child in items(ds, keywords[0]):
        yield from walk(child, *keywords[1:])

"""Where the data elements of a well-formed file lie, nested ones too (PS3.5 7); nothing of ours is asked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

LONG = frozenset({b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV"})
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
SEQUENCES = frozenset(
    {
        0x00540220,
        0x00540222,
        0x00283010,
        0x52009229,
        0x52009230,
        0x00209071,
        0x00289110,
        0x00289132,
        0x00209113,
    }
)
"""Of the seeds: what implicit VR does not tell."""


@dataclass(frozen=True)
class Element:
    """One element: where it begins, its VR (b"" in implicit VR), where length and value lie."""

    tag: int
    at: int
    vr: bytes
    length_at: int
    length_size: int
    value_at: int
    length: int

    @property
    def end(self) -> int:
        return self.value_at if self.length == UNDEFINED else self.value_at + self.length


@dataclass(frozen=True)
class Parsed:
    """A file's bytes (inflated where they were deflated) and its elements."""

    data: bytes
    elements: tuple[Element, ...]
    little: bool
    deflated_from: int = 0
    """Where the deflated part begins, 0 for a file that is not deflated."""

    def close(self, data: bytes) -> bytes:
        """Return `data` as the file that it is to be: deflated again where it was."""
        if not self.deflated_from:
            return data
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        head, body = data[: self.deflated_from], data[self.deflated_from :]
        return head + deflater.compress(body) + deflater.flush()


def parse(data: bytes) -> Parsed:
    """Find all elements of a well-formed file."""
    found: list[Element] = []
    start, syntax = (132 if data[128:132] == b"DICM" else 0), b"1.2.840.10008.1.2"
    if start:
        start = _walk(data, start, len(data), found, explicit=True, little=True, only_group=2)
        (stated,) = [one for one in found if one.tag == 0x00020010]
        syntax = data[stated.value_at : stated.end].rstrip(b"\0")
    deflated_from = 0
    if syntax == b"1.2.840.10008.1.2.1.99":
        data, deflated_from = data[:start] + zlib.decompress(data[start:], -zlib.MAX_WBITS), start
    little = syntax != b"1.2.840.10008.1.2.2"
    _walk(data, start, len(data), found, explicit=syntax != b"1.2.840.10008.1.2", little=little)
    return Parsed(data, tuple(found), little, deflated_from)


def _walk(data: bytes, at: int, end: int, found: list[Element], *, explicit: bool, little: bool,
          only_group: int | None = None) -> int:  # fmt: skip
    order = "little" if little else "big"
    while at + 8 <= end:
        group, number = (int.from_bytes(data[at + n : at + n + 2], order) for n in (0, 2))
        if only_group is not None and group != only_group:
            return at
        tag = group << 16 | number
        vr = data[at + 4 : at + 6] if explicit and group != 0xFFFE else b""
        long = vr in LONG
        length_at, size = (at + 8, 4) if long else (at + 6, 2) if vr else (at + 4, 4)
        length = int.from_bytes(data[length_at : length_at + size], order)
        element = Element(tag, at, vr, length_at, size, length_at + size, length)
        found.append(element)
        at = element.end
        nested = vr == b"SQ" or tag in SEQUENCES or tag == ITEM or (tag == PIXELS and length == UNDEFINED)
        if nested and tag != PIXELS:
            stop = end if length == UNDEFINED else element.end
            at = _walk(data, element.value_at, stop, found, explicit=explicit, little=little)
        elif nested:
            return _fragments(data, at, found)
        if tag in (ITEM_END, SEQUENCE_END):
            return at
    return at


def _fragments(data: bytes, at: int, found: list[Element]) -> int:
    while at + 8 <= len(data):
        tag = int.from_bytes(data[at : at + 2], "little") << 16 | int.from_bytes(
            data[at + 2 : at + 4], "little"
        )
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        found.append(Element(tag, at, b"", at + 4, 4, at + 8, length))
        at += 8 + length
        if tag == SEQUENCE_END:
            break
    return at

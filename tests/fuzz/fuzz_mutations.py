"""Ways in which a file goes wrong: each takes a parsed file and a random source, and returns bytes.

A mutation is told by (seed, mutation, number) and is the same on every run: `mutated`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from fuzz_elements import ITEM, ITEM_END, PIXELS, SEQUENCE_END, UNDEFINED, Element, Parsed, parse

SIZES = (0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103)
"""Samples, frames, rows, columns, bits allocated, stored, high bit, sign."""
NASTY = (
    0,
    1,
    2,
    3,
    7,
    8,
    9,
    12,
    15,
    16,
    17,
    24,
    31,
    32,
    33,
    64,
    255,
    256,
    4095,
    8192,
    14000,
    32767,
    32768,
    65535,
)
LENGTHS = (0, 1, 2, 3, 7, 255, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFD, 0xFFFFFFFE, UNDEFINED)
VRS = (
    *b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OW PN SH SL SQ SS ST TM UC UI UL UN UR US UT".split(),
    *(b"??", b"\0\0", b"zz"),
)
NUMBERS = (
    *b"nan inf -inf 1e400 -1e308 0 -0 1e-320 9999999999999999 -1 0x10 1,5 + . 1.0e 4294967296".split(),
    *(b"", b"\\", b"1\\2\\3\\4", b"1e308\\1e308", b"\xff\xfe"),
)
SYNTAXES = (
    *(b"1.2.840.10008.1.2" + one for one in (b"", b".1", b".2", b".1.99", b".5")),
    *(b"1.2.840.10008.1.2.4." + one for one in b"50 51 57 70 80 81 90 91 92 201 202 203 102".split()),
)

Mutation = Callable[[Parsed, random.Random], bytes]


def mutated(seed_name: str, seed: bytes, mutation: str, number: int, rest: dict[str, bytes]) -> bytes:
    """Return what becomes of a seed; `rest` are all seeds, of which a splice takes another."""
    source = random.Random(f"{seed_name}/{mutation}/{number}")
    if mutation == "splice":
        other = rest[source.choice(sorted(rest))]
        return seed[: source.randrange(len(seed))] + other[source.randrange(len(other)) :]
    parsed = parse(seed)
    return parsed.close(MUTATIONS[mutation](parsed, source))


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _replaced(parsed: Parsed, element: Element, value: bytes) -> bytes:
    """Return the file with another value of an element and its true length (cut to what can be told)."""
    value += b"\0" * (len(value) % 2)
    order = "little" if parsed.little or element.tag >> 16 == 2 else "big"
    value = value[: (1 << (8 * element.length_size)) - 2]
    length = len(value).to_bytes(element.length_size, order)
    data = parsed.data
    return data[: element.length_at] + length + value + data[element.end :]


def _choose(parsed: Parsed, source: random.Random, wanted: Callable[[Element], bool]) -> Element:
    fitting = [one for one in parsed.elements if wanted(one)]
    return source.choice(fitting or [one for one in parsed.elements if one.tag >> 16 != 0xFFFE])


def _is_plain(one: Element) -> bool:
    return one.tag >> 16 != 0xFFFE and one.tag != PIXELS and one.length != UNDEFINED


def bit_flips(parsed: Parsed, source: random.Random) -> bytes:
    return _flips(parsed.data, source, 0, len(parsed.data))


def header_flips(parsed: Parsed, source: random.Random) -> bytes:
    (pixels,) = [one for one in parsed.elements if one.tag == PIXELS]
    return _flips(parsed.data, source, 0 if parsed.data[128:132] != b"DICM" else 132, pixels.value_at)


def _flips(data: bytes, source: random.Random, low: int, high: int) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 4, 16, 64))):
        changed[source.randrange(low, high)] ^= 1 << source.randrange(8)
    return bytes(changed)


def truncation(parsed: Parsed, source: random.Random) -> bytes:
    return parsed.data[: source.randrange(len(parsed.data))]


def lying_length(parsed: Parsed, source: random.Random) -> bytes:
    element = _choose(parsed, source, lambda one: True)
    near = [element.length + step for step in (-8, -2, -1, 1, 2, 8, 100)]
    length = source.choice((*LENGTHS, *near)) % (1 << (8 * element.length_size))
    order = "little" if parsed.little or element.tag >> 16 == 2 else "big"
    return _put(parsed.data, element.length_at, length.to_bytes(element.length_size, order))


def swapped_vr(parsed: Parsed, source: random.Random) -> bytes:
    data = parsed.data
    for _ in range(source.choice((1, 1, 3))):
        element = _choose(parsed, source, lambda one: bool(one.vr))
        if element.vr:
            data = _put(data, element.at + 4, source.choice(VRS))
    return data


def nested_damage(parsed: Parsed, source: random.Random) -> bytes:
    element = _choose(parsed, source, lambda one: one.tag >> 16 == 0xFFFE or one.vr == b"SQ")
    data, order = parsed.data, "little" if parsed.little else "big"
    how = source.randrange(5)
    if how == 0:  # another delimiter
        tag = source.choice((ITEM, ITEM_END, SEQUENCE_END, 0xFFFE0000, 0x00100010))
        return _put(data, element.at, (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order))
    if how == 1:  # it is missing
        return data[: element.at] + data[element.value_at :]
    if how == 2:  # it stands there twice
        return data[: element.value_at] + data[element.at :]
    if how == 3:  # nested without end
        opening = b"\x54\x00\x20\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
        return data[: element.at] + opening * source.choice((3, 50, 400, 3000)) + data[element.at :]
    length = source.choice(LENGTHS) % (1 << (8 * element.length_size))
    return _put(data, element.length_at, length.to_bytes(element.length_size, order))


def lying_size(parsed: Parsed, source: random.Random) -> bytes:
    data, shift = parsed.data, 0
    for tag in source.sample(SIZES, source.choice((1, 1, 2, 3))):
        element = next((one for one in parsed.elements if one.tag == tag), None)
        if element is None:
            continue
        if tag == 0x00280008:
            value = source.choice((*NUMBERS, b"2", b"4", b"5000", b"99999999"))
            data, before = (
                _replaced(Parsed(data, (), parsed.little), _moved(element, shift), value),
                len(data),
            )
            shift += len(data) - before
        else:
            value = source.choice(NASTY).to_bytes(2, "little" if parsed.little else "big")
            data = _put(data, element.value_at + shift, value)
    return data


def _moved(one: Element, by: int) -> Element:
    return Element(
        one.tag, one.at + by, one.vr, one.length_at + by, one.length_size, one.value_at + by, one.length
    )


def agreed_lie(parsed: Parsed, source: random.Random) -> bytes:
    """Tell another size in header and codestream alike."""
    data = parsed.data
    rows, columns = (source.choice((1, 2, 47, 49, 64, 1000, 4096, 9900, 14000)) for _ in range(2))
    for tag, number in ((0x00280010, rows), (0x00280011, columns)):
        element = next(one for one in parsed.elements if one.tag == tag)
        data = _put(data, element.value_at, number.to_bytes(2, "little" if parsed.little else "big"))
    for fragment in _fragments(parsed):
        at = fragment.value_at
        if data[at : at + 4] == b"\xff\x4f\xff\x51":
            grid = columns.to_bytes(4, "big") + rows.to_bytes(4, "big")
            data = _put(data, at + 8, grid)
            if source.random() < 0.7:
                data = _put(data, at + 24, grid)  # one tile
            continue
        for marker in (b"\xff\xc0", b"\xff\xc1", b"\xff\xc3", b"\xff\xf7"):
            found = data.find(marker, at, fragment.end)
            if found >= 0:
                data = _put(data, found + 5, rows.to_bytes(2, "big") + columns.to_bytes(2, "big"))
                break
    return data


def _fragments(parsed: Parsed) -> list[Element]:
    (pixels,) = [one for one in parsed.elements if one.tag == PIXELS]
    return [one for one in parsed.elements if one.tag == ITEM and one.at > pixels.at and one.length > 16]


def codestream(parsed: Parsed, source: random.Random) -> bytes:
    fragments = _fragments(parsed)
    if not fragments:
        return bit_flips(parsed, source)
    data = bytearray(parsed.data)
    fragment = source.choice(fragments)
    low, high = fragment.value_at, fragment.end
    head = min(high, low + 120)
    how = source.randrange(6)
    if how == 0:  # in the marker segments, where sizes and depths are told
        for _ in range(source.choice((1, 2, 4))):
            data[source.randrange(low + 2, head)] = source.choice((0, 1, 2, 0x7F, 0x80, 0xFE, 0xFF))
    elif how == 1:
        return _flips(bytes(data), source, low, high)
    elif how == 2:  # a run of one byte
        at, length = source.randrange(low + 2, high), source.choice((2, 16, 100, 1000))
        stop = min(high, at + length)
        data[at:stop] = bytes([source.choice((0, 0xFF, 0x55))]) * (stop - at)
    elif how == 3:  # cut and closed again
        at = source.randrange(low + 4, high - 2)
        data[at : high - 2] = bytes(high - 2 - at)
    elif how == 4:  # pieces change places
        size = min(40, (high - low) // 4)
        one, other = source.randrange(low, high - size), source.randrange(low, high - size)
        data[one : one + size] = data[other : other + size]
    else:  # four bytes of a size
        at = source.randrange(low + 4, head - 4)
        data[at : at + 4] = source.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 100000)).to_bytes(
            4, "big"
        )
    return bytes(data)


def wrong_syntax(parsed: Parsed, source: random.Random) -> bytes:
    stated = [one for one in parsed.elements if one.tag == 0x00020010]
    if not stated:
        return header_flips(parsed, source)
    return _replaced(parsed, stated[0], source.choice(SYNTAXES))


def garbage_value(parsed: Parsed, source: random.Random) -> bytes:
    element = _choose(parsed, source, _is_plain)
    values = (
        source.randbytes(source.choice((1, 4, 16, 64, 4000))),
        b"\x1b$B" + source.randbytes(20),
        b"\0" * source.choice((2, 64)),
        b"\\" * source.choice((3, 4000)),
        b"A" * 65000,
        "ü^é=山田\n\r\x07".encode(),
        b"",
    )
    return _replaced(parsed, element, source.choice(values))


def garbage_number(parsed: Parsed, source: random.Random) -> bytes:
    """Give an element of text a number that is none; one of binary numbers, random ones."""
    element = _choose(
        parsed, source, lambda one: _is_plain(one) and one.vr in (b"DS", b"IS", b"US", b"SS", b"OW")
    )
    if element.vr in (b"US", b"SS", b"OW"):
        count = max(1, element.length // 2)
        value = b"".join(
            source.choice((0, 1, 255, 32767, 32768, 65535)).to_bytes(2, "little") for _ in range(count)
        )
        return _replaced(parsed, element, value)
    return _replaced(parsed, element, source.choice(NUMBERS))


def moved_element(parsed: Parsed, source: random.Random) -> bytes:
    """Drop an element, give it twice, or put it somewhere else."""
    element = _choose(parsed, source, _is_plain)
    data = parsed.data
    piece, without = data[element.at : element.end], data[: element.at] + data[element.end :]
    how = source.randrange(3)
    if how == 0:
        return without
    if how == 1:
        return data[: element.end] + piece + data[element.end :]
    other = _choose(parsed, source, _is_plain)
    at = other.at if other.at < element.at else other.at - len(piece)
    return without[:at] + piece + without[at:]


def block(parsed: Parsed, source: random.Random) -> bytes:
    """Insert bytes that belong nowhere, or overwrite with them."""
    at, size = source.randrange(len(parsed.data)), source.choice((1, 2, 8, 512))
    piece = source.choice((bytes(size), b"\xff" * size, source.randbytes(size)))
    skip = source.choice((0, size))
    return parsed.data[:at] + piece + parsed.data[at + skip :]


def offsets(parsed: Parsed, source: random.Random) -> bytes:
    """Lie about where frames and fragments begin."""
    wanted = (0x7FE00001, 0x7FE00002)
    tables = [one for one in parsed.elements if one.tag in wanted or (one.tag == ITEM and one.vr == b"")]
    tables = [one for one in tables if one.at > parsed.data.find(b"\xe0\x7f") >= 0] or list(parsed.elements)
    element = source.choice(tables)
    data = parsed.data
    if element.length and source.random() < 0.6:
        at = element.value_at + source.randrange(max(1, min(element.length, 24)))
        return _put(data, at, source.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", source.randbytes(4))))[
            : len(data)
        ]
    return _put(data, element.length_at, source.choice(LENGTHS).to_bytes(4, "little"))[: len(data)]


MUTATIONS: dict[str, Mutation] = {
    one.__name__.replace("_", "-"): one
    for one in (
        bit_flips, header_flips, truncation, lying_length, swapped_vr, nested_damage, lying_size, agreed_lie,
        codestream, wrong_syntax, garbage_value, garbage_number, moved_element, block, offsets,
    )
}  # fmt: skip
NAMES = (*MUTATIONS, "splice")

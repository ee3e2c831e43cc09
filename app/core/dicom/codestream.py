"""What a compressed frame says of itself, read from its first bytes: size, depth, and whether it ends.

JPEG and JPEG-LS: ITU-T T.81 B.2.2, T.87 C.2.2 (start of frame). JPEG 2000 and HTJ2K: T.800 A.5.1 (SIZ).
Checking these before decoding keeps a lying codestream from allocating what it likes.
"""

from __future__ import annotations

from dataclasses import dataclass

_SOC = b"\xff\x4f\xff\x51"
_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xF7})
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})


class CodecError(Exception):
    """A frame that cannot be decoded; the message is a clause for the reader."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """Size and depth of a codestream.

    Attributes
    ----------
    precision
        Bits per sample, 1..38.
    signed
        Only JPEG 2000 can say so.
    """

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool = False


def jpeg_2000_facts(raw: bytes) -> StreamFacts:
    """Return the facts of a JPEG 2000 or HTJ2K codestream; raises `CodecError` if it is none."""
    if raw[:4] != _SOC or len(raw) < 43:
        raise CodecError("holds no JPEG 2000 codestream")
    grid = [int.from_bytes(raw[at : at + 4], "big") for at in range(8, 24, 4)]
    depth = raw[42]
    return StreamFacts(
        rows=grid[1] - grid[3],
        columns=grid[0] - grid[2],
        components=int.from_bytes(raw[40:42], "big"),
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
    )


def jpeg_2000_halvings(raw: bytes) -> int:
    """Return how often a JPEG 2000 or HTJ2K codestream can be halved: its decomposition levels (T.800 A.6.1).

    0 where the main header does not say.
    """
    at = 2
    while at + 10 <= len(raw) and raw[at] == 0xFF and raw[at + 1] != 0x90:  # until the first tile part
        if raw[at + 1] == 0x52:
            return raw[at + 9]
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return 0


def jpeg_facts(raw: bytes) -> StreamFacts:
    """Return the facts of a JPEG or JPEG-LS codestream; raises `CodecError` if it is none."""
    if raw[:2] != b"\xff\xd8":
        raise CodecError("holds no JPEG codestream")
    at = 2
    while at + 9 < len(raw):
        if raw[at] != 0xFF:
            break
        marker = raw[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in _FRAME_MARKERS:
            rows, columns = (int.from_bytes(raw[at + n : at + n + 2], "big") for n in (5, 7))
            return StreamFacts(rows, columns, raw[at + 9], raw[at + 4])
        at += 2 if marker in _ALONE else 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    raise CodecError("holds a JPEG codestream without a frame")


def unboxed(raw: bytes) -> bytes:
    """Return the bare codestream of a frame that some writers wrap in a JP2 box."""
    return raw[raw.find(_SOC) :] if raw[4:8] == b"jP  " and _SOC in raw else raw


def ends(raw: bytes) -> bool:
    """Tell whether the codestream has its end marker (FFD9, the same in both families)."""
    return raw[-64:].rstrip(b"\0\xff").endswith(b"\xff\xd9") or raw[-2:] == b"\xff\xd9"

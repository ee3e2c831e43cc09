"""Where each frame of encapsulated pixel data lies in the file, PS3.5 A.4.

The parts are located, not read: the decoder's process reads its own bytes.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from app.core.errors import ReadError

Span = tuple[int, int]
"""(offset in the file, bytes)."""

ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")
"""How a JPEG, JPEG-LS, JPEG 2000 or HTJ2K codestream begins (the last: in a JP2 box)."""


def frame_spans(path: Path, file: BinaryIO, offset: int, frames: int, *, rle: bool,
                extended: bytes | None = None) -> list[list[Span]]:  # fmt: skip
    """Return the spans of every frame's fragments.

    Parameters
    ----------
    offset
        Of the value of the pixel data element (its Basic Offset Table item).
    frames
        Number of Frames of the header.
    rle
        Each frame is one fragment (PS3.5 A.4.2).
    extended
        The Extended Offset Table (7FE0,0001) if there is one.

    Raises
    ------
    ReadError
        The parts are broken, or their number does not fit the number of frames.

    Notes
    -----
    In a file that ends early the last span reaches past its end, and the frames that are missing
    altogether have no spans.
    """
    size = file.seek(0, io.SEEK_END)
    table, fragments, ended = _fragments(path, file, offset, size)
    if not fragments:
        raise ReadError(path, "holds no compressed pixels (no fragments)")
    if frames == 1:
        return [fragments]
    starts = _starts(table, extended)
    if len(starts) == frames:
        grouped = _by_offset(fragments, starts)
        if grouped is not None:
            return grouped
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    if not rle:
        grouped = _by_marker(file, fragments)
        if len(grouped) == frames:
            return grouped
    if not ended:
        grouped = [[fragment] for fragment in fragments] if rle else _by_marker(file, fragments)
        if len(grouped) <= frames:
            return grouped + [[] for _ in range(frames - len(grouped))]
    raise ReadError(path, f"says that it has {frames} frames, but holds {len(fragments)} compressed parts")


def _fragments(path: Path, file: BinaryIO, offset: int, size: int) -> tuple[bytes, list[Span], bool]:
    """Return the Basic Offset Table, the spans of all fragments, and whether the sequence is closed."""
    file.seek(offset)
    table = b""
    found: list[Span] = []
    first = True
    while True:
        head = file.read(8)
        if len(head) < 8:
            return table, found, False
        if head[:4] == _END:
            return table, found, True
        if head[:4] != ITEM:
            raise ReadError(path, "has compressed pixels whose parts cannot be told apart")
        length = int.from_bytes(head[4:], "little")
        at = file.tell()
        if first:
            table, first = file.read(length) if length < size else b"", False
            continue
        found.append((at, length))
        if at + length >= size:
            return table, found, False
        file.seek(length, io.SEEK_CUR)


def _starts(table: bytes, extended: bytes | None) -> list[int]:
    if extended:
        return [int(one) for one in np.frombuffer(extended[: len(extended) // 8 * 8], "<u8")]
    return [int(one) for one in np.frombuffer(table[: len(table) // 4 * 4], "<u4")]


def _by_offset(fragments: Sequence[Span], starts: Sequence[int]) -> list[list[Span]] | None:
    """Group fragments by the offsets of the frames' first items; None if the table does not fit."""
    base = fragments[0][0] - 8
    index = {offset - 8 - base: number for number, (offset, _) in enumerate(fragments)}
    if starts[0] != 0 or any(start not in index for start in starts):
        return None
    numbers = [index[start] for start in starts] + [len(fragments)]
    if any(one >= other for one, other in itertools.pairwise(numbers)):
        return None
    return [list(fragments[one:other]) for one, other in itertools.pairwise(numbers)]


def _by_marker(file: BinaryIO, fragments: Sequence[Span]) -> list[list[Span]]:
    grouped: list[list[Span]] = []
    for offset, length in fragments:
        file.seek(offset)
        if file.read(6).startswith(_STARTS) or not grouped:
            grouped.append([])
        grouped[-1].append((offset, length))
    return grouped

"""TFRecord files of tf.train.Example, read without TensorFlow; both checksums of each record are verified.

Format (TensorFlow, tf_record): little-endian u64 length, u32 masked CRC-32C of those eight bytes, the
data, u32 masked CRC-32C of the data. CRC-32C is of Castagnoli's polynomial 0x1EDC6F41 (RFC 3720 B.4),
reflected; masked: rotated right by 15 bits, plus 0xA282EAD8. An Example is a protobuf message: field 1
Features, in it a map (field 1) from name (1) to Feature (2), which holds a list of bytes (1), float (2) or
int64 (3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from trainer.errors import TrainerError

_POLYNOMIAL = 0x82F63B78
_BLOCK = 256
"""Bytes of a block; the tables of all its places take 256 KiB, which the processor's cache holds."""
_MASK_DELTA = 0xA282EAD8
MOST_BYTES = 64 << 20
"""Of a record; longer ones are damage."""

Feature = list[int] | list[bytes]


@cache
def _byte_table() -> npt.NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


def _after_zeros(crc: npt.NDArray[np.uint32], count: int) -> npt.NDArray[np.uint32]:
    """Return registers after `count` zero bytes."""
    table = _byte_table()
    for _ in range(count):
        crc = (crc >> np.uint32(8)) ^ table[crc & np.uint32(0xFF)]
    return crc


@cache
def _place_tables() -> npt.NDArray[np.uint32]:
    """Return what a byte at each place of a block adds to the register at the block's end, (place, value)."""
    tables = np.empty((_BLOCK, 256), np.uint32)
    tables[-1] = _byte_table()
    for place in range(_BLOCK - 2, -1, -1):
        tables[place] = _after_zeros(tables[place + 1], 1)
    return tables


@cache
def _jump_tables() -> npt.NDArray[np.uint32]:
    """Return what each byte of a register becomes after a block of zeros, (byte, value)."""
    values = np.arange(256, dtype=np.uint32)
    return np.stack([_after_zeros(values << np.uint32(8 * byte), _BLOCK) for byte in range(4)])


def crc32c(data: bytes | memoryview) -> int:
    """Return the CRC-32C of bytes.

    A CRC is linear: what a byte adds depends on its value and place alone. Each block is one look-up
    per byte and one XOR over them, all blocks at once; then their registers are chained.
    """
    raw = np.frombuffer(data, np.uint8)
    blocks = len(raw) // _BLOCK
    body, tail = raw[: blocks * _BLOCK].reshape(blocks, _BLOCK), raw[blocks * _BLOCK :].tolist()
    added = np.bitwise_xor.reduce(_place_tables()[np.arange(_BLOCK), body], axis=1).tolist()
    zero, one, two, three = _jump_lists()
    crc = 0xFFFFFFFF
    for block in added:
        crc = zero[crc & 255] ^ one[crc >> 8 & 255] ^ two[crc >> 16 & 255] ^ three[crc >> 24] ^ block
    table = _byte_list()
    for byte in tail:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


@cache
def _jump_lists() -> list[list[int]]:
    made: list[list[int]] = _jump_tables().tolist()
    return made


@cache
def _byte_list() -> list[int]:
    made: list[int] = _byte_table().tolist()
    return made


def masked(crc: int) -> int:
    """Return a CRC as TFRecord files keep it."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _record(stream: BinaryIO, where: str) -> bytes | str | None:
    """Return the next record, a sentence if it alone is damaged, None at the end; raises TrainerError."""
    head = stream.read(12)
    if not head:
        return None
    if len(head) < 12:
        raise TrainerError(f"{where}: the file is cut off")
    length, stated = struct.unpack("<QI", head)
    if masked(crc32c(head[:8])) != stated:
        raise TrainerError(f"{where}: the length does not match its checksum, so the rest cannot be read")
    if length > MOST_BYTES:
        raise TrainerError(f"{where}: {length} bytes are too many, so the rest cannot be read")
    data, check = stream.read(length), stream.read(4)
    if len(data) < length or len(check) < 4:
        raise TrainerError(f"{where}: the file is cut off")
    if masked(crc32c(data)) != struct.unpack("<I", check)[0]:
        return f"{where}: the data do not match their checksum; left out"
    return data


def records(path: Path) -> Iterator[tuple[int, bytes | str]]:
    """Give (0-based number, data) of each record; a sentence in place of the data where they are damaged.

    Raises
    ------
    TrainerError
        After the last record that can be found: the file is cut off, or a length is damaged.
    """
    try:
        with path.open("rb") as stream:
            number = 0
            while (found := _record(stream, f"{path}: record {number}")) is not None:
                yield number, found
                number += 1
    except OSError as error:
        raise TrainerError(f"{path}: cannot be read ({error.strerror})") from error


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a number does not end")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give (field number, value) of a protobuf message; fixed-size values as their bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind, value = tag & 7, 0
        if kind == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} is not known")
        if at + size > len(data):
            raise ValueError("a field reaches beyond its message")
        yield tag >> 3, data[at : at + size]
        at += size


def _message(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number stands where a message was expected")
    return value


def _integers(data: bytes) -> list[int]:
    values: list[int] = []
    for number, value in _fields(data):
        if number != 1:
            continue
        if isinstance(value, int):
            values.append(value)
            continue
        at = 0
        while at < len(value):
            found, at = _varint(value, at)
            values.append(found)
    return [value - (1 << 64) if value >> 63 else value for value in values]


def _feature(data: bytes) -> Feature:
    for number, value in _fields(data):
        if number == 1:
            return [_message(one) for field, one in _fields(_message(value)) if field == 1]
        if number == 3:
            return _integers(_message(value))
    return []


def parse_example(data: bytes) -> dict[str, Feature]:
    """Return the features of a tf.train.Example by name; lists of floats are left out (empty).

    Raises
    ------
    ValueError
        The bytes are no Example.
    """
    features: dict[str, Feature] = {}
    for number, value in _fields(data):
        if number != 1:
            continue
        for field, entry in _fields(_message(value)):
            if field != 1:
                continue
            pair = dict(_fields(_message(entry)))
            name = _message(pair.get(1, b"")).decode("utf-8", "replace")
            features[name] = _feature(_message(pair.get(2, b"")))
    return features

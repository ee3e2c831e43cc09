"""The header of one DICOM file: everything before the pixels, and where the pixels lie.

Reads files with and without preamble (PS3.10 7.1), in every transfer syntax; opens the file only while
it reads, and stops at the pixel data.
"""

from __future__ import annotations

import io
import logging
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydicom import config
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.uid import UID
from pydicom.values import converters

from app.core.dicom.elements import BROKEN, text
from app.core.errors import ReadError

# Values that break the standard are repaired here and told as notes; pydicom's own warnings about them
# would reach stderr. Both settings are process-wide because warnings.catch_warnings is not thread-safe.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom\..*")
logging.getLogger("pydicom").addHandler(logging.NullHandler())

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
NATIVE = frozenset({IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN})

PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, Double Float and integer Pixel Data."""

UNDEFINED = 0xFFFFFFFF
_MOST_INFLATED = 1 << 29


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the value of the pixel data element lies.

    Attributes
    ----------
    tag
        (7FE0,0010), or a float tag that is not shown.
    offset
        First byte of the value in the file (in `Header.inflated` for deflated files).
    length
        Bytes, or `UNDEFINED` for encapsulated data.
    vr
        OW or OB; None in implicit VR, which is OW.
    """

    tag: int
    offset: int
    length: int
    vr: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header.

    Attributes
    ----------
    transfer_syntax
        As stated by the file meta group, else what the bytes are.
    pixels
        None where the file holds no pixel data.
    size
        Of the file in bytes.
    inflated
        The whole inflated data set of a deflated file, else None.
    """

    path: Path
    dataset: Dataset
    transfer_syntax: str
    pixels: PixelElement | None
    size: int
    inflated: bytes | None = None


def looks_like_dicom(start: bytes) -> bool:
    """Tell from the first 140 bytes whether a file can be DICOM, with or without preamble."""
    if start[128:132] == b"DICM":
        return True
    group = start[:2]
    little = group in (b"\x02\x00", b"\x08\x00") and start[3:4] == b"\x00"
    return little or (group == b"\x00\x08" and start[2:3] == b"\x00" and start[4:6].isalpha())


def read_header(path: Path) -> Header:
    """Read the header of a DICOM file.

    Raises
    ------
    ReadError
        For a folder, a missing, empty or foreign file, or a header that cannot be parsed.
    """
    try:
        if path.is_dir():
            raise ReadError(path, "is a folder, not a file")
        if path.exists() and not path.is_file():
            raise ReadError(path, "is not a file")  # a pipe would never end
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            start = file.read(140)
            if not start:
                raise ReadError(path, "is empty (0 bytes)")
            if not looks_like_dicom(start):
                raise ReadError(path, "is not a DICOM file")
            file.seek(0)
            return _parse(path, file, size)
    except FileNotFoundError as error:
        raise ReadError(path, "does not exist") from error
    except OSError as error:
        # pydicom raises it without a number where the bytes make no sense.
        said = (
            f"cannot be read ({error.strerror.lower()})"
            if error.strerror
            else "has a header that cannot be read"
        )
        raise ReadError(path, said) from error
    except (*BROKEN, InvalidDicomError, zlib.error, MemoryError) as error:
        raise ReadError(path, "has a header that cannot be read") from error


def _parse(path: Path, file: BinaryIO, size: int) -> Header:
    syntax = _read_meta(file)
    inflated = None
    if syntax == DEFLATED:
        inflated = _inflate(path, file)
        file = io.BytesIO(inflated)
    implicit, little = _encoding(syntax, file)
    found: list[PixelElement] = []

    def at_pixels(tag: int, vr: str | None, length: int) -> bool:
        # pydicom calls this for every element, with the file placed at the value. The shift makes a plain
        # integer of its tag, whose comparisons are slow.
        if tag >> 16 < 0x7FE0:
            return False
        if tag in PIXEL_TAGS:
            found.append(PixelElement(int(tag), file.tell(), length, vr))
        # The extended offset table stands before the pixels; nothing behind them is of interest.
        return int(tag) > 0x7FE00002

    dataset = read_dataset(file, implicit, little, stop_when=at_pixels)
    pixels = found[0] if found else None
    if not syntax and not (pixels and pixels.length == UNDEFINED):
        syntax = BIG_ENDIAN if not little else IMPLICIT if implicit else EXPLICIT
    return Header(path, dataset, syntax, pixels, size, inflated)


def _read_meta(file: BinaryIO) -> str:
    """Return the transfer syntax UID ("" if none is stated), leaving the file at the data set."""
    start = file.read(132)
    file.seek(132 if start[128:] == b"DICM" else 0)
    if file.read(2) != b"\x02\x00":
        file.seek(-2, io.SEEK_CUR)
        return ""
    file.seek(-2, io.SEEK_CUR)
    meta = read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag >> 16 != 2)
    return text(meta, "TransferSyntaxUID")


def _encoding(syntax: str, file: BinaryIO) -> tuple[bool, bool]:
    """Return (implicit VR, little endian) of the data set; where no syntax is stated, as its bytes say."""
    if syntax:
        return syntax == IMPLICIT, syntax != BIG_ENDIAN
    start = file.read(6)
    file.seek(-len(start), io.SEEK_CUR)
    explicit = start[4:6].decode("latin-1") in converters
    return not explicit, not (explicit and start[:1] == b"\x00")


def _inflate(path: Path, file: BinaryIO) -> bytes:
    """Return the data set of a deflated file (PS3.5 A.5), refusing what inflates without measure."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(file.read(), _MOST_INFLATED)
    if inflater.unconsumed_tail:
        raise ReadError(path, "inflates to more than 512 MiB")
    return inflated


def syntax_name(uid: str) -> str:
    """Return the name of a transfer syntax as a person would write it."""
    return UID(uid).name if uid else "an unnamed transfer syntax"

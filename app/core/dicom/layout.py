"""How the pixels lie in the file, checked: PS3.3 C.7.6.3 and PS3.5 8.1.1.

What can be refused from the header alone is refused here, with one clause that names the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from app.core.dicom.elements import integer, text, value
from app.core.dicom.header import NATIVE, UNDEFINED, Header, syntax_name
from app.core.errors import ReadError

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSY = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
JPEG_LOSSLESS = frozenset({"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"})
JPEG_LS = frozenset({"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"})
JPEG_2000 = frozenset({"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"})
HTJ2K = frozenset({"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"})
MAYBE_LOSSY = frozenset({"1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"})
"""Near-lossless and either-way syntaxes: only the file can say whether anything was lost."""

ENCAPSULATED = frozenset({RLE}) | JPEG_LOSSY | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | HTJ2K

MOST_PIXELS = 100_000_000
"""Of one frame; the largest film scans have about 45 million."""

MOST_FRAMES = 5000


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """Checked facts about the pixel data.

    Attributes
    ----------
    rows, columns, frames
        Each at least 1.
    bits_allocated
        8, 16 or 32.
    bits_stored
        1..16, and `high_bit` + 1 at most `bits_allocated`.
    offset, length
        Of the value of the pixel data element; `length` is `UNDEFINED` for encapsulated data.
    """

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    transfer_syntax: str
    offset: int
    length: int

    @property
    def encapsulated(self) -> bool:
        """Whether the pixel data is a sequence of fragments."""
        return self.length == UNDEFINED

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as native pixel data."""
        return self.rows * self.columns * (self.bits_allocated // 8)


def read_layout(header: Header) -> PixelLayout:
    """Return the layout of a header's pixel data.

    Raises
    ------
    ReadError
        No pixel data; a size, depth, number of samples or transfer syntax that is not shown.
    """
    ds, path = header.dataset, header.path
    if header.pixels is None or header.pixels.length == 0:
        raise ReadError(path, "holds no pixel data")
    if header.pixels.tag != 0x7FE00010:
        raise ReadError(path, "holds floating-point pixels, which are not shown")
    rows, columns, frames = _size(path, ds)
    samples = integer(ds, "SamplesPerPixel")
    if samples not in (1, None):
        raise ReadError(path, f"is a colour image ({samples} samples per pixel), not a mammogram")
    photometric = text(ds, "PhotometricInterpretation").upper() or "MONOCHROME2"
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise ReadError(path, f"has the photometric interpretation {photometric[:24]}, not a grey scale")
    allocated, stored, high, signed = _depth(path, ds)
    _check_syntax(header)
    return PixelLayout(rows, columns, frames, allocated, stored, high, signed, photometric,
                       header.transfer_syntax, header.pixels.offset, header.pixels.length)  # fmt: skip


def _size(path: Path, ds: Dataset) -> tuple[int, int, int]:
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    if rows is None or columns is None:
        raise ReadError(path, "does not say how many rows and columns it has")
    if rows < 1 or columns < 1 or rows * columns > MOST_PIXELS:
        raise ReadError(path, f"has an impossible size of {rows} rows x {columns} columns")
    frames = 1 if value(ds, "NumberOfFrames") is None else integer(ds, "NumberOfFrames")
    if frames is None or not 1 <= frames <= MOST_FRAMES:
        raise ReadError(path, f"has an impossible number of frames ({text(ds, 'NumberOfFrames')[:16]})")
    return rows, columns, frames


def _depth(path: Path, ds: Dataset) -> tuple[int, int, int, bool]:
    allocated, stored = integer(ds, "BitsAllocated"), integer(ds, "BitsStored")
    if allocated is None:
        raise ReadError(path, "does not say how many bits a pixel has")
    stored = allocated if stored is None else stored
    high_bit = integer(ds, "HighBit")
    high = stored - 1 if high_bit is None else high_bit
    if allocated not in (8, 16, 32):
        raise ReadError(path, f"has {allocated} bits allocated per pixel, which are not supported")
    if not 1 <= stored <= allocated:
        raise ReadError(path, f"has a wrong bit depth ({stored} bits stored in {allocated} allocated)")
    if not stored - 1 <= high < allocated:
        raise ReadError(path, f"has a wrong bit depth (high bit {high} with {stored} bits stored)")
    if stored > 16:
        raise ReadError(path, f"has {stored} bits per pixel, more than the 16 of a mammogram")
    representation = integer(ds, "PixelRepresentation")
    if representation not in (0, 1, None):
        raise ReadError(path, f"has the unknown pixel representation {representation}")
    return allocated, stored, high, representation == 1


def _check_syntax(header: Header) -> None:
    syntax = header.transfer_syntax
    encapsulated = header.pixels is not None and header.pixels.length == UNDEFINED
    if not syntax:
        raise ReadError(header.path, "holds compressed pixels and does not say how they are compressed")
    if syntax not in NATIVE | ENCAPSULATED:
        raise ReadError(header.path, f"has the unsupported transfer syntax {syntax_name(syntax)}")
    if syntax in NATIVE and encapsulated:
        raise ReadError(
            header.path,
            "holds compressed pixels under an uncompressed transfer syntax",
        )
    if syntax in ENCAPSULATED and not encapsulated:
        raise ReadError(
            header.path, f"holds uncompressed pixels under the transfer syntax {syntax_name(syntax)}"
        )

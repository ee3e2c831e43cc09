"""Pixels of pictures that are no DICOM, through Pillow: PNG, JPEG, PGM, TIFF of 8 or 16 bit grey.

Runs in the decoder's process too, and therefore imports no pydicom.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import JpegImagePlugin, PngImagePlugin, PpmImagePlugin, TiffImagePlugin

from app.core.dicom.codestream import CodecError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".pgm", ".tif", ".tiff"})

MOST_PIXELS = 100_000_000
"""The largest film scans have about 45 million."""

EIGHT_BIT = frozenset({"L", "P", "RGB", "RGBA", "LA", "1"})
SIXTEEN_BIT = frozenset({"I;16", "I;16B", "I;16L", "I;16N", "I"})
"""Pillow's modes; it gives ``I`` for 16-bit PGM."""

_FORMATS = tuple(
    plugin.format
    for plugin in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        PpmImagePlugin.PpmImageFile,
        TiffImagePlugin.TiffImageFile,
    )
)
_BROKEN = (ValueError, TypeError, SyntaxError, OSError, EOFError, LookupError, ArithmeticError,
           struct.error, Pillow.DecompressionBombError)  # fmt: skip
"""What Pillow raises on a broken picture."""

# Sizes are checked against MOST_PIXELS before anything is decoded; Pillow's own check would warn on stderr.
Pillow.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\..*")


_PHOTOMETRIC_INTERPRETATION = 262
"""TIFF 6.0 tag; 0 is WhiteIsZero."""


def probe(path: Path) -> tuple[int, int, str, bool]:
    """Return (rows, columns, Pillow mode, low is bright) from a picture's header.

    Low is bright in a TIFF of 16 bit that is WhiteIsZero: Pillow inverts those of 8 bit and not these.

    Raises
    ------
    CodecError
        Missing, empty, broken, too large, or not a picture of 8 or 16 bit grey.
    """
    try:
        if path.is_dir():
            raise CodecError("is a folder, not a file")
        if path.exists() and not path.is_file():
            raise CodecError("is not a file")
        if path.stat().st_size == 0:
            raise CodecError("is empty (0 bytes)")
        with Pillow.open(path, formats=_FORMATS) as picture:
            columns, rows = picture.size
            mode, count = picture.mode, getattr(picture, "n_frames", 1)
            white_is_zero = mode in SIXTEEN_BIT and _photometric(picture) == 0
    except _BROKEN as error:
        raise CodecError(_reason(error)) from error
    if rows < 1 or columns < 1 or rows * columns > MOST_PIXELS:
        raise CodecError(f"has an impossible size of {rows} rows x {columns} columns")
    if mode not in EIGHT_BIT | SIXTEEN_BIT:
        raise CodecError(f"is not a picture of 8 or 16 bit grey (mode {mode})")
    if count > 1:
        raise CodecError(f"holds {count} pictures in one file")
    return rows, columns, mode, white_is_zero


def decode_picture(path: Path) -> npt.NDArray[np.uint16]:
    """Return the pixels of a picture, (rows, columns) uint16; colour becomes luma (ITU-R BT.601).

    Raises
    ------
    CodecError
        As `probe`, or pixels that end early.
    """
    probe(path)
    try:
        with Pillow.open(path, formats=_FORMATS) as picture:
            grey = picture if picture.mode in SIXTEEN_BIT else picture.convert("L")
            values: npt.NDArray[Any] = np.asarray(grey)
    except _BROKEN as error:
        raise CodecError(_reason(error)) from error
    if (
        values.ndim != 2
        or values.dtype.kind not in "ui"
        or int(values.min()) < 0
        or int(values.max()) > 65535
    ):
        raise CodecError("holds values outside 0..65535")
    return values.astype(np.uint16)


def _photometric(picture: Pillow.Image) -> int | None:
    if not isinstance(picture, TiffImagePlugin.TiffImageFile):
        return None
    stated: int | None = picture.tag_v2.get(_PHOTOMETRIC_INTERPRETATION)
    return stated


def _reason(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read (permission denied)"
    if "truncated" in str(error).lower():
        return "is a picture that ends before its last pixel"
    return "is not a picture that can be read"

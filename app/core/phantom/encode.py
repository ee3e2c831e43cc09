"""Pixels into DICOM files, in the transfer syntaxes that the workstation reads, lossless and lossy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import JPEGLSNearLosslessEncoder, RLELosslessEncoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
ENCAPSULATED = (RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)
LOSSY: dict[str, str] = {
    JPEGBaseline8Bit: "ISO_10918_1",
    JPEGExtended12Bit: "ISO_10918_1",
    JPEGLSNearLossless: "ISO_14495_1",
    JPEG2000: "ISO_15444_1",
    HTJ2K: "ISO_15444_15",
}
"""Transfer syntaxes that change the pixels a little; their Lossy Image Compression Method (C.7.6.1.1.5)."""
TRANSFER_SYNTAXES: tuple[str, ...] = NATIVE + ENCAPSULATED + tuple(LOSSY)
"""All that can be written."""
_MOST_BITS = {JPEGBaseline8Bit: 8, JPEGExtended12Bit: 12}
_NEAR = 2
"""How far a value of JPEG-LS near-lossless may be off."""
_HEADROOM = 32
"""HTJ2K streams are of 16 bits here: values so far from the largest stay within Bits Stored when decoded."""


def most_bits(transfer_syntax: str) -> int:
    """Return how many bits a transfer syntax can hold."""
    return _MOST_BITS.get(transfer_syntax, 16)


def save(ds: Dataset, values: npt.NDArray[np.uint16], path: Path, transfer_syntax: str) -> None:
    """Add the pixels in a transfer syntax and write the file."""
    ds.Rows, ds.Columns = values.shape
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    if transfer_syntax in NATIVE:
        order = ">u2" if transfer_syntax == ExplicitVRBigEndian else "<u2"
        ds.add_new("PixelData", "OW", np.ascontiguousarray(values).astype(order).tobytes())
    else:
        stream = _encode(np.ascontiguousarray(values), transfer_syntax, ds)
        ds.add_new("PixelData", "OB", encapsulate([stream]))
        ds["PixelData"].is_undefined_length = True
        _say_lossy(ds, transfer_syntax, values.size * ds.BitsAllocated / 8 / len(stream))
    ds.save_as(path, enforce_file_format=True)


def _say_lossy(ds: Dataset, transfer_syntax: str, ratio: float) -> None:
    """Say what a lossy transfer syntax did to the pixels; nothing for a lossless one."""
    if transfer_syntax in LOSSY:
        ds.LossyImageCompression = "01"
        ds.LossyImageCompressionRatio = f"{ratio:.2f}"
        ds.LossyImageCompressionMethod = LOSSY[transfer_syntax]


def _encode(frame: npt.NDArray[np.uint16], transfer_syntax: str, ds: Dataset) -> bytes:
    """Return a frame as the code stream of an encapsulated transfer syntax."""
    bits = int(ds.BitsStored)
    if transfer_syntax == RLELossless:
        return bytes(RLELosslessEncoder.encode(frame, **_described(frame, ds, 16)))
    if transfer_syntax in (JPEGLossless, JPEGLosslessSV1):
        predictor = 1 if transfer_syntax == JPEGLosslessSV1 else 6
        return bytes(imagecodecs.jpeg8_encode(frame, lossless=True, predictor=predictor, bitspersample=bits))
    if transfer_syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(frame))
    if transfer_syntax == JPEG2000Lossless:
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, codecformat="j2k", bitspersample=bits, reversible=True, mct=False
            )
        )
    if transfer_syntax == HTJ2KLossless:
        return bytes(imagecodecs.htj2k_encode(frame, reversible=True))
    return _encode_lossy(frame, transfer_syntax, ds)


def _encode_lossy(frame: npt.NDArray[np.uint16], transfer_syntax: str, ds: Dataset) -> bytes:
    """Return a frame as a lossy code stream of a quality at which no eye tells it from the original."""
    bits = int(ds.BitsStored)
    if transfer_syntax == JPEGBaseline8Bit:
        return bytes(imagecodecs.jpeg8_encode(frame.astype(np.uint8), level=98))
    if transfer_syntax == JPEGExtended12Bit:
        return bytes(imagecodecs.jpeg8_encode(frame, level=95, bitspersample=12))
    if transfer_syntax == JPEGLSNearLossless:
        described = _described(frame, ds, bits)
        return bytes(JPEGLSNearLosslessEncoder.encode(frame, jls_error=_NEAR, **described))
    if transfer_syntax == JPEG2000:
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, level=75, codecformat="j2k", bitspersample=bits, reversible=False, mct=False
            )
        )
    clear = np.minimum(frame, np.uint16(2**bits - 1 - _HEADROOM))
    return bytes(imagecodecs.htj2k_encode(clear, level=5e-5, reversible=False))


def _described(frame: npt.NDArray[np.uint16], ds: Dataset, bits_stored: int) -> dict[str, Any]:
    """Return what pydicom's encoders want to be told."""
    return {
        "rows": frame.shape[0],
        "columns": frame.shape[1],
        "samples_per_pixel": 1,
        "bits_allocated": 16,
        "bits_stored": bits_stored,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "photometric_interpretation": ds.PhotometricInterpretation,
    }

"""Pixels into DICOM files, in every lossless transfer syntax that the workstation reads."""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
ENCAPSULATED = (RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless)
TRANSFER_SYNTAXES: tuple[str, ...] = NATIVE + ENCAPSULATED
"""All that can be written; every one is lossless."""


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
        frame = np.ascontiguousarray(values)
        ds.add_new("PixelData", "OB", encapsulate([_encode(frame, transfer_syntax, ds)]))
        ds["PixelData"].is_undefined_length = True
    ds.save_as(path, enforce_file_format=True)


def _encode(frame: npt.NDArray[np.uint16], transfer_syntax: str, ds: Dataset) -> bytes:
    """Return a frame as the code stream of an encapsulated lossless transfer syntax."""
    bits = int(ds.BitsStored)
    if transfer_syntax == RLELossless:
        return bytes(
            RLELosslessEncoder.encode(
                frame,
                rows=frame.shape[0],
                columns=frame.shape[1],
                samples_per_pixel=1,
                bits_allocated=16,
                bits_stored=16,
                pixel_representation=0,
                number_of_frames=1,
                photometric_interpretation=ds.PhotometricInterpretation,
            )
        )
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
    return bytes(imagecodecs.htj2k_encode(frame, reversible=True))

"""Small DICOM files for the tests: mammograms in any transfer syntax, and the ways they go wrong.

``from dicom_files import write_mg`` (``tests/conftest.py`` puts this folder on the path). Nothing here
is taken from the program under test; encoders are pydicom's and imagecodecs'.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.tag import BaseTag
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
RLE = str(RLELossless)
JPEG_BASELINE = str(JPEGBaseline8Bit)
JPEG_EXTENDED = str(JPEGExtended12Bit)
JPEG_LOSSLESS = str(JPEGLossless)  # .57, any predictor
JPEG_LOSSLESS_SV1 = str(JPEGLosslessSV1)  # .70
JPEG_LS = str(JPEGLSLossless)
JPEG_LS_NEAR = str(JPEGLSNearLossless)
J2K = str(JPEG2000Lossless)
J2K_LOSSY = str(JPEG2000)
HTJ2K = "1.2.840.10008.1.2.4.201"
HTJ2K_RPCL = "1.2.840.10008.1.2.4.202"
HTJ2K_LOSSY = "1.2.840.10008.1.2.4.203"

NATIVE = (IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN)
LOSSLESS = (*NATIVE, RLE, JPEG_LOSSLESS, JPEG_LOSSLESS_SV1, JPEG_LS, J2K, HTJ2K, HTJ2K_RPCL)

MG_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
MG_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2.1"
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CR = "1.2.840.10008.5.1.4.1.1.1"
DX_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"

VIEW_CODES = {"CC": ("R-10242", "SRT", "cranio-caudal"), "MLO": ("R-10226", "SRT", "medio-lateral oblique")}


def uid_of(*parts: object) -> str:
    """Return a UID that depends on nothing but `parts`."""
    digest = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def code_item(value: str, scheme: str, meaning: str = "", modifiers: Sequence[Dataset] = ()) -> Dataset:
    """Return an item of a code sequence, with its nested view modifiers."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning or value
    if modifiers:
        item.ViewModifierCodeSequence = list(modifiers)
    return item


def lut_item(first: int, data: np.ndarray, bits: int, explanation: str = "", vr: str = "US") -> Dataset:
    """Return an item of a VOI LUT Sequence (``vr`` US or OW; 8-bit tables with OW are packed)."""
    item = Dataset()
    count = 0 if len(data) == 65536 else len(data)
    signed = first < 0
    item.add_new(0x00283002, "SS" if signed else "US", [count, first, bits])
    if explanation:
        item.LUTExplanation = explanation
    if vr == "US":
        item.add_new(0x00283006, "US", [int(v) for v in data])
    else:
        packed = bits <= 8 and data.dtype == np.uint8
        raw = data.astype("<u1" if packed else "<u2").tobytes()
        item.add_new(0x00283006, "OW", raw + b"\0" * (len(raw) % 2))
    return item


def phantom_pixels(
    rows: int = 96,
    columns: int = 64,
    bits: int = 12,
    *,
    chest: str = "right",
    seed: int = 0,
    signed: bool = False,
) -> np.ndarray:
    """Return a half-disc of breast on black background, chest wall at the side named."""
    row, col = np.mgrid[0:rows, 0:columns]
    across = (columns - 1 - col) if chest == "right" else col
    radius = np.hypot((row - rows / 2) / (0.45 * rows), across / (0.8 * columns))
    noise = np.random.default_rng(seed).integers(0, max(2, 2**bits // 16), (rows, columns))
    breast = (2**bits - 1) * 0.75 * np.clip(1.1 - radius, 0, 0.9) + noise
    pixels = np.where(radius < 1, breast, 0).astype(np.int64)
    if signed:
        return (pixels - 2 ** (bits - 1)).clip(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).astype(np.int16)
    return pixels.clip(0, 2**bits - 1).astype(np.uint16 if bits > 8 else np.uint8)


def mg_dataset(
    pixels: np.ndarray,
    *,
    laterality: str | None = "R",
    view: str | None = "MLO",
    orientation: Sequence[str] | None = ("P", "FL"),
    photometric: str = "MONOCHROME2",
    bits_stored: int = 12,
    signed: bool = False,
    window: Any = None,
    function: str | None = None,
    luts: Sequence[Dataset] = (),
    padding: Any = None,
    sop_class: str = MG_PRESENTATION,
    entropy: object = "mg",
) -> Dataset:
    """Return the header of a For Presentation mammogram whose pixels are `pixels`."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["DERIVED", "PRIMARY"]
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = uid_of("instance", entropy)
    ds.StudyInstanceUID = uid_of("study")
    ds.SeriesInstanceUID = uid_of("series", laterality, view)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240305"
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "101500"
    ds.Modality = "MG"
    ds.PresentationIntentType = "FOR PRESENTATION" if sop_class != MG_PROCESSING else "FOR PROCESSING"
    ds.Manufacturer = "Testmaker"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "P-1", "19600101", "F"
    ds.StudyID = ds.AccessionNumber = ""
    ds.SeriesNumber = ds.InstanceNumber = 1
    ds.BodyPartExamined = "BREAST"
    ds.ImagerPixelSpacing = [0.1, 0.1]
    ds.PositionerType = "MAMMOGRAPHIC"
    if laterality is not None:
        ds.ImageLaterality = laterality
    if view is not None:
        ds.ViewPosition = view
        if view in VIEW_CODES:
            ds.ViewCodeSequence = [code_item(*VIEW_CODES[view])]
            ds.ViewCodeSequence[0].ViewModifierCodeSequence = []
    if orientation is not None:
        ds.PatientOrientation = list(orientation)
    frames = pixels if pixels.ndim == 3 else pixels[None]
    if pixels.ndim == 3:
        ds.NumberOfFrames = frames.shape[0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.Rows, ds.Columns = frames.shape[1:]
    ds.BitsAllocated = 16 if bits_stored > 8 else 8
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits_stored, bits_stored - 1, int(signed)
    if padding is not None:
        ends = padding if isinstance(padding, (tuple, list)) else (padding,)
        ds.add_new(0x00280120, "SS" if signed else "US", ends[0])
        if len(ends) > 1:
            ds.add_new(0x00280121, "SS" if signed else "US", ends[1])
    if window is not None:
        pairs = [window] if np.isscalar(window[0]) else list(window)
        ds.WindowCenter = [pair[0] for pair in pairs] if len(pairs) > 1 else pairs[0][0]
        ds.WindowWidth = [pair[1] for pair in pairs] if len(pairs) > 1 else pairs[0][1]
        if any(len(pair) > 2 for pair in pairs):
            ds.WindowCenterWidthExplanation = [pair[2] for pair in pairs]
    if function is not None:
        ds.VOILUTFunction = function
    if luts:
        ds.VOILUTSequence = list(luts)
    ds.PresentationLUTShape = "INVERSE" if photometric == "MONOCHROME1" else "IDENTITY"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    ds.BreastImplantPresent = ds.PartialView = ds.BurnedInAnnotation = "NO"
    return ds


def encode_frame(frame: np.ndarray, transfer_syntax: str, bits_stored: int) -> bytes:
    """Return one frame as the codestream of an encapsulated transfer syntax."""
    data = np.ascontiguousarray(frame)
    if transfer_syntax == JPEG_BASELINE:
        return bytes(imagecodecs.jpeg8_encode(data.astype(np.uint8), level=95))
    if transfer_syntax == JPEG_EXTENDED:
        return bytes(imagecodecs.jpeg8_encode(data.view(np.uint16) & 4095, level=95, bitspersample=12))
    if transfer_syntax in (JPEG_LOSSLESS, JPEG_LOSSLESS_SV1):
        predictor = 1 if transfer_syntax == JPEG_LOSSLESS_SV1 else 6
        unsigned = data.view(f"u{data.itemsize}") & (2**bits_stored - 1)
        return bytes(
            imagecodecs.jpeg8_encode(
                unsigned.astype(data.dtype.str.replace("i", "u")),
                lossless=True,
                predictor=predictor,
                bitspersample=bits_stored,
            )
        )
    if transfer_syntax in (JPEG_LS, JPEG_LS_NEAR):
        near = 0 if transfer_syntax == JPEG_LS else 2
        return bytes(imagecodecs.jpegls_encode(data.view(f"u{data.itemsize}"), level=near))
    if transfer_syntax in (J2K, J2K_LOSSY):
        level = None if transfer_syntax == J2K else 60
        return bytes(
            imagecodecs.jpeg2k_encode(
                data,
                level,
                codecformat="j2k",
                bitspersample=bits_stored,
                reversible=transfer_syntax == J2K,
                mct=False,
            )
        )
    if transfer_syntax in (HTJ2K, HTJ2K_RPCL, HTJ2K_LOSSY):
        return bytes(imagecodecs.htj2k_encode(data, reversible=transfer_syntax != HTJ2K_LOSSY))
    raise ValueError(transfer_syntax)


def write_dataset(
    path: Path | str,
    ds: Dataset,
    pixels: np.ndarray | None,
    transfer_syntax: str = EXPLICIT,
    *,
    preamble: bool = True,
) -> Path:
    """Write `ds` with `pixels` (None: no Pixel Data) and return the path; nothing is validated."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.get("SOPClassUID") or MG_PRESENTATION
    ds.file_meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID") or uid_of(path)
    ds.file_meta.TransferSyntaxUID = transfer_syntax
    if pixels is not None:
        frames = pixels if pixels.ndim == 3 else pixels[None]
        if transfer_syntax in NATIVE:
            order = ">" if transfer_syntax == BIG_ENDIAN else "<"
            raw = frames.astype(frames.dtype.newbyteorder(order)).tobytes()
            ds.add_new(0x7FE00010, "OW" if frames.itemsize > 1 else "OB", raw + b"\0" * (len(raw) % 2))
        elif transfer_syntax == RLE:
            order = frames.astype(frames.dtype.newbyteorder("<"))
            ds.PixelData = encapsulate(
                [
                    RLELosslessEncoder.encode(
                        frame.tobytes(),
                        rows=frame.shape[0],
                        columns=frame.shape[1],
                        samples_per_pixel=1,
                        bits_allocated=8 * frame.itemsize,
                        bits_stored=8 * frame.itemsize,
                        pixel_representation=0,
                        number_of_frames=1,
                        photometric_interpretation="MONOCHROME2",
                        transfer_syntax_uid=RLE,
                    )
                    for frame in order
                ]
            )
        else:
            bits = int(ds.get("BitsStored", 16))
            ds.PixelData = encapsulate([encode_frame(frame, transfer_syntax, bits) for frame in frames])
        if "PixelData" in ds and transfer_syntax not in NATIVE:
            ds["PixelData"].VR = "OB"
            ds["PixelData"].is_undefined_length = True
    _save(path, ds, transfer_syntax, preamble)
    return path


def _save(path: Path, ds: Dataset, transfer_syntax: str, preamble: bool) -> None:
    previous = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if preamble:
                ds.preamble = b"\0" * 128
                pydicom.dcmwrite(path, ds, enforce_file_format=True)
            else:
                meta, ds.file_meta = ds.file_meta, FileMetaDataset()
                pydicom.dcmwrite(
                    path,
                    ds,
                    implicit_vr=transfer_syntax == IMPLICIT,
                    little_endian=transfer_syntax != BIG_ENDIAN,
                )
                ds.file_meta = meta
    finally:
        config.settings.writing_validation_mode = previous


def write_mg(
    path: Path | str,
    pixels: np.ndarray | None = None,
    *,
    laterality: str | None = "R",
    view: str | None = "MLO",
    orientation: Sequence[str] | None = ("P", "FL"),
    photometric: str = "MONOCHROME2",
    bits_stored: int = 12,
    signed: bool = False,
    transfer_syntax: str = EXPLICIT,
    window: Any = None,
    function: str | None = None,
    luts: Sequence[Dataset] = (),
    padding: Any = None,
    sop_class: str = MG_PRESENTATION,
    preamble: bool = True,
    no_pixels: bool = False,
    **overrides: Any,
) -> Path:
    """Write a mammogram and return its path.

    Parameters
    ----------
    pixels
        (rows, columns) or (frames, rows, columns) stored values; default: `phantom_pixels`.
    window
        ``(c, w)``, ``(c, w, explanation)`` or a list of these.
    luts
        Items made by `lut_item`.
    padding
        Pixel Padding Value, or (value, range limit).
    preamble
        False: a bare data set, without the 128 bytes, ``DICM`` and the file meta group.
    overrides
        DICOM keywords set last; None deletes the element. Invalid values are written as they are.
    """
    if pixels is None:
        pixels = phantom_pixels(bits=bits_stored, signed=signed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("pydicom").setLevel(logging.ERROR)
        ds = mg_dataset(
            pixels,
            laterality=laterality,
            view=view,
            orientation=orientation,
            photometric=photometric,
            bits_stored=bits_stored,
            signed=signed,
            window=window,
            function=function,
            luts=luts,
            padding=padding,
            sop_class=sop_class,
            entropy=Path(path),
        )
        late = {key: overrides.pop(key) for key in ("BitsStored", "Rows", "Columns") if key in overrides}
        _override(ds, overrides)
        if transfer_syntax in NATIVE:
            _override(ds, late)
            late = {}
        written = write_dataset(path, ds, None if no_pixels else pixels, transfer_syntax, preamble=preamble)
        if late:  # after encoding, so that the header lies about its codestream
            _override(ds, late)
            _save(written, ds, transfer_syntax, preamble)
    return written


def _override(ds: Dataset, values: dict[str, Any]) -> None:
    for keyword, value in values.items():
        if value is None:
            if keyword in ds:
                delattr(ds, keyword)
        else:
            try:
                setattr(ds, keyword, value)
            except (ValueError, TypeError, OverflowError):
                _add_raw(ds, keyword, value)


def _add_raw(ds: Dataset, keyword: str, value: Any) -> None:
    """Add text as it is, where pydicom refuses what the standard forbids."""
    tag = tag_for_keyword(keyword)
    many = value if isinstance(value, (list, tuple)) else [value]
    raw = "\\".join(map(str, many)).encode("latin-1")
    raw += b" " * (len(raw) % 2)
    ds[tag] = RawDataElement(BaseTag(tag), dictionary_VR(tag), len(raw), raw, 0, False, True)


def write_four_views(folder: Path, *, size: tuple[int, int] = (96, 64), **keywords: Any) -> list[Path]:
    """Write RCC, LCC, RMLO, LMLO of one study and return their paths."""
    letters = {"RCC": ("P", "L"), "LCC": ("A", "R"), "RMLO": ("P", "FL"), "LMLO": ("A", "FR")}
    paths = []
    for number, (label, orientation) in enumerate(letters.items(), start=1):
        chest = "right" if label[0] == "R" else "left"
        pixels = phantom_pixels(*size, chest=chest, seed=number)
        paths.append(
            write_mg(
                folder / f"{label}.dcm",
                pixels,
                laterality=label[0],
                view=label[1:],
                orientation=orientation,
                InstanceNumber=number,
                SeriesNumber=number,
                AcquisitionTime=f"1015{number:02d}",
                **keywords,
            )
        )
    return paths

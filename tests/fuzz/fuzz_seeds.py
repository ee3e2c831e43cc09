"""The well-formed files that are mutated: small mammograms in every transfer syntax that is read."""

from __future__ import annotations

import io
from pathlib import Path

import dicom_files as files
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import JPEG2000Lossless

SYNTAXES = {
    "implicit": files.IMPLICIT,
    "explicit": files.EXPLICIT,
    "deflated": files.DEFLATED,
    "big-endian": files.BIG_ENDIAN,
    "rle": files.RLE,
    "50-jpeg-baseline": files.JPEG_BASELINE,
    "51-jpeg-extended": files.JPEG_EXTENDED,
    "57-jpeg-lossless": files.JPEG_LOSSLESS,
    "70-jpeg-lossless-sv1": files.JPEG_LOSSLESS_SV1,
    "80-jpeg-ls": files.JPEG_LS,
    "81-jpeg-ls-near": files.JPEG_LS_NEAR,
    "90-jpeg-2000": files.J2K,
    "91-jpeg-2000-lossy": files.J2K_LOSSY,
    "201-htj2k": files.HTJ2K,
    "202-htj2k-rpcl": files.HTJ2K_RPCL,
    "203-htj2k-lossy": files.HTJ2K_LOSSY,
}
FRAMES = ("explicit", "rle", "57-jpeg-lossless", "80-jpeg-ls", "90-jpeg-2000", "201-htj2k")
"""Syntaxes with a file of several frames as well."""


def make_seeds(folder: Path) -> dict[str, bytes]:
    """Write the files below `folder` and return them by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, syntax in SYNTAXES.items():
        bits = 8 if syntax == files.JPEG_BASELINE else 12
        files.write_mg(
            folder / f"{name}.dcm",
            files.phantom_pixels(48, 40, bits),
            bits_stored=bits,
            transfer_syntax=syntax,
            window=[(2000, 3000, "NORMAL"), (1800, 1200, "HARD")],
        )
    for name in FRAMES:
        stack = np.stack([files.phantom_pixels(24, 20, seed=number) for number in range(3)])
        files.write_mg(folder / f"{name}-frames.dcm", stack, transfer_syntax=SYNTAXES[name])
    _more(folder)
    return {path.stem: path.read_bytes() for path in sorted(folder.glob("*.dcm"))}


def _more(folder: Path) -> None:
    """Write what else a header can hold: tables, padding, signs, functional groups, offset tables."""
    ramp = np.linspace(0, 4095, 4096).astype(np.uint16)
    luts = [files.lut_item(0, ramp, 12, "NORMAL"), files.lut_item(100, ramp[:256], 12, vr="OW")]
    small = files.phantom_pixels(48, 40)
    files.write_mg(folder / "luts.dcm", small, luts=luts, photometric="MONOCHROME1", padding=(0, 9))
    signed = files.phantom_pixels(48, 40, signed=True)
    files.write_mg(folder / "signed.dcm", signed, signed=True, padding=-2048, function="SIGMOID")
    files.write_mg(folder / "signed-j2k.dcm", signed, signed=True, transfer_syntax=files.J2K)
    files.write_mg(folder / "bare.dcm", small, transfer_syntax=files.IMPLICIT, preamble=False)
    # Large enough for a first look at a quarter (develop.decode_look).
    large = files.phantom_pixels(300, 280)
    files.write_mg(folder / "look-j2k.dcm", large, transfer_syntax=files.J2K)
    files.write_mg(folder / "look-htj2k.dcm", large, transfer_syntax=files.HTJ2K)
    stack = np.stack([files.phantom_pixels(24, 20, seed=number) for number in range(3)])
    groups = {"SharedFunctionalGroupsSequence": [_shared()], "PerFrameFunctionalGroupsSequence": _each(3)}
    tomo = files.TOMOSYNTHESIS
    files.write_mg(folder / "tomo.dcm", stack, sop_class=tomo, laterality=None, view=None, **groups)
    files.write_mg(folder / "tomo-j2k.dcm", stack, sop_class=tomo, transfer_syntax=files.J2K, **groups)
    _fragmented(folder, stack)


def _shared() -> Dataset:
    shared, anatomy, measures, voi = Dataset(), Dataset(), Dataset(), Dataset()
    anatomy.FrameLaterality = "L"
    shared.FrameAnatomySequence = [anatomy]
    measures.PixelSpacing, measures.SliceThickness = [0.1, 0.1], 1
    shared.PixelMeasuresSequence = [measures]
    voi.WindowCenter, voi.WindowWidth = 2000, 3000
    shared.FrameVOILUTSequence = [voi]
    return shared


def _each(frames: int) -> list[Dataset]:
    groups = []
    for number in range(frames):
        group, position = Dataset(), Dataset()
        position.ImagePositionPatient = [0, 0, number]
        group.PlanePositionSequence = [position]
        groups.append(group)
    return groups


def _fragmented(folder: Path, stack: np.ndarray) -> None:
    """Write frames in several fragments with a Basic Offset Table, and with an Extended Offset Table."""
    frames = [files.encode_frame(frame, files.J2K, 12) for frame in stack]
    path = files.write_mg(folder / "fragments.dcm", stack, transfer_syntax=str(JPEG2000Lossless))
    ds = pydicom.dcmread(path)
    ds.PixelData = encapsulate(frames, fragments_per_frame=3)
    ds["PixelData"].is_undefined_length = True
    ds.save_as(path)
    ds.PixelData, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(frames)
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    ds.save_as(out)
    (folder / "extended-offsets.dcm").write_bytes(out.getvalue())

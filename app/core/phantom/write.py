"""Phantom exams as DICOM files: any transfer syntax, orientation and photometric interpretation."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from app.core.phantom.detector import BITS
from app.core.phantom.encode import LOSSY, TRANSFER_SYNTAXES, most_bits, save
from app.core.phantom.exam import PhantomExam, PhantomView
from app.core.phantom.header import Intent, Photometric, make_header, uid
from app.core.phantom.stored import Orientation, turn_view

Voi = Literal["window", "sigmoid", "lut", "none"]
WINDOWS = (("NORMAL", 1800, 2500), ("HARDER", 1850, 1900), ("SOFTER", 1850, 3400))
"""Name, centre and width offered, for MONOCHROME2 values."""
_RAW_BITS = 14


def write_exam(exam: PhantomExam, folder: Path, **options: Any) -> list[Path]:
    """Write all views of an exam (and not its prior) and the truth; return the paths of the images.

    Parameters
    ----------
    exam
        From `make_exam`.
    folder
        Made if missing. Receives ``RCC.dcm`` ... and ``truth.json``.
    **options
        As of `write_view`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{view.label}.dcm" for view in exam.views]
    # The encoders let go of the interpreter, so two threads use two cores.
    with ThreadPoolExecutor(2) as pool:
        written = list(pool.map(lambda view, path: write_view(view, path, **options), exam.views, paths))
    truth = [
        _truth_entry(path.name, sop_uid, stored)
        for path, (stored, sop_uid) in zip(paths, written, strict=True)
    ]
    lesions = [
        {
            "kind": lesion.kind,
            "label": lesion.label,
            "laterality": lesion.side,
            "depth_mm": round(lesion.position.depth, 2),
            "lateral_mm": round(lesion.position.lateral, 2),
            "superior_mm": round(lesion.position.superior, 2),
            "diameter_mm": round(lesion.diameter_mm, 2),
        }
        for lesion in exam.lesions
    ]
    text = {
        "format": "mammoview-phantom-truth",
        "version": 1,
        "seed": exam.seed,
        "density": exam.density,
        "lesions": lesions,
        "views": truth,
    }
    (folder / "truth.json").write_text(json.dumps(text, indent=1), encoding="utf-8")
    return paths


def _truth_entry(name: str, sop_uid: str, view: PhantomView) -> dict[str, Any]:
    findings = [
        {"kind": mark.kind, "label": mark.label, "lesion": mark.lesion, "box": list(mark.box)}
        for mark in view.truth
    ]
    return {
        "path": name,
        "sop_uid": sop_uid,
        "laterality": view.side,
        "view": view.view,
        "nipple": [round(place, 2) for place in view.nipple],
        "findings": findings,
    }


def write_view(
    view: PhantomView,
    path: Path,
    *,
    transfer_syntax: str = ExplicitVRLittleEndian,
    orientation: Orientation | None = None,
    photometric: Photometric = "MONOCHROME2",
    padding: bool = True,
    voi: Voi = "window",
    intent: Intent = "presentation",
) -> tuple[PhantomView, str]:
    """Write one view as Digital Mammography X-Ray Image; return it as stored, and its SOP Instance UID.

    Parameters
    ----------
    view, path
        What, and where.
    transfer_syntax
        One of `TRANSFER_SYNTAXES`. JPEG baseline holds 8 bits, so the values lose their lowest four.
        Lossy ones leave the picture and its truth alone, and their padding is a range.
    orientation
        (row, column) letters of Patient Orientation, one of `stored_orientations`; None is canonical.
    photometric
        MONOCHROME1 stores the complement, so that the picture is the same.
    padding
        Name the background in Pixel Padding Value; else it is air with a little noise, and unnamed.
    voi
        Three linear windows, three sigmoid ones, one lookup table, or nothing.
    intent
        ``processing`` stores the detector's signal instead (14 bits, linear in exposure, no VOI).

    Returns
    -------
    PhantomView, str
        The view with pixels, truth and nipple in stored orientation (`pixels` still as For Presentation
        MONOCHROME2 values), and the UID.

    Raises
    ------
    ValueError
        For a transfer syntax or an orientation that cannot be written; for JPEG with the intent
        ``processing``, whose 14 bits it does not hold.
    """
    if str(transfer_syntax) not in TRANSFER_SYNTAXES:
        raise ValueError(f"phantoms cannot be written as {transfer_syntax}")
    stored = turn_view(view, orientation or view.orientation)
    values, bits = _values(stored.pixels, photometric, padding, intent)
    most = most_bits(transfer_syntax)
    if bits > most:
        if intent == "processing":
            raise ValueError(f"{transfer_syntax} holds {most} bits, not {bits}")
        values, bits = values >> np.uint16(bits - most), most
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    # Other pixels are another image (PS3.3 C.7.6.1.1.5); other bytes for the same pixels are not.
    kind = (transfer_syntax,) if transfer_syntax in LOSSY else ()
    sop_uid = uid("image", view.subject.seed, view.subject.key, digest, voi, intent, photometric, *kind)
    ds = make_header(stored, intent, sop_uid)
    _grey(ds, photometric, bits, intent, voi)
    if padding:
        _padding(ds, values, 0 if photometric == "MONOCHROME2" else 2**bits - 1, transfer_syntax in LOSSY)
    save(ds, values, path, str(transfer_syntax))
    return stored, str(sop_uid)


def _values(
    pixels: npt.NDArray[np.uint16], photometric: Photometric, padding: bool, intent: Intent
) -> tuple[npt.NDArray[np.uint16], int]:
    """Return the values to store and how many bits they take."""
    values = pixels if padding else _air(pixels)
    values, bits = (values, BITS) if intent == "presentation" else (_raw(values), _RAW_BITS)
    # The raw signal is brightest in air, so there MONOCHROME1 is the value itself.
    if (photometric == "MONOCHROME1") == (intent == "presentation"):
        values = (2**bits - 1 - values).astype(np.uint16)
    return values, bits


def _air(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return the values with air instead of padding: a dark, faintly noisy background."""
    noise = np.random.default_rng(0).integers(0, 24, values.shape, dtype=np.uint16)
    return np.where(values == 0, noise, values)


def _raw(values: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Return what the detector might have counted: less where the breast is denser, most in air."""
    table = 150 + 15500 * np.exp(np.arange(2**BITS) / -1250.0)
    table[0] = 2**_RAW_BITS - 1  # padding, kept apart from every count
    raw: npt.NDArray[np.uint16] = np.rint(table).astype(np.uint16)[values]
    return raw


def _padding(ds: Dataset, values: npt.NDArray[np.uint16], named: int, lossy: bool) -> None:
    """Name the padding; where values change a little, a range half way to the nearest value of the breast."""
    # US or SS elements: bytes as Pixel Representation says, here unsigned.
    ds.add_new("PixelPaddingValue", "US", named)
    if lossy:
        nearest = int(np.abs(values[values != named].astype(np.int32) - named).min())
        reach = (nearest - 1) // 2
        ds.add_new("PixelPaddingRangeLimit", "US", named + reach if named == 0 else named - reach)


def _grey(ds: Dataset, photometric: Photometric, bits: int, intent: Intent, voi: Voi) -> None:
    """Set everything that says what a stored value means."""
    complement = photometric == "MONOCHROME1"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    allocated = 8 if bits == 8 else 16
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = allocated, bits, bits - 1, 0
    ds.PresentationLUTShape = "INVERSE" if complement else "IDENTITY"
    ds.PixelIntensityRelationship = "LOG" if intent == "presentation" else "LIN"
    # +1: a larger value means more X-rays (PS3.3 C.8.11.3.1.2), that is, less tissue.
    ds.PixelIntensityRelationshipSign = 1 if complement else -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.LossyImageCompression = "00"
    if intent == "processing" or voi == "none":
        return
    top = 2**bits - 1
    if voi == "lut":
        ds.VOILUTSequence = Sequence([_lut(complement, bits)])
        ds.VOILUTFunction = "LINEAR"  # the IHE profile wants it even where there is no window
        return
    windows = [_window(centre, width, bits, voi == "sigmoid") for _, centre, width in WINDOWS]
    # LINEAR is centred half a value lower than its centre says (PS3.3 C.11.2.1.2.1), SIGMOID is not.
    mirror = top if voi == "sigmoid" else top + 1
    ds.WindowCenter = [f"{mirror - centre if complement else centre:.10g}" for centre, _ in windows]
    ds.WindowWidth = [f"{width:.10g}" for _, width in windows]
    ds.WindowCenterWidthExplanation = [name for name, _, _ in WINDOWS]
    ds.VOILUTFunction = "LINEAR" if voi == "window" else "SIGMOID"


def _window(centre: float, width: float, bits: int, sigmoid: bool) -> tuple[float, float]:
    """Return a window for values of fewer bits: value v stands for the middle of the `step` it came from."""
    step, half = 2 ** (BITS - bits), (2 ** (BITS - bits) - 1) / 2
    if sigmoid:
        return (centre - half) / step, round(0.75 * width) / step
    return (centre - 0.5 - half) / step + 0.5, (width - 1) / step + 1


def _lut(complement: bool, bits: int) -> Dataset:
    """Return a smooth S-shaped table of one entry of 12 bits for each value."""
    step = 2 ** (BITS - bits)
    values = np.arange(2**bits) * step + (step - 1) / 2
    curve = 4095 / (1 + np.exp(-4 * (values - 1750) / 1500.0))
    data = np.rint(curve).astype(np.uint16)
    if complement:
        data = (4095 - data)[::-1]
    item = Dataset()
    item.LUTDescriptor = [2**bits, 0, BITS]
    item.LUTExplanation = "STANDARD"
    item.add_new("LUTData", "OW", data.astype("<u2").tobytes())
    return item

"""What kind of image it is: whether it is a mammogram at all, its source, and what it is meant for."""

from __future__ import annotations

import re
from typing import Literal

from pydicom.dataset import Dataset
from pydicom.uid import UID

from app.core.dicom.codes import BREAST, VIEWS, code_value
from app.core.dicom.elements import items, text, texts, walk
from app.core.dicom.naming import parse
from app.core.imaging.image import Intent, Source

MG_PRESENTATION = "1.2.840.10008.5.1.4.1.1.1.2"
MG_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.2.1"
TOMOSYNTHESIS = "1.2.840.10008.5.1.4.1.1.13.1.3"
MAMMOGRAPHY = frozenset({MG_PRESENTATION, MG_PROCESSING, TOMOSYNTHESIS})
SECONDARY_CAPTURE = frozenset(
    {"1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.7.2", "1.2.840.10008.5.1.4.1.1.7.3"}
)
PROJECTION = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography
        "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray, For Presentation
        "1.2.840.10008.5.1.4.1.1.1.1.1",  # Digital X-Ray, For Processing
    }
)
PHANTOM_MAKER = "Mammoview phantom"

_MODALITIES = frozenset({"MG", "CR", "DX", "OT", "RG", "DG", "SC", "XC", ""})
_WORDS = re.compile(r"mammo|breast|brust|sein|mamma\b", re.IGNORECASE)
_SYNTHETIC = re.compile(r"c-?view|s-?view|v-?preview|synth|intelligent ?2d|insight ?2d", re.IGNORECASE)
_MASK = re.compile(r"\broi mask", re.IGNORECASE)
_FILM = re.compile(r"film|digiti[sz]", re.IGNORECASE)


def why_not_mammogram(ds: Dataset) -> str | None:
    """Return why the object is left out (what it is instead), None if it is a mammogram.

    Mammography and tomosynthesis objects always are; CR, DX and Secondary Capture if the modality is
    MG or if anatomy, view code, positioner, description or orientation speak of a breast.
    """
    sop_class = text(ds, "SOPClassUID") or text(ds, "MediaStorageSOPClassUID")
    modality = text(ds, "Modality").upper()
    if _MASK.search(text(ds, "SeriesDescription")):
        return "is a mask of a region of interest, not a mammogram"
    if sop_class in MAMMOGRAPHY:
        return None
    if sop_class in SECONDARY_CAPTURE | PROJECTION or (not sop_class and modality == "MG"):
        if modality == "MG" or (modality in _MODALITIES and _speaks_of_breast(ds)):
            return None
        return f"is not a mammogram ({class_name(sop_class)}, modality {modality or 'not stated'})"
    if not sop_class and not modality:
        return "is not a DICOM image (no SOP class, no modality)"
    return f"is not a mammogram ({class_name(sop_class) if sop_class else f'modality {modality}'})"


def class_name(sop_class: str) -> str:
    """Return the name of a SOP class, or the UID if it has none."""
    return str(UID(sop_class).name)[:80]


def spacing_rule(ds: Dataset) -> Literal["mammography", "other"]:
    """Return which of the two rules for millimetres holds (see `app.core.dicom.spacing`)."""
    sop_class = text(ds, "SOPClassUID")
    if sop_class in SECONDARY_CAPTURE | PROJECTION:
        return "other"
    return "mammography"


def read_source(ds: Dataset) -> Source:
    """Return where the pixels come from, as a model's training domain names it."""
    sop_class = text(ds, "SOPClassUID")
    if text(ds, "Manufacturer") == PHANTOM_MAKER:
        return "phantom"
    kinds = [one.upper() for one in texts(ds, "ImageType")]
    frame_kinds = [
        one.upper()
        for frame in walk(ds, "SharedFunctionalGroupsSequence", "XRay3DFrameTypeSequence")
        for one in texts(frame, "FrameType")
    ]
    words = " ".join(text(ds, key) for key in ("SeriesDescription", "DerivationDescription", "ProtocolName"))
    if "GENERATED_2D" in kinds or "GENERATED_2D" in frame_kinds or _SYNTHETIC.search(words):
        return "synthetic2d"
    if sop_class == TOMOSYNTHESIS:
        return "dbt"
    if _is_film(ds, sop_class, words):
        return "film"
    if sop_class in (MG_PRESENTATION, MG_PROCESSING):
        return "ffdm"
    return "unknown"


def read_intent(ds: Dataset) -> Intent | None:
    """Return Presentation Intent Type (0008,0068), else what the SOP class says."""
    stated = text(ds, "PresentationIntentType").upper()
    if stated == "FOR PRESENTATION":
        return "presentation"
    if stated == "FOR PROCESSING":
        return "processing"
    sop_class = text(ds, "SOPClassUID")
    if sop_class in (MG_PROCESSING, "1.2.840.10008.5.1.4.1.1.1.1.1"):
        return "processing"
    return "presentation" if sop_class in (MG_PRESENTATION, TOMOSYNTHESIS) else None


def _speaks_of_breast(ds: Dataset) -> bool:
    if text(ds, "BodyPartExamined").upper() in ("BREAST", "MAMMA"):
        return True
    if text(ds, "PositionerType").upper() == "MAMMOGRAPHIC":
        return True
    if any(code_value(one) in BREAST for one in items(ds, "AnatomicRegionSequence")):
        return True
    if any(code_value(one) in VIEWS for one in items(ds, "ViewCodeSequence")):
        return True
    if any(parse(one).view for one in texts(ds, "PatientOrientation")):
        return True
    descriptions = (
        "StudyDescription",
        "SeriesDescription",
        "ProtocolName",
        "PerformedProcedureStepDescription",
    )
    return any(_WORDS.search(text(ds, key)) for key in descriptions)


def _is_film(ds: Dataset, sop_class: str, words: str) -> bool:
    if text(ds, "ConversionType").upper() == "DF" or text(ds, "DetectorType").upper() == "FILM":
        return True
    if text(ds, "NominalScannedPixelSpacing") or _FILM.search(words) or "DDSM" in text(ds, "StudyID").upper():
        return True
    return sop_class in SECONDARY_CAPTURE

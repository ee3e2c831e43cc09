"""The corner texts of the IHE mammography profile's full set, in its order and with its units."""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset

from app.core.dicom.codes import meaning
from app.core.dicom.elements import as_date, as_time, items, number, text, walk
from app.core.dicom.patient import person_name

Pairs = list[tuple[str, str]]


def read_corner(
    ds: Dataset, *, age: str, partial: tuple[str, ...], implant: bool
) -> tuple[tuple[str, str], ...]:
    """Return (name, text) of every fact of the set that the file states.

    Parameters
    ----------
    age, partial, implant
        As repaired by the reader.

    Notes
    -----
    Units as shown: Exposure Time ms, Exposure mAs, KVP kV, Compression Force N, Body Part Thickness mm,
    Positioner Primary Angle degrees, Entrance Dose mGy, Organ Dose mGy (the file states dGy).
    """
    found = [
        ("Patient name", person_name(text(ds, "PatientName"))),
        ("Patient ID", text(ds, "PatientID")),
        ("Sex", text(ds, "PatientSex")),
        ("Birth date", _day(text(ds, "PatientBirthDate"))),
        ("Age", age),
        ("Study ID", text(ds, "StudyID")),
        ("Accession", text(ds, "AccessionNumber")),
        ("Series", text(ds, "SeriesNumber")),
        ("Image", text(ds, "InstanceNumber")),
        ("Acquired", _acquired(ds)),
        *_device(ds),
        *_technique(ds),
        ("Operator", _people(ds, "OperatorsName")),
        ("Reason", _reason(ds)),
        ("Partial view", f"PARTIAL {' '.join(partial).upper()}" if partial else ""),
        ("Implant", "IMPLANT" if implant else ""),
    ]
    return tuple((name, words) for name, words in found if words)


def _device(ds: Dataset) -> Pairs:
    return [
        ("Manufacturer", text(ds, "Manufacturer")),
        ("Model", text(ds, "ManufacturerModelName")),
        ("Serial number", text(ds, "DeviceSerialNumber")),
        ("Station", text(ds, "StationName")),
        ("Detector", text(ds, "DetectorID")),
        ("Institution", text(ds, "InstitutionName")),
        ("Address", text(ds, "InstitutionAddress")),
    ]


def _technique(ds: Dataset) -> Pairs:
    return [
        (
            "Target / filter",
            " / ".join(one for one in (_word(ds, "AnodeTargetMaterial"), _word(ds, "FilterMaterial")) if one),
        ),
        ("Compression", _unit(ds, "CompressionForce", "N")),
        ("Thickness", _unit(ds, "BodyPartThickness", "mm")),
        ("Angle", _unit(ds, "PositionerPrimaryAngle", "°", space="")),
        ("Relative exposure", _unit(ds, "RelativeXRayExposure", "", space="")),
        ("Tube voltage", _unit(ds, "KVP", "kV")),
        ("Exposure", _unit(ds, "Exposure", "mAs")),
        (
            "Exposure time",
            _unit(ds, "ExposureTime", "ms") or _unit(ds, "ExposureTimeInuS", "ms", lambda us: us / 1000),
        ),
        # PS3.3 C.8.11.7: Organ Dose is in dGy; 1 dGy = 100 mGy.
        ("Organ dose", _unit(ds, "OrganDose", "mGy", lambda dgy: dgy * 100)),
        ("Entrance dose", _unit(ds, "EntranceDoseInmGy", "mGy")),
    ]


def _holders(ds: Dataset) -> list[Dataset]:
    """Return where technique can stand: the data set, and a tomosynthesis object's acquisitions."""
    acquisitions = list(walk(ds, "XRay3DAcquisitionSequence"))
    projections = list(walk(ds, "XRay3DAcquisitionSequence", "PerProjectionAcquisitionSequence"))
    return [ds, *acquisitions[:1], *projections[:1]]


def _unit(ds: Dataset, keyword: str, unit: str, convert: Callable[[float], float] | None = None, *,
          space: str = " ") -> str:  # fmt: skip
    for holder in _holders(ds):
        found = number(holder, keyword)
        if found is not None:
            shown = convert(found) if convert else found
            return f"{shown:{'.0f' if abs(shown) >= 1000 else '.4g'}}{space}{unit}"
    return ""


def _word(ds: Dataset, keyword: str) -> str:
    return next((words for holder in _holders(ds) if (words := text(holder, keyword))), "")


def _people(ds: Dataset, keyword: str) -> str:
    return "; ".join(person_name(one) for one in text(ds, keyword).split("\\") if one)


def _reason(ds: Dataset) -> str:
    coded = [meaning(one) for one in items(ds, "ReasonForRequestedProcedureCodeSequence")]
    for request in items(ds, "RequestAttributesSequence"):
        coded += [meaning(one) for one in items(request, "ReasonForRequestedProcedureCodeSequence")]
        coded.append(text(request, "ReasonForTheRequestedProcedure"))
    return "; ".join(dict.fromkeys(one for one in coded if one))


def _day(raw: str) -> str:
    found = as_date(raw)
    return found.isoformat() if found else ""


def _acquired(ds: Dataset) -> str:
    day, clock = as_date(text(ds, "AcquisitionDate")), as_time(text(ds, "AcquisitionTime"))
    if day is None:
        return ""
    return f"{day.isoformat()} {clock.strftime('%H:%M:%S')}" if clock else day.isoformat()

"""Who and when: patient, dates and times, repaired."""

from __future__ import annotations

from datetime import date, datetime, time

from pydicom.dataset import Dataset

from app.core.dicom.elements import as_date, as_time, text
from app.core.imaging.image import Note, PatientFacts

_SEXES = {"M": "M", "F": "F", "O": "O", "MALE": "M", "FEMALE": "F", "OTHER": "O"}
_LIMITS = {
    "PatientID": 64,
    "IssuerOfPatientID": 64,
    "PatientName": 324,
    "AccessionNumber": 16,
    "StudyDescription": 64,
    "Manufacturer": 64,
    "ManufacturerModelName": 64,
    "StudyInstanceUID": 64,
    "SOPInstanceUID": 64,
}
"""Longest values of PS3.5 6.2; a Person Name has five components of 64."""

LONGEST = 512
"""Text past this many characters is cut: nobody reads it, and it may be garbage."""


def read_patient(ds: Dataset) -> tuple[PatientFacts, tuple[Note, ...]]:
    """Return the patient and what was repaired (``birth-date-invalid``, ``value-too-long``)."""
    notes: list[Note] = []
    raw_birth = text(ds, "PatientBirthDate")
    birth = as_date(raw_birth)
    if raw_birth and birth is None:
        notes.append(
            Note("birth-date-invalid", f"The birth date '{raw_birth[:16]}' is not a date.", "warning")
        )
    long = [keyword for keyword, limit in _LIMITS.items() if len(text(ds, keyword)) > limit]
    if long:
        words = f"Longer than the standard allows: {', '.join(long)}."
        notes.append(Note("value-too-long", words))
    facts = PatientFacts(
        id=text(ds, "PatientID")[:LONGEST],
        issuer=text(ds, "IssuerOfPatientID")[:LONGEST],
        name=person_name(text(ds, "PatientName"))[:LONGEST],
        birth_date=birth,
        sex=_SEXES.get(text(ds, "PatientSex").upper(), ""),
    )
    return facts, tuple(notes)


def person_name(raw: str) -> str:
    """Return a Person Name (PS3.5 6.2.1) as written on an image: ``Doe, Jane Mary``.

    Of the alphabetic, ideographic and phonetic groups the first that is not empty.
    """
    group = next((one for one in raw.split("=") if one.strip("^ ")), "")
    family, given, middle, prefix, suffix = (*(part.strip() for part in group.split("^")[:5]), *[""] * 5)[:5]
    first = " ".join(part for part in (prefix, given, middle) if part)
    return ", ".join(part for part in (family, first, suffix) if part)


def read_study_date(ds: Dataset) -> tuple[date | None, tuple[Note, ...]]:
    """Return the date of the study, else of the acquisition, series or content (``date-invalid``)."""
    notes: list[Note] = []
    for keyword in ("StudyDate", "AcquisitionDate", "SeriesDate", "ContentDate"):
        raw = text(ds, keyword)
        found = as_date(raw)
        if found is not None:
            return found, tuple(notes)
        if raw:
            notes.append(Note("date-invalid", f"{keyword} '{raw[:16]}' is not a date.", "warning"))
    return None, tuple(notes)


def read_acquired(ds: Dataset) -> datetime | None:
    """Return when the image was acquired: acquisition, else content, series or study date and time."""
    whole = text(ds, "AcquisitionDateTime")
    day = as_date(whole[:8])
    if day is not None:
        # A time zone suffix does not change the local time that is shown.
        clock = whole[8:].partition("+")[0].partition("-")[0]
        return datetime.combine(day, as_time(clock) or time())
    for kind in ("Acquisition", "Content", "Series", "Study"):
        day = as_date(text(ds, f"{kind}Date"))
        if day is not None:
            return datetime.combine(day, as_time(text(ds, f"{kind}Time")) or time())
    return None


def read_age(ds: Dataset, birth: date | None, at: date | None) -> str:
    """Return the age as written on the image (``64 y``, ``18 m``), else from the birth date, else ""."""
    raw = text(ds, "PatientAge").upper()
    if raw[-1:] in ("Y", "M", "W", "D") and raw[:-1].isdigit() and int(raw[:-1]) > 0:
        return f"{int(raw[:-1])} {raw[-1].lower()}"
    if birth is None or at is None or at < birth:
        return ""
    years = at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))
    return f"{years} y"

"""Who is named on the screen: as the files say, or under a code when names are masked for teaching."""

from __future__ import annotations

import hashlib
from typing import Final

from app.core.imaging.image import Image, PatientFacts, Study
from app.ui import wording

IDENTIFYING: Final = frozenset(
    {
        "Patient name",
        "Patient ID",
        "Birth date",
        "Study ID",
        "Accession",
        "Operator",
        "Institution",
        "Address",
        "Station",
        "Serial number",
        "Detector",
    }
)
"""Names of the corner texts (`app.core.dicom.corner`) that lead to a person."""
PICTURES: Final = "Pictures"
"""Stands for a folder's name, which may hold anything."""
UNREAD: Final = "This image could not be read."
"""Stands for a sentence that names a file."""


def person(facts: PatientFacts, *, masked: bool = False) -> str:
    """Return the name as written in lists; masked: a code that stays the same for the same person."""
    if not masked:
        return wording.person(facts)
    words = "\n".join((facts.issuer, facts.id, facts.name, str(facts.birth_date)))
    return f"Case {hashlib.sha256(words.encode('utf-8', 'surrogateescape')).hexdigest()[:4].upper()}"


def of_study(study: Study, *, masked: bool = False) -> str:
    """Return whose images a study holds: the person, of loose pictures the folder they lie in."""
    if not wording.of_nobody(study):
        return person(study.patient, masked=masked)
    return PICTURES if masked else study.images[0].path.parent.name


def number(facts: PatientFacts, *, masked: bool = False) -> str:
    """Return the patient id, nothing when masked."""
    return "" if masked else facts.id


def corner(image: Image, *, masked: bool = False) -> tuple[tuple[str, str], ...]:
    """Return the corner texts of the full set, without those that lead to a person when masked."""
    return tuple(each for each in image.corner if not (masked and each[0] in IDENTIFYING))


def label(image: Image, *, masked: bool = False) -> str:
    """Return the view label, else the file's name, which may hold anything: not when masked."""
    return image.label or "No view" if masked else wording.label(image)


def of_image(image: Image, *, masked: bool = False) -> str:
    """Return who an image is of: name, else id, else its file."""
    if masked:
        return person(image.patient, masked=True)
    return wording.person(image.patient) if image.patient.name else image.patient.id or image.path.name

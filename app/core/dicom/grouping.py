"""Images to studies to patients.

Same patient = same issuer and patient id, with no contradiction in name, birth date or sex. Empty,
all-zero and placeholder ids never join: there each study stands for a patient of its own. Two patients
who share an id stay two, and a record that says too little to choose between them goes to neither. The
result does not depend on the order of the files.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from app.core.dicom.persons import Record, joins, merged, name_key, persons, record_of
from app.core.dicom.picture_exams import assigned
from app.core.imaging.image import Image, Patient, PatientFacts, Study

_EARLIEST = date(1, 1, 1)


def group(images: Iterable[Image]) -> tuple[Patient, ...]:
    """Return patients in the order of their names, their studies newest first, images as acquired.

    Notes
    -----
    A study whose images contradict each other is split: its images never go under another's name.
    Pictures that are no DICOM are first put into exams by `app.core.dicom.picture_exams.assigned`.
    """
    shares: dict[tuple[str, str, str], list[Image]] = {}
    for image in sorted(assigned(images), key=lambda one: one.key):
        bucket = (_study_identity(image), image.patient.issuer, image.patient.id)
        shares.setdefault(bucket, []).append(image)
    people: dict[tuple[object, ...], list[Study]] = {}
    for number, study in enumerate(study for share in shares.values() for study in _studies(share)):
        facts = study.patient
        key: tuple[object, ...] = (facts.issuer, facts.id) if joins(facts.id) else ("alone", number)
        people.setdefault(key, []).append(study)
    found = [patient for studies in people.values() for patient in _patients(studies)]
    found.sort(key=_listing_order)
    return _with_own_keys(found)


def _study_identity(image: Image) -> str:
    """Return what holds the images of a study together besides the person.

    Without a Study Instance UID a person's images of one day in one folder are a study; where no id tells
    the person, only the series is sure, and without that the file alone.
    """
    if image.study_uid:
        return image.study_uid
    if joins(image.patient.id):
        return f"{image.study_date}\n{image.path.parent}"
    return image.series_uid or str(image.path)


def _studies(share: list[Image]) -> list[Study]:
    """Return the studies of images with one study identity, issuer and id: one for each person."""
    records = [record_of(image.patient) for image in share]
    whose = persons(records)
    parts: dict[tuple[int | None, Record | None], list[Image]] = {}
    for image, record in zip(share, records, strict=True):
        person = whose[record]
        # Images that fit several of the people under this UID stay with their own kind.
        parts.setdefault((person, record if person is None else None), []).append(image)
    return [_study(images) for images in parts.values()]


def _patients(studies: list[Study]) -> list[Patient]:
    """Return the patients of studies with one issuer and id; a study that fits several stays alone."""
    records = [record_of(study.patient) for study in studies]
    whose = persons(records)
    parts: dict[tuple[int | None, int | None], list[Study]] = {}
    for number, (study, record) in enumerate(zip(studies, records, strict=True)):
        person = whose[record]
        parts.setdefault((person, number if person is None else None), []).append(study)
    return [_patient(part) for part in parts.values()]


def _patient(studies: list[Study]) -> Patient:
    newest_first = sorted(studies, key=lambda study: (study.date or _EARLIEST, study.uid), reverse=True)
    return Patient(_fullest([study.patient for study in newest_first]), tuple(newest_first))


def _study(images: list[Image]) -> Study:
    ordered = sorted(images, key=_acquisition_order)
    dates = [image.study_date for image in ordered if image.study_date]
    descriptions = [image.study_description for image in ordered if image.study_description]
    return Study(
        uid=ordered[0].study_uid,
        patient=_fullest([image.patient for image in ordered]),
        date=min(dates) if dates else None,
        images=tuple(ordered),
        description=descriptions[0] if descriptions else "",
        key=_key(images),
    )


def _key(images: list[Image]) -> str:
    """Return the key of a study: a hash of patient and identity, the same on every run."""
    facts = images[0].patient
    name, birth_date, sex = merged(record_of(image.patient) for image in images)
    parts = (facts.issuer, facts.id, name or "", birth_date or "", sex or "", _study_identity(images[0]))
    # Each part with its length, so that no two different lists make one text.
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _with_own_keys(patients: list[Patient]) -> tuple[Patient, ...]:
    """Return the patients with a number added to any study key that came before."""
    met: Counter[str] = Counter()
    found: list[Patient] = []
    for patient in patients:
        studies: list[Study] = []
        for study in patient.studies:
            met[study.key] += 1
            again = met[study.key]
            studies.append(study if again == 1 else replace(study, key=f"{study.key}-{again}"))
        found.append(replace(patient, studies=tuple(studies)))
    return tuple(found)


def _listing_order(patient: Patient) -> tuple[str, str, str, str]:
    first = min(image.key for study in patient.studies for image in study.images)
    return (name_key(patient.facts.name), patient.facts.id, *first)


def _acquisition_order(image: Image) -> tuple[datetime, str, str]:
    return (image.acquired or datetime.min, str(image.path), image.sop_uid)


def _fullest(all_facts: list[PatientFacts]) -> PatientFacts:
    """Return one record with what any of them says; they do not contradict each other."""
    first = all_facts[0]
    return PatientFacts(
        id=first.id,
        issuer=first.issuer,
        name=next((facts.name for facts in all_facts if facts.name), ""),
        birth_date=next((facts.birth_date for facts in all_facts if facts.birth_date), None),
        sex=next((facts.sex for facts in all_facts if facts.sex), ""),
    )

"""Images to studies to patients.

Same patient = same issuer and patient id, with no contradiction in name, birth date or sex. Empty,
all-zero and placeholder ids never join: there each study stands for a patient of its own. Two patients
who share an id stay two.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from app.core.imaging.image import Image, Patient, PatientFacts, Study

_PLACEHOLDERS = frozenset(
    {
        "UNKNOWN",
        "UNKNOWNID",
        "UNK",
        "ANONYMOUS",
        "ANONYMIZED",
        "ANONYMISED",
        "ANON",
        "NA",
        "NONE",
        "NULL",
        "NIL",
        "NOID",
        "NOTAVAILABLE",
        "NOTAPPLICABLE",
        "DUMMY",
        "DEFAULT",
        "TEST",
        "PATIENT",
        "PATIENTID",
        "ID",
        "REMOVED",
        "DELETED",
        "UNDEFINED",
        "NAN",
        "X",
    }
)
_EARLIEST = date(1, 1, 1)


def joins(patient_id: str) -> bool:
    """Tell whether an id identifies a person: not empty, not one character repeated, no placeholder."""
    bare = re.sub(r"[^A-Z0-9]", "", _folded(patient_id))
    if not bare:
        # An id in another script is an id; one of signs alone is not.
        return any(char.isalnum() for char in patient_id)
    return bare not in _PLACEHOLDERS and not (len(set(bare)) == 1 and (bare[0] in "0X" or len(bare) > 3))


def contradict(one: PatientFacts, other: PatientFacts) -> bool:
    """Tell whether two records cannot be of one person; what a record does not say contradicts nothing."""
    return (
        _differ(name_key(one.name), name_key(other.name))
        or _differ(one.birth_date, other.birth_date)
        or _differ(one.sex, other.sex)
    )


@functools.lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Return a name for comparison: case, accents, punctuation and the order of its parts do not count."""
    parts = re.split(r"[^\w]+", _folded(name))
    return " ".join(sorted(part for part in parts if part))


@dataclass(slots=True)
class _Share:
    """Images, or the studies made of them, that may be of one person, with every record met."""

    images: list[Image] = field(default_factory=list)
    studies: list[_Share] = field(default_factory=list)
    records: dict[PatientFacts, None] = field(default_factory=dict)

    def fits(self, records: Iterable[PatientFacts]) -> bool:
        """Tell whether no record contradicts one that is here."""
        return not any(contradict(one, other) for one in records for other in self.records)


def group(images: Iterable[Image]) -> tuple[Patient, ...]:
    """Return patients in the order of their names, their studies newest first, images as acquired.

    Notes
    -----
    A study whose images contradict each other is split: its images never go under another's name.
    """
    studies: dict[tuple[str, ...], list[_Share]] = {}
    for image in images:
        uid = image.study_uid or f"{image.patient.id}\n{image.study_date}\n{image.path.parent}"
        shares = studies.setdefault((uid, image.patient.issuer, image.patient.id), [])
        share = next(
            (one for one in shares if image.patient in one.records or one.fits([image.patient])), None
        )
        if share is None:
            share = _Share()
            shares.append(share)
        share.images.append(image)
        share.records[image.patient] = None
    persons: dict[tuple[object, ...], list[_Share]] = {}
    for number, study in enumerate(share for shares in studies.values() for share in shares):
        facts = study.images[0].patient
        key: tuple[object, ...] = (facts.issuer, facts.id) if joins(facts.id) else ("alone", number)
        _join(study, persons.setdefault(key, []))
    found = [_patient(person) for people in persons.values() for person in people]
    return tuple(sorted(found, key=lambda patient: (name_key(patient.facts.name), patient.facts.id)))


def _join(study: _Share, people: list[_Share]) -> None:
    """Add a study to the one person whom it fits; where it fits several, to none of them."""
    fitting = [person for person in people if person.fits(study.records)]
    if len(fitting) == 1:
        person = fitting[0]
    else:
        person = _Share()
        people.append(person)
    person.studies.append(study)
    person.records.update(study.records)


def _patient(person: _Share) -> Patient:
    made = [_study(study.images) for study in person.studies]
    made.sort(key=lambda study: (study.date or _EARLIEST, study.uid), reverse=True)
    return Patient(_fullest([study.patient for study in made]), tuple(made))


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
    )


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


def _differ(one: object, other: object) -> bool:
    return bool(one) and bool(other) and one != other


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).upper()

"""Earlier studies of the same patient, and what is of the same patient at all."""

from __future__ import annotations

from datetime import date

from app.core.dicom.persons import contradict, joins, record_of
from app.core.imaging.image import Collection, PatientFacts, Study

DAYS_PER_MONTH = 365.25 / 12


def priors_of(collection: Collection, study: Study) -> tuple[Study, ...]:
    """Return the earlier studies of the patient of a study, newest first; undated ones are no priors.

    What a collection holds under one patient is not taken at its word: a study with another id, or with
    a name, birth date or sex that contradicts, is no prior.
    """
    for patient in collection.patients:
        if any(other.key == study.key for other in patient.studies):
            others = [other for other in patient.studies if other.key != study.key]
            dated = [other for other in others if _earlier(other.date, study.date)]
            own = [other for other in dated if is_of_person(other, study.patient)]
            return tuple(sorted(own, key=lambda other: other.date or date.min, reverse=True))
    return ()


def is_of_person(study: Study, facts: PatientFacts) -> bool:
    """Tell whether another study, and each image of it, is of the person of some facts."""
    alike = joins(facts.id) and (study.patient.issuer, study.patient.id) == (facts.issuer, facts.id)
    return alike and all(
        can_be_of(other, facts) for other in (study.patient, *(image.patient for image in study.images))
    )


def can_be_of(said: PatientFacts, facts: PatientFacts) -> bool:
    """Tell whether what an image says of its patient does not contradict some facts.

    Not said is no contradiction: the images of one visit may have no id.
    """
    alike = not said.id or (said.issuer, said.id) == (facts.issuer, facts.id)
    return alike and not contradict(record_of(said), record_of(facts))


def prior_label(prior: date | None, current: date | None) -> str:
    """Return how long before the current study a prior was made: ``PRIOR, -24 months``.

    Whole months of 30.44 days, rounded; days under one month; ``PRIOR`` where a date is missing;
    ``LATER, +24 months`` for a study made after the current one.
    """
    if prior is None or current is None:
        return "PRIOR"
    days = abs((current - prior).days)
    sign = "PRIOR, -" if prior <= current else "LATER, +"
    months = round(days / DAYS_PER_MONTH)
    number, unit = (days, "day") if months < 1 else (months, "month")
    return f"{sign}{number} {unit}{'' if number == 1 else 's'}"


def _earlier(other: date | None, current: date | None) -> bool:
    return other is not None and current is not None and other < current

"""Which records are of one person: ids that identify, records that contradict, records that fit several.

Nothing here depends on the order in which records come.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Hashable, Iterable

from app.core.imaging.image import PatientFacts

_PLACEHOLDERS = frozenset({
    "UNKNOWN", "UNKNOWNID", "UNK", "ANONYMOUS", "ANONYMIZED", "ANONYMISED", "ANON", "NA", "NONE",
    "NULL", "NIL", "NOID", "NOTAVAILABLE", "NOTAPPLICABLE", "DUMMY", "DEFAULT", "TEST", "PATIENT",
    "PATIENTID", "ID", "REMOVED", "DELETED", "UNDEFINED", "NAN", "X",
})  # fmt: skip

Record = tuple[Hashable, ...]
"""Comparable fields of a person; an empty one (falsy) is not stated and contradicts nothing."""


def joins(patient_id: str) -> bool:
    """Tell whether an id identifies a person: not empty, not one character repeated, no placeholder."""
    bare = re.sub(r"[^A-Z0-9]", "", _folded(patient_id))
    if not bare:
        # An id in another script is an id; one of signs alone is not.
        return any(char.isalnum() for char in patient_id)
    return bare not in _PLACEHOLDERS and not (len(set(bare)) == 1 and (bare[0] in "0X" or len(bare) > 3))


@functools.lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """Return a name for comparison: case, accents, punctuation and the order of its parts do not count."""
    parts = re.split(r"[^\w]+", _folded(name))
    return " ".join(sorted(part for part in parts if part))


def record_of(facts: PatientFacts) -> Record:
    """Return what is compared of a person: name, birth date, sex."""
    return name_key(facts.name), facts.birth_date, facts.sex


def contradict(one: Record, other: Record) -> bool:
    """Tell whether two records cannot be of one person; what a record does not say contradicts nothing."""
    return any(a and b and a != b for a, b in zip(one, other, strict=True))


def merged(records: Iterable[Record]) -> Record:
    """Return one record with what any says, of records none of which contradict another."""
    return tuple(next((field for field in fields if field), None) for fields in zip(*records, strict=True))


def persons(records: Iterable[Record]) -> dict[Record, int | None]:
    """Tell for every distinct record of one issuer and id whose it is.

    Returns
    -------
    The number of a person for each record; None for a record that fits several persons who contradict each
    other, of whom it says too little to choose.

    Notes
    -----
    Two passes. First, records that are compatible with two contradicting ones are set aside. What is left
    falls into sets in which all agree with all, and between which all disagree: the persons. (Were a, b
    and b, c compatible and a, c not, b would have been set aside.) Then one set aside is added where
    exactly one person fits.
    """
    distinct = list(dict.fromkeys(records))
    near = {
        one: [other for other in distinct if not contradict(one, other)] for one in distinct
    }  # itself included
    between = {one for one, others in near.items() if _disagree(others)}
    found: dict[Record, int | None] = {}
    people: list[list[Record]] = []
    for one in distinct:
        if one in between or one in found:
            continue
        person = [other for other in near[one] if other not in between]
        found.update(dict.fromkeys(person, len(people)))
        people.append(person)
    for one in between:
        fitting = [number for number, person in enumerate(people) if not contradict(one, merged(person))]
        found[one] = fitting[0] if len(fitting) == 1 else None
    return found


def _disagree(records: list[Record]) -> bool:
    """Tell whether any two of the records contradict each other: a field with two stated values."""
    return any(len({field for field in fields if field}) > 1 for fields in zip(*records, strict=True))


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).upper()

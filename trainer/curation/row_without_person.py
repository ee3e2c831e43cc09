"""A manifest's row without its person: ids mapped, free words searched, what is not needed left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from app.core.dicom.identities import Identities
from app.core.dicom.pseudonyms import Pseudonyms
from app.core.manifest import NO_PATIENT, Lesion, Row
from app.core.reading.lexicon import load_lexicon
from trainer.datasets import DATASETS
from trainer.errors import TrainerError

_WORD: Final = re.compile(r"[\w][\w +/.:,()'-]{0,79}")
_DENSITY: Final = re.compile(r"[A-Da-dFG1-4]|I{1,3}|IV|")
_BIRADS: Final = re.compile(r"birads-[0-6][abc]?")
_VIEWS: Final = frozenset(
    ("CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN")
)
_PARTS: Final = frozenset({"train", "val", "test"})
_SOURCES: Final = frozenset({"ffdm", "film", "synthetic2d", "dbt", "phantom", "unknown"})
_OLDEST: Final = 89
SOURCES: Final = frozenset(
    {
        "reader report",
        "reader's verdict",
        "reader's findings",
        "label as before",
        "label as before, reader's findings",
        "read, no lesion marked",
    }
)
"""What the curated set says of its labels: words of ours, that name nobody."""


_KNOWN: Final = frozenset(
    (
        *("normal", "benign", "malignant", "lesion", "abnormal", "suspicious", "probably benign"),
        *("mass", "calcification", "calcifications", "asymmetry", "distortion", "benign_without_callback"),
        *("CIRC", "SPIC", "MISC", "ARCH", "ASYM", "CALC", "NORM", "assessment", "subtlety"),
    )
)


@dataclass(frozen=True, slots=True)
class Words:
    """Which free words may stay: known ones, and those that two patients share; none that names somebody.

    Attributes
    ----------
    names
        The identities of the whole manifest.
    shared
        Words that two patients of the manifest have in common; rows of nobody known may all be of one.
    """

    names: Identities
    shared: frozenset[str]

    def may_stay(self, word: str) -> bool:
        """Tell whether a word may stand in a table that is given away."""
        if word in _KNOWN or word in _lexicon() or _BIRADS.fullmatch(word):
            return True
        return word in self.shared and bool(_WORD.fullmatch(word)) and not self.names.within(word)


def words_of(rows: Sequence[Row], names: Identities) -> Words:
    """Return the words that may stay of a manifest's rows."""
    owners: dict[str, set[str]] = {}
    for row in rows:
        for word in _free(row) if row.patient_known else ():
            owners.setdefault(word, set()).add(row.patient_id)
    return Words(names, frozenset(word for word, patients in owners.items() if len(patients) > 1))


def _free(row: Row) -> Iterator[str]:
    yield from (row.label, row.licence)
    for lesion in row.findings:
        yield lesion.label
        for name, value in lesion.descriptors:
            yield from (name, value)


@cache
def _lexicon() -> frozenset[str]:
    """Return all words of the reports: codes of kinds, descriptors and their values."""
    kinds = load_lexicon().kinds
    groups = [group for kind in kinds for group in kind.groups]
    terms = [term.code for group in groups for term in group.terms]
    return frozenset((*(kind.code for kind in kinds), *(group.code for group in groups), *terms))


def clean_row(row: Row, pseudonyms: Pseudonyms, words: Words, *, ages: bool, vendor: str) -> Row:
    """Return a row that says nothing of who it is of.

    Parameters
    ----------
    ages
        Keep the age; above 89 it is 90.
    vendor
        What the exported file states; the row's own could say anything.

    Raises
    ------
    TrainerError
        The label may name somebody: without it the row is of no use, and with it not to be given away.
    """
    if not words.may_stay(row.label):
        raise TrainerError(
            f"{row.path}: its label is neither a known word nor shared by two patients, "
            "and may name somebody; nothing was exported"
        )
    return replace(
        row,
        image_id=pseudonyms.name("I", row.image_id),
        patient_id=_patient(row, pseudonyms),
        study_id=pseudonyms.name("S", row.study_id),
        laterality=row.laterality if row.laterality in ("L", "R", "B") else "",
        view=row.view if row.view in _VIEWS else "",
        source=row.source if row.source in _SOURCES else "unknown",
        density=row.density if _DENSITY.fullmatch(row.density) else "",
        age=_age(row.age) if ages else "",
        vendor=vendor if not words.names.within(vendor) else "",
        label_source=_source(row.label_source),
        findings=tuple(_lesion(lesion, words) for lesion in row.findings),
        official_split=" ".join(word for word in row.official_split.split() if word in _PARTS),
        licence=row.licence if words.may_stay(row.licence) else _licence(row.licence),
    )


def _patient(row: Row, pseudonyms: Pseudonyms) -> str:
    # Where nobody knows the patient every report must go on to say so.
    name = pseudonyms.name("P", row.patient_id)
    return name if row.patient_known else NO_PATIENT + name


def _licence(text: str) -> str:
    return "any: not stated" if text.startswith("any:") else "research: not stated"


def _age(text: str) -> str:
    return str(min(int(text), _OLDEST + 1)) if text.isdigit() else ""


def _source(text: str) -> str:
    """Return the adapter's name, which says how files are stored, and of our own words what they say."""
    adapter, _, said = (part.strip() for part in text.partition(":"))
    if adapter.removeprefix("curated from ") not in DATASETS:
        adapter = "other"
    return f"{adapter}: {said}" if said in SOURCES else f"{adapter}: de-identified"


def _lesion(lesion: Lesion, words: Words) -> Lesion:
    """Return a lesion by its box, in words that name nobody; its mask stays behind."""
    described = tuple(pair for pair in lesion.descriptors if all(words.may_stay(word) for word in pair))
    pathology = lesion.pathology if lesion.pathology in ("benign", "malignant") else None
    label = lesion.label if words.may_stay(lesion.label) else "lesion"
    return Lesion(label, lesion.box, None, pathology, described)

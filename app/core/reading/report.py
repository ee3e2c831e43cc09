"""The reader's statement on a study: frozen, in the codes of one lexicon (`app.core.reading.lexicon`).

Codes and numbers are kept, never sentences made from them; the words come from the lexicon when the
report is shown (`app.core.reading.report_text`). How it is written down: `app.core.reading.report_json`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from app.core.imaging.image import Image, Study
from app.core.reading.lexicon import DEFAULT, Lexicon

Exam = Literal["screening", "diagnostic"]
Breast = Literal["", "R", "L"]

BREASTS: Final[tuple[Literal["R", "L"], ...]] = ("R", "L")
"""In the order in which a report names them."""
BREAST_NAMES: Final = {"R": "Right breast", "L": "Left breast"}

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SOURCES: Final = {
    "ffdm": "Digital mammography",
    "film": "Film mammography, digitised",
    "synthetic2d": "Synthetic mammography",
    "dbt": "Digital breast tomosynthesis",
    "phantom": "Phantom exam",
    "unknown": "Mammography",
}


@dataclass(frozen=True, slots=True)
class ReportFinding:
    """One finding of the report.

    Attributes
    ----------
    uid
        Unique for good.
    kind, descriptors, associated
        Codes of the lexicon; a descriptor is (group, term), at most one for a group.
    size_mm, size_basis, size_of
        Largest extent, the plane where these millimetres hold, and the uid of the annotation it was
        measured with (empty: written by hand).
    depth
        Code of the lexicon: which third of the way from nipple to chest wall.
    nipple_mm, nipple_basis
        Distance from the nipple, in one view.
    region, clock
        Code of the quadrant (or half); hour 1..12, facing the patient.
    estimated
        Region and clock face were computed from a pair of views, or region from one; nobody confirmed them.
    marks
        Annotations of this finding, by uid.
    text
        The reader's own words.
    """

    uid: str
    laterality: Breast = ""
    kind: str = "mass"
    descriptors: tuple[tuple[str, str], ...] = ()
    associated: tuple[str, ...] = ()
    size_mm: float | None = None
    size_basis: str = ""
    size_of: str = ""
    depth: str = ""
    nipple_mm: float | None = None
    nipple_basis: str = ""
    region: str = ""
    clock: int | None = None
    estimated: bool = False
    marks: tuple[str, ...] = ()
    text: str = ""

    def described(self, group: str, term: str) -> ReportFinding:
        """Return the finding with another term of a group; an empty term takes the group away."""
        others = tuple(each for each in self.descriptors if each[0] != group)
        return replace(self, descriptors=(*others, (group, term)) if term else others)

    def term(self, group: str) -> str:
        """Return the term chosen in a group, or an empty string."""
        return dict(self.descriptors).get(group, "")


@dataclass(frozen=True, slots=True)
class Report:
    """The report on one study.

    Attributes
    ----------
    lexicon
        Name of the lexicon it was written under; it keeps that.
    right, left
        Assessment of each breast, a code of the lexicon; empty: not stated.
    overall
        Set by the reader; empty: it follows from the breasts (`app.core.reading.assessment.overall`).
    known_cancer
        A cancer proven by biopsy before this exam.
    reader, changed
        Who changed it last, and when (ISO 8601, UTC, seconds).
    """

    lexicon: str = DEFAULT
    exam: Exam = "screening"
    indication: str = ""
    technique: str = ""
    comparison: str = ""
    density: str = ""
    findings: tuple[ReportFinding, ...] = ()
    right: str = ""
    left: str = ""
    overall: str = ""
    known_cancer: bool = False
    recommendation: str = ""
    remarks: str = ""
    reader: str = ""
    changed: str = ""

    def of(self, breast: Literal["R", "L"]) -> str:
        """Return the assessment of a breast."""
        return self.right if breast == "R" else self.left

    def find(self, uid: str) -> ReportFinding | None:
        """Return the finding of that identity, or None."""
        return next((each for each in self.findings if each.uid == uid), None)

    def with_finding(self, finding: ReportFinding) -> Report:
        """Return the report with a finding put in the place of its older version, or added."""
        if self.find(finding.uid) is None:
            return replace(self, findings=(*self.findings, finding))
        news = tuple(finding if each.uid == finding.uid else each for each in self.findings)
        return replace(self, findings=news)

    def without(self, uid: str) -> Report:
        """Return the report without a finding."""
        return replace(self, findings=tuple(each for each in self.findings if each.uid != uid))


def new_uid() -> str:
    """Return an identity for a finding, unique for good."""
    return uuid.uuid4().hex


def begun(study: Study, priors: Iterable[Study] = (), lexicon: str = DEFAULT) -> Report:
    """Return a report with what the files tell: technique and comparison."""
    return Report(lexicon=lexicon, technique=technique_of(study.images), comparison=comparison_of(priors))


def normal(report: Report, lexicon: Lexicon, breasts: Iterable[str]) -> Report:
    """Return the report of a normal exam: category 1 for the breasts imaged, and what that calls for."""
    plain = lexicon.assessment("1")
    named = set(breasts)
    code = plain.code if plain else ""
    return replace(
        report,
        right=code if "R" in named else report.right,
        left=code if "L" in named else report.left,
        overall="",
        recommendation=plain.recommendation if plain else report.recommendation,
    )


def imaged(images: Iterable[Image]) -> tuple[Literal["R", "L"], ...]:
    """Return the breasts that a study shows; both where no image says which it is of."""
    found = {each.laterality for each in images}
    named = tuple(side for side in BREASTS if side in found or "B" in found)
    return named or BREASTS


def technique_of(images: Iterable[Image]) -> str:
    """Return how the images were made and which views there are, right before left."""
    every = tuple(images)
    sources = list(dict.fromkeys(_SOURCES.get(each.source, "Mammography") for each in every))
    labels = list(dict.fromkeys(each.label for each in every if each.label))
    views = sorted(labels, key=lambda label: label[:1] != "R")
    if not every:
        return ""
    made = " and ".join([sources[0], *(each[0].lower() + each[1:] for each in sources[1:])])
    implants = ", implants" if any(each.implant for each in every) else ""
    return f"{made}{implants}: {', '.join(views)}." if views else f"{made}{implants}."


def comparison_of(priors: Iterable[Study]) -> str:
    """Return the dates of the earlier exams, newest first, or that there were none."""
    days = [day(prior.date) for prior in priors if prior.date is not None]
    return f"Exams of {', '.join(days)}." if days else "No earlier exams at hand."


def day(value: date) -> str:
    """Return ``3 Nov 2026``."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"

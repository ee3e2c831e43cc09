"""A report in words, in the usual order: indication, technique, comparison, density, findings by breast,
assessment, recommendation.

The sections are made once; plain text, HTML and PDF are three ways to write them down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.reading.assessment import overall
from app.core.reading.lexicon import Lexicon, text_of
from app.core.reading.report import BREAST_NAMES, BREASTS, Report, ReportFinding

RESEARCH = "Research use only. Not for diagnosis."
NOT_SAID = "Not stated."


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of the report and its lines; `strong` ones carry the conclusion."""

    title: str
    lines: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose report it is: it stands on every page.

    Attributes
    ----------
    name, id, birth, study, accession
        As written for people; empty ones are left out.
    """

    name: str
    id: str = ""
    birth: str = ""
    study: str = ""
    accession: str = ""
    rows: tuple[tuple[str, str], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        pairs = (
            ("Patient", self.name),
            ("Patient ID", self.id),
            ("Born", self.birth),
            ("Exam", self.study),
            ("Accession", self.accession),
        )
        object.__setattr__(self, "rows", tuple(pair for pair in pairs if pair[1]))


def sections(report: Report, lexicon: Lexicon) -> tuple[Section, ...]:
    """Return the report in its usual order; what is empty and optional is left out."""
    known = ("Known cancer, proven by biopsy.",) if report.known_cancer else ()
    kind = "Screening mammogram." if report.exam == "screening" else "Diagnostic mammogram."
    found = [
        Section("Indication", (*_lines(report.indication or kind), *known)),
        Section("Technique", _lines(report.technique) or (NOT_SAID,)),
        Section("Comparison", _lines(report.comparison) or (NOT_SAID,)),
        Section("Breast density", (density_text(report, lexicon),)),
        *_findings(report, lexicon),
    ]
    found.append(Section("Assessment", _assessments(report, lexicon), strong=True))
    found.append(Section("Recommendation", _lines(report.recommendation) or (NOT_SAID,), strong=True))
    if report.remarks.strip():
        found.append(Section("Remarks", _lines(report.remarks)))
    return tuple(found)


def plain(report: Report, lexicon: Lexicon) -> str:
    """Return the report as plain text."""
    parts = [f"{section.title.upper()}\n" + "\n".join(section.lines) for section in sections(report, lexicon)]
    return "\n\n".join([*parts, signed(report), RESEARCH]) + "\n"


def signed(report: Report) -> str:
    """Return who wrote it and when, and under which lexicon."""
    day, _, clock = report.changed.partition("T")
    when = f"{day} {clock[:5]} UTC" if clock else "date not known"
    return f"Written by {report.reader or 'a reader not named'}, {when}, in the words of {report.lexicon}."


def density_text(report: Report, lexicon: Lexicon) -> str:
    """Return ``b: scattered glandular tissue in fat.``"""
    return f"{report.density}: {text_of(lexicon.density, report.density)}." if report.density else NOT_SAID


def assessment_text(code: str, lexicon: Lexicon) -> str:
    """Return ``BI-RADS 4B, moderately suspicious: calls for a biopsy.``"""
    said = lexicon.assessment(code)
    if not code:
        return NOT_SAID
    return f"BI-RADS {code}, {said.text}: calls for {said.calls_for}." if said else f"BI-RADS {code}."


def finding_text(finding: ReportFinding, lexicon: Lexicon) -> str:
    """Return a finding in one or two sentences; numbers carry the plane in which they hold."""
    kind = lexicon.kind(finding.kind)
    words = [kind.text if kind else finding.kind]
    for group, term in finding.descriptors:
        known = next((each for each in kind.groups if each.code == group), None) if kind else None
        title, text = (known.text, text_of(known.terms, term)) if known else (group, term)
        words.append(f"{title} {text}")
    if finding.size_mm is not None:
        words.append(f"{finding.size_mm:.0f} mm{_plane(finding.size_basis)}")
    head = _capital(", ".join(words)) + "."
    place = location_text(finding, lexicon)
    with_it = [text_of(lexicon.associated, each) for each in finding.associated]
    parts = [head, f"{_capital(place)}." if place else ""]
    parts.append(f"With {', '.join(with_it)}." if with_it else "")
    parts.append(finding.text.strip())
    return " ".join(part for part in parts if part)


def location_text(finding: ReportFinding, lexicon: Lexicon) -> str:
    """Return where a finding is; what was estimated says so."""
    parts = []
    where = [text_of(lexicon.regions, finding.region)] if finding.region else []
    if finding.clock is not None:
        where.append(f"{finding.clock} o'clock")
    if where:
        parts.append(", ".join(where) + (" (estimated)" if finding.estimated else ""))
    if finding.depth:
        parts.append(text_of(lexicon.depths, finding.depth))
    if finding.nipple_mm is not None:
        parts.append(f"{finding.nipple_mm:.0f} mm from the nipple{_plane(finding.nipple_basis)}")
    return ", ".join(parts)


def _findings(report: Report, lexicon: Lexicon) -> list[Section]:
    """Return one section per breast, and one for findings that name none."""
    found = []
    for side in BREASTS:
        mine = [each for each in report.findings if each.laterality == side]
        lines = [finding_text(each, lexicon) for each in mine] or ["No finding described."]
        found.append(Section(BREAST_NAMES[side], _numbered(lines)))
    others = [finding_text(each, lexicon) for each in report.findings if not each.laterality]
    if others:
        found.append(Section("Breast not stated", _numbered(others)))
    return found


def _numbered(lines: list[str]) -> tuple[str, ...]:
    return tuple(lines) if len(lines) < 2 else tuple(f"{n}. {line}" for n, line in enumerate(lines, start=1))


def _assessments(report: Report, lexicon: Lexicon) -> tuple[str, ...]:
    breasts = [f"{BREAST_NAMES[side]}: {assessment_text(report.of(side), lexicon)}" for side in BREASTS]
    return (*breasts, f"Overall: {assessment_text(overall(report, lexicon), lexicon)}")


def _plane(basis: str) -> str:
    return f" {basis}" if basis else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())

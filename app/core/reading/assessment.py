"""Assessments in the order of the action they call for, and what in a report contradicts itself.

The overall assessment is not the largest number: a report with 6 in one breast and 0 in the other
calls for the work-up, one with 0 and 4A for the biopsy. The order stands in the lexicon
(1 < 2 < 3 < 6 < 0 < 4A < 4B < 4C < 5 in ``birads-5``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from app.core.imaging.image import Study
from app.core.reading.lexicon import Lexicon
from app.core.reading.report import BREAST_NAMES, BREASTS, Report, ReportFinding, comparison_of

TOLERANCE_MM: Final = 0.5
"""By how much a written size may differ from its mark: half of the millimetre that reports are written in."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something in a report that does not fit: `code` is a stable word, `sentence` for the reader."""

    code: str
    sentence: str


def rank(code: str, lexicon: Lexicon) -> int:
    """Return the place of an assessment by the action it calls for; -1 for none or an unknown one."""
    codes = [each.code for each in lexicon.assessments]
    return codes.index(code) if code in codes else -1


def derived(report: Report, lexicon: Lexicon) -> str:
    """Return the assessment that follows from the breasts: the one that calls for the most."""
    return max((report.right, report.left), key=lambda code: rank(code, lexicon))


def overall(report: Report, lexicon: Lexicon) -> str:
    """Return the overall assessment: the reader's own, else what follows from the breasts."""
    return report.overall or derived(report, lexicon)


def assessed(report: Report, lexicon: Lexicon, where: str, code: str) -> Report:
    """Return the report with another assessment; a recommendation nobody wrote by hand follows it.

    Parameters
    ----------
    where
        ``right``, ``left`` or ``overall``.
    code
        Of the lexicon, or empty.
    """
    field: dict[str, Any] = {where: code}
    changed = replace(report, **field)
    before, after = (lexicon.assessment(overall(each, lexicon)) for each in (report, changed))
    is_open = report.recommendation in ("", before.recommendation if before else "")
    return replace(changed, recommendation=after.recommendation if after else "") if is_open else changed


def contradictions(
    report: Report,
    lexicon: Lexicon,
    breasts: Iterable[Literal["R", "L"]] = BREASTS,
    measured: Mapping[str, float | None] | None = None,
) -> tuple[Contradiction, ...]:
    """Return what does not fit in a report, in the order of the report.

    Parameters
    ----------
    breasts
        Those that were imaged; each needs a statement.
    measured
        What the annotations that sizes were taken from measure now, in mm, by uid; None as a whole:
        not known, None as a value: the annotation is gone.
    """
    found: list[Contradiction] = []
    if not report.density:
        found.append(Contradiction("no-density", "The breast density is not stated."))
    for number, finding in enumerate(report.findings, start=1):
        found += _of_finding(number, finding, measured or {})
    for breast in BREASTS:
        found += _of_breast(report, lexicon, breast, needed=breast in tuple(breasts))
    found += _of_whole(report, lexicon)
    return tuple(found)


def compared(report: Report, priors: Iterable[Study]) -> tuple[Contradiction, ...]:
    """Return that a report says there are no earlier exams where there are by now."""
    if report.comparison != comparison_of(()) or comparison_of(priors) == report.comparison:
        return ()
    return (Contradiction("comparison", "The comparison says there are no earlier exams, and there are."),)


def _of_finding(
    number: int, finding: ReportFinding, measured: Mapping[str, float | None]
) -> list[Contradiction]:
    found = []
    if not finding.laterality:
        sentence = f"Finding {number} does not say which breast it is in."
        found.append(Contradiction("no-laterality", sentence))
    if finding.size_mm is not None and finding.size_of in measured:
        now = measured[finding.size_of]
        if now is None:
            sentence = f"The mark that finding {number} was measured with is gone."
            found.append(Contradiction("mark-gone", sentence))
        elif abs(now - finding.size_mm) > TOLERANCE_MM:
            sentence = f"Finding {number} says {finding.size_mm:.0f} mm; its mark now measures {now:.0f} mm."
            found.append(Contradiction("size-differs", sentence))
    return found


def _of_breast(
    report: Report, lexicon: Lexicon, breast: Literal["R", "L"], *, needed: bool
) -> list[Contradiction]:
    name, code = BREAST_NAMES[breast], report.of(breast)
    has_finding = any(finding.laterality == breast for finding in report.findings)
    if not code:
        if needed:
            return [Contradiction("no-statement", f"{name}: no assessment is given.")]
        if has_finding:
            return [Contradiction("no-statement", f"{name}: it has a finding and no assessment.")]
        return []
    said = lexicon.assessment(code)
    if said is None:
        return [Contradiction("unknown", f"{name}: category {code} is not in the lexicon {lexicon.name}.")]
    found = []
    if said.finding == "none" and has_finding:
        found.append(Contradiction("finding-at-1", f"{name}: category {code}, but a finding is described."))
    if said.finding == "must" and not has_finding:
        sentence = f"{name}: category {code}, but no finding is described."
        found.append(Contradiction("without-finding", sentence))
    if code == "3" and report.exam == "screening":
        sentence = f"{name}: category 3 at screening. It follows a full work-up; a recall is category 0."
        found.append(Contradiction("3-at-screening", sentence))
    if code == "6" and not report.known_cancer:
        sentence = f"{name}: category 6, but no cancer is said to be known."
        found.append(Contradiction("6-without-cancer", sentence))
    return found


def _of_whole(report: Report, lexicon: Lexicon) -> list[Contradiction]:
    found = []
    code, least = overall(report, lexicon), derived(report, lexicon)
    if report.overall and rank(report.overall, lexicon) < rank(least, lexicon):
        sentence = f"Overall category {code} calls for less than category {least} of a breast."
        found.append(Contradiction("overall-lower", sentence))
    if report.overall and report.overall not in (report.right, report.left):
        if code == "3" and report.exam == "screening":
            found.append(Contradiction("3-at-screening", "Overall: category 3 at screening."))
        if code == "6" and not report.known_cancer:
            sentence = "Overall: category 6, but no cancer is said to be known."
            found.append(Contradiction("6-without-cancer", sentence))
    said = lexicon.assessment(code)
    if said is not None and said.action and not report.recommendation.strip():
        sentence = f"Category {code} calls for {said.calls_for}; no recommendation is written."
        found.append(Contradiction("without-action", sentence))
    return found

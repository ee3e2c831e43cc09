"""Reports made for tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.reading.report import Report, ReportFinding


def finding(**facts: Any) -> ReportFinding:
    """Return a mass in the right breast, unless told otherwise."""
    given: dict[str, Any] = {"uid": "f-1", "laterality": "R", "kind": "mass"}
    return ReportFinding(**(given | facts))


def sound(**facts: Any) -> Report:
    """Return a report in which nothing contradicts itself, changed by `facts`."""
    report = Report(
        technique="Digital mammography: RCC, LCC.",
        comparison="No earlier exams at hand.",
        density="b",
        right="1",
        left="1",
        recommendation="Routine screening.",
        reader="Dr. Ito",
        changed="2026-11-03T10:41:00+00:00",
    )
    return replace(report, **facts)

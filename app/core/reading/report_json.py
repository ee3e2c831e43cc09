"""A report as JSON text and back, strictly: what is not understood is refused, never dropped.

``{"format": "mammoview-report", "version": 1, ...}`` with the fields of `Report`; findings are objects
with the fields of `ReportFinding`, a descriptor is ``[group, term]``.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, fields
from typing import Any, Final

from app.core.errors import MammoviewError
from app.core.reading.report import Report, ReportFinding

FORMAT: Final = "mammoview-report"
VERSION: Final = 1

_CHOICES: Final = {"exam": ("screening", "diagnostic"), "laterality": ("", "R", "L")}
_FLAGS: Final = ("known_cancer", "estimated")
_LENGTHS: Final = ("size_mm", "nipple_mm")
_LISTS: Final = ("associated", "marks")


class ReportError(MammoviewError):
    """A text that is not a report this version understands."""


def to_json(report: Report) -> str:
    """Return a report as one line of JSON."""
    data = {"format": FORMAT, "version": VERSION, **asdict(report)}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> Report:
    """Return the report that `to_json` wrote.

    Raises
    ------
    ReportError
        With one sentence, where the text is damaged or of a newer version.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ReportError("The report is damaged: it is not JSON.") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ReportError("The report is damaged: it does not say that it is one.")
    version = data.get("version")
    if type(version) is not int or version < 1:
        raise ReportError("The report is damaged: it has no version.")
    if version > VERSION:
        raise ReportError("The report is of a newer version of Mammoview: it can only be read there.")
    body = {key: value for key, value in data.items() if key not in ("format", "version")}
    findings = body.get("findings")
    if not isinstance(findings, list):
        raise ReportError("The report is damaged: its findings are not a list.")
    body["findings"] = [_made(ReportFinding, each) for each in findings]
    uids = [each.uid for each in body["findings"]]
    if len(set(uids)) < len(uids):
        raise ReportError("The report is damaged: two findings are the same.")
    report = _made(Report, body)
    assert isinstance(report, Report)
    return report


def _made(kind: type[Report] | type[ReportFinding], data: Any) -> Any:
    names = {each.name for each in fields(kind)}
    if not isinstance(data, dict) or set(data) != names:
        odd = sorted(names ^ set(data)) if isinstance(data, dict) else ["all of it"]
        raise ReportError(f"The report is damaged: {odd[0]} is missing or unknown.")
    return kind(**{name: _value(name, value) for name, value in data.items()})


def _value(name: str, value: Any) -> Any:
    """Return a JSON value in the type of the field of that name."""
    made: Any = value
    if name == "findings":
        return tuple(value)
    if name in _FLAGS:
        right = isinstance(value, bool)
    elif name in _LENGTHS:
        right = value is None or (_is_number(value) and 0 <= value < math.inf)
        made = float(value) if right and value is not None else None
    elif name == "clock":
        right = value is None or (type(value) is int and 1 <= value <= 12)
    elif name in _LISTS:
        right = isinstance(value, list) and all(isinstance(each, str) for each in value)
        made = tuple(value) if right else ()
    elif name == "descriptors":
        right = isinstance(value, list) and all(_is_pair(each) for each in value)
        made = tuple((group, term) for group, term in value) if right else ()
    else:
        right = isinstance(value, str) and value in _CHOICES.get(name, (value,))
    if not right:
        raise ReportError(f"The report is damaged: {name} is not of the right kind.")
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(each, str) for each in value)

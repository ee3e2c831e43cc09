"""What a finished training found, read from its reports: numbers, differences, worse subgroups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Number:
    """One metric of the new model, with its 95 % interval; None where it is undefined.

    Attributes
    ----------
    n
        How many `unit`s it is of.
    baseline
        The same for a trivial guess.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    baseline: float | None
    unit: str
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of the model in use (`a`), of the new one (`b`), and b less a with its 95 % interval.

    Attributes
    ----------
    shown
        Whether a difference is shown: the interval leaves out 0 and, for an AUC, DeLong's paired test agrees.
    p
        DeLong's two-sided p, or None.
    """

    name: str
    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    unit: str
    n: int
    shown: bool

    @property
    def got_worse(self) -> bool:
        """True where a loss is shown; for a Brier score more is worse."""
        if not self.shown or self.difference is None:
            return False
        return self.difference > 0 if self.name.startswith(("brier", "ece")) else self.difference < 0


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The AUC's difference in one subgroup of images, for example of density ``d``."""

    kind: str
    value: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured; what is missing is empty, and `problems` says why.

    Attributes
    ----------
    protocol
        On whom it was measured, in the trainer's words.
    notes
        What the comparison says of whom either model has seen.
    """

    protocol: str = ""
    numbers: tuple[Number, ...] = ()
    a: str = ""
    b: str = ""
    verdict: str = ""
    notes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def worse(self) -> tuple[Subgroup, ...]:
        """Subgroups in which the new model is shown to be worse."""
        return tuple(one for one in self.subgroups if one.difference.got_worse)


def read_results(folder: Path) -> Results:
    """Return what lies in a training's folder; a report that is damaged is a sentence in `problems`."""
    problems: list[str] = []
    metrics = _content(folder / "report" / "metrics.json", "mammoview-metrics", problems)
    found = _content(folder / "comparison" / "compare.json", "mammoview-comparison", problems)
    entries = _dict(metrics.get("metrics"))
    differences = _dict(found.get("metrics"))
    subgroups = [
        Subgroup(str(kind), str(value), _difference("auc.image", _dict(entry)))
        for kind, values in _dict(found.get("subgroups")).items()
        for value, entry in _dict(values).items()
    ]
    return Results(
        protocol=str(metrics.get("protocol", "")),
        numbers=tuple(_metric(str(name), _dict(entry)) for name, entry in entries.items()),
        a=str(found.get("a", "")),
        b=str(found.get("b", "")),
        verdict=str(found.get("verdict", "")),
        notes=tuple(str(one) for one in found.get("notes", ()) if isinstance(found.get("notes"), list)),
        differences=tuple(_difference(str(name), _dict(entry)) for name, entry in differences.items()),
        subgroups=tuple(subgroups),
        problems=tuple(problems),
    )


def _content(path: Path, form: str, problems: list[str]) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        content = None
    if not isinstance(content, dict) or content.get("format") != form or content.get("version") != 1:
        problems.append(f"{path}: this report is damaged, or of another version")
        return {}
    return content


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _metric(name: str, entry: Mapping[str, Any]) -> Number:
    value, low, high, baseline = (_float(entry.get(key)) for key in ("value", "low", "high", "baseline"))
    return Number(name, value, low, high, baseline, str(entry.get("unit", "")), _count(entry.get("n")))


def _difference(name: str, entry: Mapping[str, Any]) -> Difference:
    a, b, difference, low, high = (_float(entry.get(key)) for key in ("a", "b", "difference", "low", "high"))
    p = _float(_dict(entry.get("delong")).get("p"))
    unit, n = str(entry.get("unit", "")), _count(entry.get("n"))
    return Difference(name, a, b, difference, low, high, p, unit, n, entry.get("shown") is True)

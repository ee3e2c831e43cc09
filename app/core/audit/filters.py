"""Which cases are looked at: criteria that all have to hold, kept by name as JSON.

A file that does not fit is refused with a sentence; nothing of it is taken.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.core.audit.cases import Bools
from app.core.audit.columns import NUMBERS, TEXTS, Sheet, numbers, tagged, texts
from app.core.errors import ReadError
from app.core.files import write_json

FILE_NAME: Final = "audit-filters.json"
FORMAT: Final = "mammoview-filters"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Among:
    """A case has one of these words in a column of texts (`columns.TEXTS`)."""

    column: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A case has a number from `low` to `high` (both included; None: no limit) in a column of numbers."""

    column: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Tagged:
    """A case has at least one of these tags."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noted:
    """A case has a note, or (False) has none."""

    noted: bool = True


@dataclass(frozen=True, slots=True)
class Holds:
    """A text stands in the image's id, its patient's or its note; capitals do not matter."""

    text: str


Criterion = Among | Between | Tagged | Noted | Holds


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Criteria that all have to hold; none: every case. `name` is empty until it is kept."""

    criteria: tuple[Criterion, ...] = ()
    name: str = ""


EVERY_CASE: Final = CaseFilter()


def passing(sheet: Sheet, wanted: CaseFilter) -> Bools:
    """Return which cases a filter lets through, bool (rows,)."""
    found: Bools = np.ones(len(sheet.table), np.bool_)
    for criterion in wanted.criteria:
        found &= _holds(sheet, criterion)
    return found


def _holds(sheet: Sheet, criterion: Criterion) -> Bools:
    if isinstance(criterion, Among):
        return texts(sheet, criterion.column).among(criterion.words)
    if isinstance(criterion, Between):
        values = numbers(sheet, criterion.column)
        found: Bools = ~np.isnan(values)
        if criterion.low is not None:
            found &= values >= criterion.low
        if criterion.high is not None:
            found &= values <= criterion.high
        return found
    if isinstance(criterion, Tagged):
        return tagged(sheet, criterion.tags)
    if isinstance(criterion, Noted):
        noted: Bools = sheet.said.noted == criterion.noted
        return noted
    wanted = criterion.text.casefold()
    return np.array(
        [
            wanted in f"{row.image_id}\n{row.patient_id}\n{sheet.said.note(place)}".casefold()
            for place, row in enumerate(sheet.table.rows)
        ],
        dtype=np.bool_,
    )


def words(wanted: CaseFilter) -> str:
    """Return a filter as a reader would say it: ``outcome FN; age 40 to 60``."""
    return "; ".join(_words(criterion) for criterion in wanted.criteria) or "all cases"


def _words(criterion: Criterion) -> str:
    if isinstance(criterion, Among):
        return f"{criterion.column} {' or '.join(word or 'none' for word in criterion.words)}"
    if isinstance(criterion, Between):
        low, high = criterion.low, criterion.high
        if low is None:
            return f"{criterion.column} up to {high:g}" if high is not None else f"{criterion.column} known"
        return (
            f"{criterion.column} from {low:g}" if high is None else f"{criterion.column} {low:g} to {high:g}"
        )
    if isinstance(criterion, Tagged):
        return f"tagged {' or '.join(criterion.tags)}"
    if isinstance(criterion, Noted):
        return "with a note" if criterion.noted else "without a note"
    return f"“{criterion.text}”"


# On disk


def to_json(wanted: CaseFilter) -> dict[str, Any]:
    """Return a filter as JSON values."""
    return {"name": wanted.name, "criteria": [_criterion_json(each) for each in wanted.criteria]}


def _criterion_json(criterion: Criterion) -> dict[str, Any]:
    if isinstance(criterion, Among):
        return {"column": criterion.column, "among": list(criterion.words)}
    if isinstance(criterion, Between):
        return {"column": criterion.column, "from": criterion.low, "to": criterion.high}
    if isinstance(criterion, Tagged):
        return {"tags": list(criterion.tags)}
    return {"noted": criterion.noted} if isinstance(criterion, Noted) else {"holds": criterion.text}


def from_json(data: Any) -> CaseFilter:
    """Return the filter of JSON values.

    Raises
    ------
    ValueError
        With a clause that says what is wrong.
    """
    if not isinstance(data, dict) or set(data) != {"name", "criteria"}:
        raise ValueError("a filter is no name with criteria")
    if not isinstance(data["name"], str) or not isinstance(data["criteria"], list):
        raise ValueError("a filter is no name with criteria")
    return CaseFilter(tuple(_criterion(each) for each in data["criteria"]), data["name"])


def _criterion(data: Any) -> Criterion:
    keys = set(data) if isinstance(data, dict) else set()
    if keys == {"column", "among"} and data["column"] in TEXTS:
        return Among(data["column"], _strings(data["among"]))
    if keys == {"column", "from", "to"} and data["column"] in NUMBERS:
        return Between(data["column"], _limit(data["from"]), _limit(data["to"]))
    if keys == {"tags"}:
        return Tagged(_strings(data["tags"]))
    if keys == {"noted"} and isinstance(data["noted"], bool):
        return Noted(data["noted"])
    if keys == {"holds"} and isinstance(data["holds"], str):
        return Holds(data["holds"])
    if "column" in keys and data["column"] not in (*TEXTS, *NUMBERS):
        raise ValueError(f"there is no column {data['column']}")
    raise ValueError("a criterion cannot be understood")


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or any(not isinstance(each, str) for each in value):
        raise ValueError("a list of words is none")
    return tuple(value)


def _limit(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("a limit is no number")
    return float(value)


def read_filters(path: Path) -> tuple[CaseFilter, ...]:
    """Return the filters kept in a file, by name; none where there is no file.

    Raises
    ------
    ReadError
        The file cannot be read or understood; one sentence.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise ReadError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ReadError(path, "is damaged, the saved filters cannot be read") from error
    try:
        if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
            raise ValueError("it holds no saved filters of this version")
        return tuple(from_json(each) for each in data.get("filters", []))
    except (ValueError, TypeError) as error:
        raise ReadError(path, str(error)) from error


def write_filters(path: Path, filters: Sequence[CaseFilter]) -> None:
    """Keep filters by name, the last of a name; raises ReadError where the file cannot be written."""
    by_name = {each.name: each for each in filters}
    content = {
        "format": FORMAT,
        "version": VERSION,
        "filters": [to_json(by_name[name]) for name in sorted(by_name)],
    }
    try:
        write_json(path, content)
    except OSError as error:
        raise ReadError(path, f"cannot be written ({error.strerror})") from error

"""How the classes are spread over site, vendor, view and the rest, and what goes together with the label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.core.manifest import Row
from trainer.audit.facts import Facts
from trainer.splits import PARTS, Splits

_STRONG = 0.3
_FEW = 20
NONE = "not given"
_MOST = 12


@dataclass(frozen=True, slots=True)
class Table:
    """Images counted by a property (rows) and label (columns).

    Attributes
    ----------
    counts
        Value of the property: label: images. The most frequent twelve values; the rest as ``others``.
    association
        Cramér's V with the label, 0..1; None where either has one value.
    """

    name: str
    counts: dict[str, dict[str, int]]
    association: float | None


def age_of(row: Row) -> float | None:
    """Return the age in years of ``61``, ``061Y``, ``61.0``; None where none is told."""
    found = re.match(r"\s*0*(\d{1,3}(?:\.\d+)?)\s*Y?\s*$", row.age)
    return float(found[1]) if found else None


def _decade(row: Row) -> str:
    age = age_of(row)
    return NONE if age is None else f"{int(age // 10) * 10}-{int(age // 10) * 10 + 9}"


def subtlety_of(row: Row) -> str:
    """Return the least subtlety rating of an image's lesions, "" where there is none."""
    ratings = [lesion.descriptor("subtlety") for lesion in row.findings]
    return min((rating for rating in ratings if rating), default="")


def dataset_of(row: Row) -> str:
    """Return the data set, the first word of the label's source."""
    return row.label_source.partition(":")[0].strip()


TECHNICAL = ("data set", "vendor", "source", "bit depth")
"""Properties that no disease has: where they go together with the label, a model may learn them."""
_PROPERTIES: dict[str, Callable[[Row], str]] = {
    "data set": dataset_of,
    "vendor": lambda row: row.vendor,
    "source": lambda row: row.source,
    "view": lambda row: row.view,
    "side": lambda row: row.laterality,
    "density": lambda row: row.density,
    "age": _decade,
    "subtlety": subtlety_of,
}


def cramers_v(counts: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> float | None:
    """Return Cramér's V of a table of counts, or None where a side has one value (Cramér 1946, 21.9)."""
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return None
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    chi2 = float(((counts - expected) ** 2 / expected).sum())
    return float(np.sqrt(chi2 / counts.sum() / (min(counts.shape) - 1)))


def _table(name: str, values: Sequence[str], labels: Sequence[str]) -> Table:
    often = Counter(values)
    kept = [value for value, _ in often.most_common(_MOST)]
    kept = sorted(kept, key=lambda value: (value == NONE, value))
    words = sorted(set(labels))
    both = Counter(zip(values, labels, strict=True))
    counts = {value: {word: both[value, word] for word in words} for value in kept}
    if len(often) > _MOST:
        rest = set(often) - set(kept)
        counts["others"] = {word: sum(both[value, word] for value in rest) for word in words}
    matrix = np.array([[counts[value][word] for word in words] for value in counts], np.float64)
    association = cramers_v(matrix)
    return Table(name, counts, None if association is None else round(association, 3))


def balance(rows: Sequence[Row], facts: Facts, splits: Splits | None) -> list[Table]:
    """Return the tables of all properties that have a value somewhere, and of the parts of the first fold."""
    labels = [row.label for row in rows]
    tables = []
    for name, value in _PROPERTIES.items():
        values = [value(row) or NONE for row in rows]
        if set(values) != {NONE}:
            tables.append(_table(name, values, labels))
    tables.append(_table("bit depth", [f"{fact['bits_used']} bits" for fact in facts], labels))
    if splits is not None:
        place = {patient: name for name in PARTS for patient in splits.folds[0].part(name)}
        parts = _table("part of fold 0", [place.get(row.patient_id, "in no part") for row in rows], labels)
        order = [name for name in (*PARTS, "in no part") if name in parts.counts]
        tables.append(replace(parts, counts={name: parts.counts[name] for name in order}))
    return tables


def warnings(tables: Sequence[Table], rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each technical property that goes together with the label, and for one class."""
    labels = Counter(row.label for row in rows)
    found = []
    if len(labels) == 1:
        found.append(f"all {len(rows)} images are {next(iter(labels))}: there is nothing to tell apart")
    for table in tables:
        if table.name in TECHNICAL and (table.association or 0) >= _STRONG and len(rows) >= _FEW:
            found.append(
                f"{table.name} and label go together (Cramér's V {table.association:.2f}): "
                f"a model may learn the {table.name} instead of the disease"
            )
    return found

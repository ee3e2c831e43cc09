"""Which rows of a data set become a manifest, and what they are labelled by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, replace

from app.core.manifest import Row
from trainer.classes import words_of
from trainer.errors import TrainerError

Tell = Callable[[str], None]
_COLUMNS = tuple(field.name for field in fields(Row))


def keep(rows: Sequence[Row], conditions: Sequence[str], tell: Tell) -> list[Row]:
    """Return the rows that fulfil every ``column=value,value``; tells how many were left out.

    ``lesion=mass`` keeps the images that have such a lesion.

    Raises
    ------
    TrainerError
        An unknown column, a wrong form, nothing left.
    """
    kept = list(rows)
    for condition in conditions:
        column, equals, text = condition.partition("=")
        if not equals or (column != "lesion" and column not in _COLUMNS):
            raise TrainerError(f"--keep {condition}: the form is column=value,value with a manifest's column")
        wanted = set(text.split(","))
        before = len(kept)
        kept = [row for row in kept if _said(row, column) & wanted]
        tell(f"--keep {condition}: {before - len(kept)} of {before} images left out")
    if not kept:
        raise TrainerError(f"--keep {' '.join(conditions)}: no image is left")
    return kept


def _said(row: Row, column: str) -> set[str]:
    if column == "lesion":
        return {lesion.label for lesion in row.findings}
    return {str(getattr(row, column))}


def label_by(rows: Sequence[Row], of: str, tell: Tell) -> list[Row]:
    """Return the rows with ``density``, or a descriptor of their lesions, as label.

    Several words are joined by ``+``. Rows without one are left out, and counted in a sentence.

    Raises
    ------
    TrainerError
        No row says anything of that name.
    """
    made = []
    for row in rows:
        words = words_of(row, of)
        if words:
            source = f"{row.label_source.partition(':')[0]}: {of}"
            made.append(replace(row, label="+".join(sorted(words)), label_source=source))
    if not made:
        known = sorted({name for row in rows for lesion in row.findings for name, _ in lesion.descriptors})
        raise TrainerError(f"--label {of}: no image says it; said are density, {', '.join(known)}")
    if len(made) < len(rows):
        tell(f"--label {of}: {len(rows) - len(made)} of {len(rows)} images do not say it and were left out")
    counts = Counter(row.label for row in made)
    tell(f"--label {of}: " + ", ".join(f"{count} {label}" for label, count in counts.most_common(12)))
    return made

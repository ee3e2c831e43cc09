"""What readers say of a model's answer to a case, as items of the reader's store.

All of them are items of one pseudo-study, `AUDIT`, so that one undo history goes through all cases of all
audits. An item is named after the reader and the image's identity: two readers never overwrite each other,
and a file that moved keeps its verdicts. The item's text holds the facts of the image and of the model's
answer as they were then, so that it can be read without the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, Literal, get_args
from urllib.parse import quote, unquote

import numpy as np

from app.core.audit.cases import Bools, Words
from app.core.manifest import Row

AUDIT: Final = "audit"
"""Key of the pseudo-study under which the store keeps verdicts and answers."""

_VERDICT: Final = "verdict/"

Verdict = Literal["agree", "model wrong", "label wrong", "unusable image", "unsure"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
NO_VERDICT: Final = ""
SEVERAL: Final = "readers differ"
"""In place of a verdict where no reader is asked about alone and two of them differ."""


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """One reader's word on one case; the data set's label is never overwritten.

    Attributes
    ----------
    verdict
        One of `VERDICTS`, or empty where only a note or tags were given.
    label
        What the label should be, in the data set's words, or empty.
    image
        Identity of the image, see `identity`.
    image_id, patient_id, study_id, path, sha256, frame, given
        The image as the manifest had it then; `given` is its label.
    model, version, digest, score, threshold
        The answer that was judged; score None where there was none.
    reader, made
        Who, and when (ISO 8601, UTC).
    """

    image: str
    verdict: str = NO_VERDICT
    label: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    image_id: str = ""
    patient_id: str = ""
    study_id: str = ""
    path: str = ""
    sha256: str = ""
    frame: int = 0
    given: str = ""
    model: str = ""
    version: str = ""
    digest: str = ""
    score: float | None = None
    threshold: float | None = None
    reader: str = ""
    made: str = ""

    @property
    def empty(self) -> bool:
        """True where nothing is said."""
        return not (self.verdict or self.label or self.note or self.tags)


_FIELDS: Final = frozenset(each.name for each in fields(CaseVerdict))
_TEXTS: Final = _FIELDS - {"tags", "frame", "score", "threshold"}


def identity(row: Row) -> str:
    """Return what an image is known by in verdicts: the hash of its file, else its id, and its frame."""
    return f"{row.sha256 or row.image_id}/{row.frame}"


def verdict_item(reader: str, image: str) -> str:
    """Return the name of the item that holds a reader's verdict on an image (by its identity)."""
    return f"{_VERDICT}{quote(reader, safe='')}/{quote(image, safe='')}"


def verdict_of(item: str) -> tuple[str, str] | None:
    """Return (reader, identity of the image) of an item's name, or None where it is no verdict."""
    reader, slash, image = item.removeprefix(_VERDICT).partition("/")
    return (unquote(reader), unquote(image)) if item.startswith(_VERDICT) and slash else None


def verdict_text(verdict: CaseVerdict) -> str:
    """Return a verdict as JSON text; `read_verdict` gives it back."""
    data = {name: getattr(verdict, name) for name in sorted(_FIELDS)}
    data["tags"] = sorted(set(verdict.tags))
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


@lru_cache(maxsize=1 << 16)
def read_verdict(text: str) -> CaseVerdict:
    """Return the verdict of a JSON text.

    Raises
    ------
    ValueError
        For anything that `verdict_text` would not have written.
    """
    data = json.loads(text)
    if not isinstance(data, dict) or set(data) != _FIELDS:
        raise ValueError("it does not have the fields it should")
    if any(not isinstance(data[name], str) for name in _TEXTS):
        raise ValueError("a text is none")
    if data["verdict"] not in ("", *VERDICTS):
        raise ValueError("the verdict is none")
    if not isinstance(data["tags"], list) or any(not isinstance(tag, str) for tag in data["tags"]):
        raise ValueError("the tags are no texts")
    if type(data["frame"]) is not int or data["frame"] < 0:
        raise ValueError("the frame is no number from 0")
    data["tags"] = tuple(data["tags"])
    return CaseVerdict(**{**data, **{name: _number(data[name]) for name in ("score", "threshold")}})


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float):
        raise ValueError("a number is none")
    return float(value)


def read_items(items: Mapping[str, str | None]) -> tuple[tuple[CaseVerdict, ...], tuple[str, ...]]:
    """Return the verdicts among the items of `AUDIT`, and a clause on each that could not be read.

    Items of other kinds are passed over; None is a verdict that was taken back.
    """
    found, notes = [], []
    for item, text in items.items():
        if text is None or verdict_of(item) is None:
            continue
        try:
            found.append(read_verdict(text))
        except (ValueError, RecursionError) as error:
            notes.append(f"a verdict: {error}")
    return tuple(found), tuple(notes)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What readers said of the rows of a table.

    Attributes
    ----------
    verdict
        Column: a word of `VERDICTS`, `NO_VERDICT` or `SEVERAL`.
    of
        By row, the verdicts of all readers asked about, oldest first.
    tags
        By row.
    """

    verdict: Words
    of: Mapping[int, tuple[CaseVerdict, ...]] = field(default_factory=dict)
    tags: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @staticmethod
    def blank(rows: int) -> Said:
        """Return what was said of so many rows: nothing."""
        return Said(Words(np.zeros(rows, np.int32), _KINDS))

    @property
    def noted(self) -> Bools:
        """Which rows have a note."""
        found = np.zeros(len(self.verdict.codes), np.bool_)
        found[[row for row, each in self.of.items() if any(one.note for one in each)]] = True
        return found

    def note(self, row: int) -> str:
        """Return the notes on a row, one line for each reader."""
        return "\n".join(one.note for one in self.of.get(row, ()) if one.note)


_KINDS: Final = (NO_VERDICT, *VERDICTS, SEVERAL)
NOTHING_SAID: Final = Said.blank(0)


def places(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Return the places of the rows by identity: a file that a manifest names twice has two."""
    found: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(identity(row), []).append(number)
    return found


def said_of(
    verdicts: Iterable[CaseVerdict], where: Mapping[str, list[int]], rows: int, reader: str | None = None
) -> Said:
    """Return what was said of the rows of a table.

    Parameters
    ----------
    where
        `places` of its rows.
    reader
        The one reader whose verdicts count; None: all readers'.
    """
    of: dict[int, list[CaseVerdict]] = {}
    for one in verdicts:
        if not one.empty and reader in (None, one.reader):
            for row in where.get(one.image, ()):
                of.setdefault(row, []).append(one)
    codes = np.zeros(rows, np.int32)
    for row, each in of.items():
        kinds = {one.verdict for one in each} - {NO_VERDICT}
        codes[row] = _KINDS.index(SEVERAL if len(kinds) > 1 else next(iter(kinds), NO_VERDICT))
    tags = {row: frozenset(tag for one in each for tag in one.tags) for row, each in of.items()}
    ordered = {row: tuple(sorted(each, key=lambda one: one.made)) for row, each in of.items()}
    return Said(Words(codes, _KINDS), ordered, {row: own for row, own in tags.items() if own})

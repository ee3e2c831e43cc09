"""A small reader study: truth and model hidden until the reader has answered, then shown.

A session names its cases, in an order of its own drawn from a seed, and whether the model's answer is shown
beside the image while reading (``with model``). Each reader's answers are items of the store, timed from the
image's being on screen; an answer once given is not changed by a later look.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote

import numpy as np

from app.core.audit.verdicts import AUDIT
from app.core.manifest import Box

_ANSWER: Final = "answer/"

ASSESSMENTS: Final = (1, 2, 3, 4, 5)
"""The reader's suspicion: 1 surely normal, 2 probably normal, 3 unsure, 4 probably abnormal, 5 surely."""

ASSESSMENT_WORDS: Final = {
    1: "surely normal",
    2: "probably normal",
    3: "unsure",
    4: "probably abnormal",
    5: "surely abnormal",
}
RECALLED_FROM: Final = 4
"""An assessment of this or more counts as a recall."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader said of one image without knowing the truth.

    Attributes
    ----------
    session
        Name of the reader study.
    image
        Identity of the image (`app.core.audit.verdicts.identity`).
    assessment
        One of `ASSESSMENTS`.
    marks
        Boxes the reader drew: (row0, col0, row1, col1), edges at pixel corners, stored pixels.
    seconds
        From the image's being on screen to the answer.
    with_model
        Whether the model's answer could be seen.
    """

    session: str
    image: str
    assessment: int
    marks: tuple[Box, ...] = ()
    seconds: float = 0.0
    with_model: bool = False
    reader: str = ""
    made: str = ""

    @property
    def recalled(self) -> bool:
        """True where the assessment counts as a recall."""
        return self.assessment >= RECALLED_FROM


@dataclass(frozen=True, slots=True)
class Session:
    """A blinded reading under way, as one reader sees it.

    Attributes
    ----------
    rows
        The cases in the order in which they are read (places in the table).
    answers
        This reader's, by row.
    """

    name: str
    reader: str
    with_model: bool
    rows: tuple[int, ...]
    answers: Mapping[int, Answer] = field(default_factory=dict)

    def hides(self, row: int) -> bool:
        """Tell whether truth (and, unless read with the model, its answer) of a row must not be shown."""
        return row in self.rows and row not in self.answers

    @property
    def left(self) -> tuple[int, ...]:
        """The cases without an answer, in reading order."""
        return tuple(row for row in self.rows if row not in self.answers)


READING: Final = f"{AUDIT}/answers"
"""What the log names as the reading of an answer: one of its own, so that no history takes it back."""

_FIELDS: Final = frozenset(each.name for each in fields(Answer))


def reading_order(rows: Sequence[int], name: str, reader: str, with_model: bool) -> tuple[int, ...]:
    """Return the cases shuffled: another order for each reader, session and arm, always the same again."""
    seed = [ord(letter) for letter in f"{name}\n{reader}\n{with_model}"]
    order = np.random.default_rng(seed).permutation(len(rows))
    return tuple(int(rows[place]) for place in order)


def answer_item(answer: Answer) -> str:
    """Return the name of the item that holds an answer; another one for reading with the model."""
    arm = "with" if answer.with_model else "without"
    parts = (answer.session, arm, answer.reader, answer.image)
    return _ANSWER + "/".join(quote(part, safe="") for part in parts)


def is_answer(item: str) -> bool:
    """Tell whether an item of the store is an answer of a blinded reading."""
    return item.startswith(_ANSWER)


def answer_text(answer: Answer) -> str:
    """Return an answer as JSON text; `read_answer` gives it back."""
    data: dict[str, Any] = {name: getattr(answer, name) for name in sorted(_FIELDS)}
    data["marks"] = [[float(edge) for edge in box] for box in answer.marks]
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


@lru_cache(maxsize=1 << 16)
def read_answer(text: str) -> Answer:
    """Return the answer of a JSON text.

    Raises
    ------
    ValueError
        For anything that `answer_text` would not have written.
    """
    data = json.loads(text)
    if not isinstance(data, dict) or set(data) != _FIELDS:
        raise ValueError("it does not have the fields it should")
    if any(not isinstance(data[name], str) for name in ("session", "image", "reader", "made")):
        raise ValueError("a text is none")
    if data["assessment"] not in ASSESSMENTS or not isinstance(data["with_model"], bool):
        raise ValueError("the assessment is none")
    if type(data["seconds"]) not in (int, float) or not data["seconds"] >= 0:
        raise ValueError("the seconds are none")
    data["marks"] = tuple(_box(box) for box in data["marks"])
    return Answer(**data)


def _box(value: Any) -> Box:
    if (
        not isinstance(value, list)
        or len(value) != 4
        or any(type(edge) not in (int, float) for edge in value)
    ):
        raise ValueError("a mark is no box")
    return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))


def read_answers(items: Mapping[str, str | None]) -> tuple[tuple[Answer, ...], tuple[str, ...]]:
    """Return the answers among the items of the store, and a clause on each that could not be read."""
    found, notes = [], []
    for item, text in items.items():
        if text is None or not is_answer(item):
            continue
        try:
            answer = read_answer(text)
            if answer_item(answer) != item:
                raise ValueError("its name is not its own")
            found.append(answer)
        except (ValueError, TypeError, RecursionError) as error:
            notes.append(f"an answer: {error}")
    return tuple(found), tuple(notes)


def sessions(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Return the names of all reader studies, sorted."""
    return tuple(sorted({answer.session for answer in answers}))

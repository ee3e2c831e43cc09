"""Readers who contradict each other on an image: found, named by their case, and settled by a rule.

Contradictions are: one mark that one reader calls a lesion and another does not, or calls something else;
a place where one reader marks a lesion and another rejects one; two labels; a breast called normal in
which a lesion is marked. Two readers who each mark lesions of their own do not contradict each other.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, get_args

from app.core.imaging.geometry import Box
from app.core.manifest import NORMAL_LABELS
from trainer.curation.statements import Mark, Word
from trainer.errors import TrainerError

Rule = Literal["leave-out", "latest", "majority"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)
LEAVE_OUT: Final = "leave-out"
NORMAL: Final = NORMAL_LABELS
UNNAMED: Final = "(no name)"
"""Stands for a reader who gave no name, in lists and in the file of resolutions."""
SAME_PLACE: Final = 0.25
"""Intersection over union from which on two boxes speak of one place."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things said in a contradiction: what, by whom, and in which change."""

    what: str
    reader: str
    made: str
    seq: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """One contradiction on one image.

    Attributes
    ----------
    about
        ``finding``, ``place``, ``label``, ``density``, or ``label and findings``.
    settled
        How: ``left out``, ``latest``, ``majority`` or ``by hand``; with what it came to.
    """

    case: str
    about: str
    sides: tuple[Side, ...]
    settled: str

    @property
    def sentence(self) -> str:
        """The contradiction in words."""
        if not self.sides:
            return f"{self.case}: {self.settled}"
        sides = "; ".join(f"{each.reader or UNNAMED}: {each.what}" for each in self.sides)
        return f"{self.case}: readers contradict each other about the {self.about} ({sides}); {self.settled}"


@dataclass(frozen=True, slots=True)
class Settled:
    """What is left of what was said of an image.

    Attributes
    ----------
    marks
        One for each item.
    word
        The label that a reader gave, or None.
    kept
        False: the image stays out of the set.
    """

    marks: tuple[Mark, ...]
    word: Word | None
    conflicts: tuple[Conflict, ...]
    kept: bool


def settle(
    case: str, marks: Sequence[Mark], words: Sequence[Word], rule: Rule, by_hand: str | None = None
) -> Settled:
    """Return what an image's readers agree on, or what the rule makes of it.

    Parameters
    ----------
    marks
        Of all readers.
    words
        Labels of all readers, in the manifest's words.
    by_hand
        The reader who is right about this case, or ``leave-out``; None: the rule decides.

    Raises
    ------
    TrainerError
        `by_hand` names a reader who said nothing of this image.
    """
    if by_hand == LEAVE_OUT:
        return Settled((), None, (Conflict(case, "case", (), "left out by hand"),), False)
    judge = _Judge(case, rule, by_hand)
    readers = {mark.reader for mark in marks} | {word.reader for word in words}
    if by_hand is not None and by_hand not in readers:
        raise TrainerError(f"{case}: the reader {by_hand or UNNAMED} said nothing of this image")
    kept = _items(marks, judge)
    kept = _places(kept, judge)
    word = _label(words, judge)
    kept, word = _normal_with_lesion(kept, word, judge)
    return Settled(tuple(kept), word, tuple(judge.conflicts), not judge.left_out)


class _Judge:
    """Settles one contradiction after another by the rule, and remembers each."""

    def __init__(self, case: str, rule: Rule, by_hand: str | None) -> None:
        self._case, self._rule, self._by_hand = case, rule, by_hand
        self.conflicts: list[Conflict] = []
        self.left_out = False

    def choose(self, about: str, sides: Sequence[Side], *, leaves_out: bool = True) -> str | None:
        """Return what was right, None where it stays open; notes the contradiction."""
        won, how = self._winner(sides)
        if won is None:
            self.left_out |= leaves_out
            settled = "left out" if leaves_out else "left as it was"
            settled += " (no majority)" if self._rule == "majority" and self._by_hand is None else ""
        else:
            settled = f"{how}: {won}"
        ordered = tuple(sorted(sides, key=lambda side: side.seq))
        self.conflicts.append(Conflict(self._case, about, ordered, settled))
        return won

    def _winner(self, sides: Sequence[Side]) -> tuple[str | None, str]:
        if self._by_hand is not None:
            own = [side for side in sides if side.reader == self._by_hand]
            if own:
                return max(own, key=lambda side: side.seq).what, "by hand"
        if self._rule == "latest":
            return max(sides, key=lambda side: side.seq).what, "latest"
        if self._rule == "majority":
            votes = Counter(what for what, _ in {(side.what, side.reader) for side in sides}).most_common()
            if len(votes) == 1 or votes[0][1] > votes[1][1]:
                return votes[0][0], "majority"
        return None, ""


def _called(mark: Mark) -> str:
    return f"lesion ({mark.annotation.text.casefold() or 'not named'})" if mark.positive else "no lesion"


def _side(mark: Mark, what: str) -> Side:
    return Side(what, mark.reader, mark.made, mark.seq)


def _items(marks: Iterable[Mark], judge: _Judge) -> list[Mark]:
    """Return one mark for each item: the last of those that are right."""
    items: dict[str, list[Mark]] = {}
    for mark in marks:
        items.setdefault(mark.item, []).append(mark)
    kept = []
    for given in items.values():
        calls = {_called(mark) for mark in given}
        if len(calls) > 1:
            won = judge.choose("finding", [_side(mark, _called(mark)) for mark in given])
            given = [mark for mark in given if _called(mark) == won]
        if given:
            kept.append(max(given, key=lambda mark: mark.seq))
    return kept


def _places(marks: list[Mark], judge: _Judge) -> list[Mark]:
    """Settle places that one reader marks and another rejects; of two marks of one place keep the last."""
    lost: set[str] = set()
    for one, other in combinations(marks, 2):
        if one.frame != other.frame or not same_place(one.annotation.box, other.annotation.box):
            continue
        if one.positive != other.positive and one.reader != other.reader:
            sides = [_side(mark, "lesion" if mark.positive else "no lesion") for mark in (one, other)]
            won = judge.choose("place", sides)
            lost |= {mark.item for mark in (one, other) if mark.positive != (won == "lesion")}
        elif one.positive and other.positive and overlap(one.annotation.box, other.annotation.box) >= 0.5:
            lost.add(min((one, other), key=lambda mark: mark.seq).item)
    return [mark for mark in marks if mark.item not in lost]


def _label(words: Sequence[Word], judge: _Judge) -> Word | None:
    if not words:
        return None
    if len({_broad(word) for word in words}) > 1:
        sides = [Side(_broad(word), word.reader, word.made, word.seq) for word in words]
        won = judge.choose("label", sides)
        words = [word for word in words if _broad(word) == won]
    return max(words, key=lambda word: word.seq, default=None)


def _broad(word: Word) -> str:
    """Return a label by what it calls for: 4A, 4B and 4C all call for a biopsy, and contradict no other."""
    return re.sub(r"(?<=^birads-4)[abc]$", "", word.value)


def _normal_with_lesion(
    marks: list[Mark], word: Word | None, judge: _Judge
) -> tuple[list[Mark], Word | None]:
    positive = [mark for mark in marks if mark.positive]
    if word is None or word.value not in NORMAL or not positive:
        return marks, word
    sides = [
        Side(word.value, word.reader, word.made, word.seq),
        *(_side(mark, "lesion") for mark in positive),
    ]
    won = judge.choose("label and findings", sides)
    if won == "lesion":
        return marks, None
    return [mark for mark in marks if not mark.positive], word


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes (row0, col0, row1, col1), 0..1."""
    rows = min(one[2], other[2]) - max(one[0], other[0])
    columns = min(one[3], other[3]) - max(one[1], other[1])
    if rows <= 0 or columns <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return rows * columns / (sum(areas) - rows * columns)


def same_place(one: Box, other: Box) -> bool:
    """Tell whether two boxes speak of one place: they share a quarter, or each holds the other's centre."""
    return overlap(one, other) >= SAME_PLACE or (_holds(one, other) and _holds(other, one))


def _holds(box: Box, other: Box) -> bool:
    row, col = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return box[0] <= row < box[2] and box[1] <= col < box[3]


def read_resolutions(path: Path) -> dict[str, str]:
    """Return who is right about each case, of a CSV with the columns ``case`` and ``reader``.

    A reader is named as in the list of contradictions; ``leave-out`` keeps the case out.

    Raises
    ------
    TrainerError
        A file that cannot be read, lacks a column, or names a case twice.
    """
    try:
        table = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
        lines = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainerError(f"{path}: the resolutions cannot be read ({error.__class__.__name__})") from error
    if not {"case", "reader"} <= set(table.fieldnames or ()):
        raise TrainerError(f"{path}: the resolutions need the columns case and reader")
    found: dict[str, str] = {}
    for line in lines:
        case, reader = (str(line[name] or "").strip() for name in ("case", "reader"))
        if case in found:
            raise TrainerError(f"{path}: the case {case} stands there twice")
        found[case] = "" if reader == UNNAMED else reader
    return found

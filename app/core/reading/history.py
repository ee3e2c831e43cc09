"""Changes to the reader's work, and which of them would be undone or done again; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

LIMIT: Final = 200
"""How many changes can be taken back."""


class Edit(NamedTuple):
    """One item before and after a change, as texts; None: it was not there."""

    item: str
    before: str | None
    after: str | None


def inverse(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Return the edits that take these back, last first."""
    return tuple(Edit(item, after, before) for item, before, after in reversed(tuple(edits)))


@dataclass(frozen=True, slots=True)
class Change:
    """What was done in one stroke: a line of the log that is only ever added to.

    Attributes
    ----------
    study
        Key of the study whose items it changes.
    label
        What was done, in words.
    edits
        No item twice.
    reading
        Key of the study that was open: a mark on a prior is undone where it was made.
    reader, made
        Who, and when (ISO 8601, UTC).
    undoes
        `seq` of the change that this one takes back, or None.
    seq
        Its place in the log; 0: not yet in it.
    """

    study: str
    label: str
    edits: tuple[Edit, ...]
    reading: str = ""
    reader: str = ""
    made: str = ""
    undoes: int | None = None
    seq: int = 0


@dataclass(slots=True, eq=False)
class Step:
    """A change on its way to disk or from it; `seq` is 0 until it is there, `of` is what it takes back."""

    change: Change
    of: Step | None = None
    seq: int = 0

    def touches(self, other: Step) -> bool:
        """Tell whether two steps change the same item."""
        mine = {edit.item for edit in self.change.edits}
        return self.change.study == other.change.study and any(
            edit.item in mine for edit in other.change.edits
        )


@dataclass(slots=True, eq=False)
class History:
    """The steps that can be taken back, and those taken back that can be done again; last at the end."""

    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> None:
        """Note a step that was made: a new one, one that undoes, or one that does again."""
        if step.of is None:
            self.done.append(step)
            self.undone.clear()
        elif step.of in self.done:
            self.done.remove(step.of)
            self.undone.append(step)
        else:
            if step.of in self.undone:
                self.undone.remove(step.of)
            self.done.append(step)
        del self.done[:-LIMIT]

    def drop(self, step: Step) -> None:
        """Forget a step that was not made after all, or that can no longer be taken back."""
        self.done = [each for each in self.done if each is not step]
        self.undone = [each for each in self.undone if each is not step]


def rebuilt(changes: Iterable[Change]) -> History:
    """Return the history that a log leads to, oldest change first.

    A change that takes back one from before the log's first cannot be placed: it ends what came before it.
    One whose edits could not be read is passed over.
    """
    history, steps = History(), dict[int, Step]()
    for change in changes:
        if not change.edits:
            continue
        of = None if change.undoes is None else steps.get(change.undoes)
        step = steps[change.seq] = Step(change, of, change.seq)
        if change.undoes is not None and of is None:
            history = History()
        else:
            history.take(step)
    return history

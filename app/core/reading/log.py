"""The whole log of a store, read without changing it: who did what, in order, and who said what of an item.

The window reads one study at a time (`app.core.reading.store`); a curated set needs all of them, as they
were after a given change. Nothing here writes, migrates or makes a file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.core.reading.history import Change
from app.core.reading.migrations import APPLICATION_ID, MIGRATIONS, version_of
from app.core.reading.store import FILE_NAME, StoreError, edits_of

_COLUMNS = "study, label, edits, reading, reader, made, undoes, seq"


@dataclass(frozen=True, slots=True)
class Log:
    """All changes of a store up to one of them, oldest first.

    Attributes
    ----------
    path
        The store.
    last
        Number of the change up to which it was read; 0: the store is empty.
    """

    path: Path
    changes: tuple[Change, ...]
    last: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reader last made of one item.

    Attributes
    ----------
    text
        The item's JSON; None: the reader deleted it.
    before
        The item as the reader found it, before a first change of it; None: the reader made it.
    made, seq
        When (ISO 8601, UTC), and the number of the change.
    """

    study: str
    item: str
    reader: str
    text: str | None
    before: str | None
    made: str
    seq: int


def read_log(path: Path, as_of: int | None = None) -> Log:
    """Return the changes of a store, all or up to number `as_of`.

    Parameters
    ----------
    path
        The file, or the folder that holds ``work.sqlite``.

    Raises
    ------
    StoreError
        No such file, no store, a newer or damaged one, or no change of that number.
    """
    path = path / FILE_NAME if path.is_dir() else path
    if not path.is_file():
        raise StoreError(path, "there is no such store of the reader's work")
    try:
        name = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(name, timeout=5, isolation_level=None, uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
            _check(connection, path)
            rows = connection.execute(f"SELECT {_COLUMNS} FROM changes ORDER BY seq").fetchall()
    except sqlite3.Error as error:
        raise StoreError(path, f"it cannot be read ({error})") from error
    changes = tuple(Change(study, label, edits_of(edits), *rest) for study, label, edits, *rest in rows)
    last = changes[-1].seq if changes else 0
    if as_of is None:
        return Log(path, changes, last)
    if not 0 < as_of <= last:
        raise StoreError(path, f"it has no change number {as_of} (the last is {last})")
    return Log(path, tuple(each for each in changes if each.seq <= as_of), as_of)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application != APPLICATION_ID:
        raise StoreError(path, "it is no store of Mammoview")
    version = version_of(connection)
    if version > len(MIGRATIONS):
        raise StoreError(path, f"a newer Mammoview wrote it (version {version})")


def standing(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that were not taken back, oldest first, without those that take back.

    A change that takes back one which itself took something back does that again.
    """
    every = tuple(changes)
    undone: set[int] = set()
    for change in reversed(every):
        if change.undoes is not None and change.seq not in undone:
            undone.add(change.undoes)
    return tuple(each for each in every if each.undoes is None and each.seq not in undone)


def opinions(changes: Iterable[Change]) -> dict[tuple[str, str], tuple[Opinion, ...]]:
    """Return what each reader last said of each item (study, item), in the order in which they said it."""
    found: dict[tuple[str, str], dict[str, Opinion]] = {}
    for change, item, before, after in _edits(standing(changes)):
        readers = found.setdefault((change.study, item), {})
        earlier = readers.pop(change.reader, None)
        first = before if earlier is None else earlier.before
        readers[change.reader] = Opinion(
            change.study, item, change.reader, after, first, change.made, change.seq
        )
    return {key: tuple(readers.values()) for key, readers in found.items()}


def _edits(changes: Iterable[Change]) -> Iterator[tuple[Change, str, str | None, str | None]]:
    for change in changes:
        for edit in change.edits:
            yield change, edit.item, edit.before, edit.after

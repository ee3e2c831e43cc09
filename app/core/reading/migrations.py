"""The shape of the store on disk, version by version.

A store says its version in ``PRAGMA user_version``: how many of `MIGRATIONS` it has gone through. A step
that was ever released is never changed; a new shape is a new step at the end.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from app.core.transactions import transaction

APPLICATION_ID: Final = 0x4D4D5657
"""``PRAGMA application_id`` of our stores: "MMVW"."""

_FIRST: Final = """
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    study TEXT NOT NULL,
    reading TEXT NOT NULL,
    label TEXT NOT NULL,
    edits TEXT NOT NULL,
    reader TEXT NOT NULL,
    made TEXT NOT NULL,
    undoes INTEGER REFERENCES changes (seq)
);
CREATE INDEX changes_of_reading ON changes (reading, seq);
CREATE INDEX changes_of_study ON changes (study, seq);
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes BEGIN SELECT RAISE (ABORT, 'a change stays'); END;
CREATE TRIGGER changes_are_kept BEFORE DELETE ON changes BEGIN SELECT RAISE (ABORT, 'a change stays'); END;
CREATE TABLE items (
    study TEXT NOT NULL,
    item TEXT NOT NULL,
    data TEXT,
    since INTEGER NOT NULL REFERENCES changes (seq),
    seq INTEGER NOT NULL REFERENCES changes (seq),
    PRIMARY KEY (study, item)
) WITHOUT ROWID;
CREATE INDEX items_read ON items (item, study) WHERE item = 'read';
"""
"""Items as they are (``data`` NULL: deleted, so that one that comes back keeps its place), ``since`` and
``seq`` the changes that first made and last changed them; and the log, to which rows are only added.
``edits`` is JSON: ``[[item, before, after], ...]``."""

MIGRATIONS: Final[tuple[str, ...]] = (_FIRST,)
"""SQL scripts; the n-th leads from version n to version n + 1."""


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of a store; 0: it is empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring a store to the newest version, each step in a transaction of its own.

    Two programs may do this at once: each step is taken by one of them.

    Raises
    ------
    sqlite3.Error
        The store is then at the version before the step that failed.
    """
    while version_of(connection) < len(migrations):
        with transaction(connection):
            version = version_of(connection)
            if version < len(migrations):
                for statement in _statements(migrations[version]):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {version + 1}")


def _statements(script: str) -> list[str]:
    """Return the statements of a script (``executescript`` would end the transaction)."""
    found, text = [], ""
    for line in script.splitlines():
        text += line + "\n"
        if sqlite3.complete_statement(text):
            found.append(text)
            text = ""
    return [each for each in (*found, text) if each.strip()]

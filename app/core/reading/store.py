"""The reader's work on disk: one SQLite file of items and of the changes that made them.

The store knows an item by its name and its text only; what they mean is said in `app.core.reading.items`.
A change is written in one transaction, and only where every item still is what the change was made from:
so no window ever overwrites what another one did. A file that is damaged, newer, or no store is never
written to and never deleted.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.core.errors import MammoviewError, ReadError
from app.core.reading.history import LIMIT, Change, Edit
from app.core.reading.migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of
from app.core.transactions import readers_beside_writer, transaction

FILE_NAME: Final = "work.sqlite"
PATIENCE_S: Final = 5.0
"""How long another program may hold the lock before a change is refused."""

_REASONS: Final = (
    ("SQLITE_BUSY", "another program holds it locked"),
    ("SQLITE_LOCKED", "another program holds it locked"),
    ("SQLITE_FULL", "the disk is full"),
    ("SQLITE_READONLY", "it cannot be written"),
    ("SQLITE_CORRUPT", "it is damaged and left as it is"),
    ("SQLITE_NOTADB", "it is damaged or no store of Mammoview, and left as it is"),
    ("SQLITE_CANTOPEN", "it cannot be opened"),
    ("SQLITE_IOERR", "the disk failed"),
    ("SQLITE_PERM", "access is denied"),
)


class StoreError(ReadError):
    """The store cannot be read or written; one sentence with the file's name."""


class Conflict(MammoviewError):  # noqa: N818 - what it is, and nothing went wrong
    """An item is not what a change was made from: another window changed it. Nothing was written."""

    def __init__(self, study: str, item: str) -> None:
        self.study, self.item = study, item
        super().__init__("another window changed this in the meantime")

    def __reduce__(self) -> tuple[type[Conflict], tuple[str, str]]:
        return (type(self), (self.study, self.item))


class Store:
    """The store in one file, opened on first use; for one thread at a time.

    Parameters
    ----------
    path
        The file, made where it is missing (readable by its owner only); None: in memory.
    patience_s
        See `PATIENCE_S`.
    migrations
        See `app.core.reading.migrations`.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        patience_s: float = PATIENCE_S,
        migrations: tuple[str, ...] = MIGRATIONS,
    ) -> None:
        self.path = path
        self._patience_s = patience_s
        self._migrations = migrations
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._seen: int | None = None
        self._warning = ""

    @property
    def warning(self) -> str:
        """Why the store is only read, as a sentence; empty: it can be written, or was not opened yet."""
        return self._warning

    def set_patience(self, seconds: float) -> None:
        """Wait at most so long for another program's lock."""
        self._patience_s = seconds
        if self._connection is not None:
            self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * seconds)}")

    def items(self, study: str) -> dict[str, str | None]:
        """Return the texts of all items of a study by name, in the order first made; None: deleted.

        Raises
        ------
        StoreError
        """
        with self._ready() as connection:
            rows = connection.execute(
                "SELECT item, data FROM items WHERE study = ? ORDER BY since, item", (study,)
            )
            return {str(item): None if data is None else str(data) for item, data in rows}

    def reads(self) -> dict[str, str]:
        """Return the text of the item ``read`` of every study that has one.

        Raises
        ------
        StoreError
        """
        with self._ready() as connection:
            rows = connection.execute(
                "SELECT study, data FROM items WHERE item = 'read' AND data IS NOT NULL"
            )
            return {str(study): str(data) for study, data in rows}

    def log(self, reading: str, reader: str, limit: int = 2 * LIMIT) -> tuple[Change, ...]:
        """Return the last changes that a reader made while a study was open, oldest first.

        Raises
        ------
        StoreError
        """
        return self._changes("reading = ? AND reader = ? ORDER BY seq DESC LIMIT ?", reading, reader, limit)[
            ::-1
        ]

    def changes(self, study: str) -> tuple[Change, ...]:
        """Return all that was ever done to a study's items: who, when, and what was there before.

        Raises
        ------
        StoreError
        """
        return self._changes("study = ? ORDER BY seq", study)

    def commit(self, change: Change) -> int:
        """Write a change for good, all of it or nothing, and return its place in the log.

        Raises
        ------
        Conflict
            Where an item is not what the change was made from.
        StoreError
        """
        with self._ready(write=True) as connection:
            with transaction(connection):
                seq = _write(connection, change)
            return seq

    def changed_elsewhere(self) -> bool:
        """Tell whether another program or window wrote since this was last asked.

        Raises
        ------
        StoreError
        """
        with self._ready() as connection:
            seen, self._seen = self._seen, _data_version(connection)
            return seen != self._seen

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    # Within

    def _changes(self, where: str, *values: str | int) -> tuple[Change, ...]:
        columns = "study, label, edits, reading, reader, made, undoes, seq"
        with self._ready() as connection:
            rows = connection.execute(f"SELECT {columns} FROM changes WHERE {where}", values)
            return tuple(Change(study, label, edits_of(edits), *rest) for study, label, edits, *rest in rows)

    @contextmanager
    def _ready(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """Give the open connection; SQLite's errors within become sentences."""
        path = self.path or Path("memory")
        try:
            if self._connection is not None and self._file != _identity(self.path):
                # What SQLite wrote now would go into a file that no one can find any more.
                self.close()
                raise StoreError(path, "it was moved or replaced while it was open")
            if self._connection is None:
                self._open()
            assert self._connection is not None
            if write and self._warning:
                raise StoreError(path, self._warning)
            yield self._connection
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if _name(error) not in ("SQLITE_BUSY", "SQLITE_FULL"):
                self.close()
            raise StoreError(path, self._warning or _reason(error)) from error

    def _open(self) -> None:
        self._warning = ""
        if self.path is None:
            self._connection = _connect(":memory:", self._patience_s)
            migrate(self._connection, self._migrations)
            self._seen = _data_version(self._connection)
            return
        _make(self.path)
        try:
            self._warning = self._only_to_read(self.path)
        except sqlite3.OperationalError as error:
            if _name(error) != "SQLITE_READONLY":
                raise
            # The program was ended while it made the file: what it left half done is taken back by writing.
            with closing(
                _connect(f"{self.path.absolute().as_uri()}?mode=rw", self._patience_s)
            ) as connection:
                version_of(connection)
            self._warning = self._only_to_read(self.path)
        mode = "ro" if self._warning else "rw"
        connection = _connect(f"{self.path.absolute().as_uri()}?mode={mode}", self._patience_s)
        try:
            if not self._warning:
                _configure(connection, self._patience_s)
                migrate(connection, self._migrations)
            # A file that had to be opened again may have changed meanwhile.
            self._seen = _data_version(connection) if self._seen is None else -1
        except BaseException:
            connection.close()
            raise
        self._connection, self._file = connection, _identity(self.path)

    def _only_to_read(self, path: Path) -> str:
        """Look at a file without changing it; return why it must not be written, or nothing."""
        connection = _connect(f"{path.absolute().as_uri()}?mode=ro", self._patience_s)
        known = len(self._migrations)
        try:
            # All that is asked is asked of one moment: between two questions another window may make the
            # store, and a file that was empty and is full now is none of ours. Its size comes first, for a
            # file only grows.
            size = path.stat().st_size
            connection.execute("BEGIN")
            version = version_of(connection)
            application = int(connection.execute("PRAGMA application_id").fetchone()[0])
            filled = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            if pages == 0 and size > 0:  # too short for SQLite, which would begin anew in it
                return dict(_REASONS)["SQLITE_NOTADB"]
            if (filled or version) and application != APPLICATION_ID:
                return "it is no store of Mammoview and is left as it is"
            if version > known:
                return (
                    f"a newer Mammoview wrote it (version {version}, this one knows {known}); it is only read"
                )
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return "it is damaged; what can be read of it is shown, and it is left as it is"
        finally:
            connection.close()
        return "" if os.access(path, os.W_OK) else "it cannot be written"


def _write(connection: sqlite3.Connection, change: Change) -> int:
    """Add a change to the log and to its items, within a transaction."""
    present = "SELECT data FROM items WHERE study = ? AND item = ?"
    for edit in change.edits:
        row = connection.execute(present, (change.study, edit.item)).fetchone()
        if (row[0] if row else None) != edit.before:
            raise Conflict(change.study, edit.item)
    columns = ("study", "label", "edits", "reading", "reader", "made", "undoes")
    given = replace(change, label=_plain(change.label), reader=_plain(change.reader))
    values = {**{name: getattr(given, name) for name in columns}, "edits": json.dumps(given.edits)}
    seq = connection.execute(
        f"INSERT INTO changes ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})",
        values,
    ).lastrowid
    assert seq is not None
    for item, _, after in change.edits:
        connection.execute(
            "INSERT INTO items (study, item, data, since, seq) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (study, item) DO UPDATE SET data = excluded.data, seq = excluded.seq",
            (change.study, item, after, seq, seq),
        )
    return seq


def edits_of(text: object) -> tuple[Edit, ...]:
    """Return the edits of a line of the log; none where it cannot be read: it can then not be taken back."""
    try:
        edits = [Edit(*edit) for edit in json.loads(str(text))]
    except (ValueError, TypeError, RecursionError):
        return ()
    texts = all(isinstance(text, str | None) for edit in edits for text in edit)
    return tuple(edits) if texts and all(edit.item for edit in edits) else ()


def _plain(text: str) -> str:
    """Return a text without what UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _connect(name: str, patience_s: float) -> sqlite3.Connection:
    # One thread at a time, but not always the same one: a thread pool may renew its threads.
    connection = sqlite3.connect(
        name, timeout=patience_s, isolation_level=None, check_same_thread=False, uri=name.startswith("file:")
    )
    # A text with a damaged byte is one bad item, not a study that cannot be read.
    connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return connection


def _configure(connection: sqlite3.Connection, patience_s: float) -> None:
    """Make a commit last through a crash and a power cut, and readers independent of the writer."""
    readers_beside_writer(connection, patience_s)
    for pragma in ("synchronous = FULL", "fullfsync = ON", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _make(path: Path) -> None:
    """Make folder and file where they are missing, for their owner's eyes only."""
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Never opened by us where it exists: closing it again would drop SQLite's locks (POSIX).
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder") from None
        with suppress(OSError):
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from one that was put in its place; None: it is gone, or never was."""
    try:
        return None if path is None else (path.stat().st_dev, path.stat().st_ino)
    except OSError:
        return None


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _name(error: BaseException) -> str:
    """Return SQLite's name of an error: the first two words of ``SQLITE_BUSY_SNAPSHOT``."""
    return "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])


def _reason(error: BaseException) -> str:
    """Return why something failed, as a clause."""
    if isinstance(error, UnicodeDecodeError):
        return dict(_REASONS)[
            "SQLITE_CORRUPT"
        ]  # SQLite quotes the damage in its message, which is no text then
    if isinstance(error, OSError):
        return f"it cannot be made or opened ({error.strerror or 'unknown reason'})"
    return next((clause for name, clause in _REASONS if name == _name(error)), f"it cannot be used ({error})")

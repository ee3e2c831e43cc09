"""The kept records of pictures: one SQLite file in the cache folder, so that a second audit reads no pixels.

A record is found by the sha256 of its file and the frame. A file whose size and time of change are those at
which its sha256 was last found right is not read again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from app.core.errors import ReadError
from app.core.manifest import Row, check_file
from app.core.spread import spread
from trainer.audit.facts import KIND, Facts, look
from trainer.cache import cache_folder, reading_code
from trainer.errors import TrainerError

_REVISION = 1
"""Raised whenever a record is made in another way."""
_KEPT_EVERY = 64
_TABLES = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, size INT, changed_ns INT, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (sha256 TEXT, frame INT, record BLOB, PRIMARY KEY (sha256, frame)) WITHOUT ROWID;
"""  # noqa: E501

Key = tuple[str, int]


def table_path() -> Path:
    """Return the file of kept records; another program that reads pixels otherwise has another file."""
    return cache_folder().parent / "audit" / f"facts-{_REVISION}-{reading_code()[:16]}.sqlite"


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=30)) as table:
            table.executescript(_TABLES)
            yield table
    except (OSError, sqlite3.Error) as error:
        raise TrainerError(f"{path}: the table of pictures cannot be kept ({error})") from error


def _usable(path: Path) -> Path:
    """Return the path, without a file there that is no table: it can be made anew."""
    try:
        with closing(sqlite3.connect(path)) as table:
            table.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return path
    except sqlite3.DatabaseError:
        path.unlink(missing_ok=True)
    return path


def _look(row: Row) -> bytes | str:
    """Return the record, or why there is none; a file that moved or changed ends the audit."""
    try:
        return look(row)
    except ReadError as error:
        return str(error)


def _state(row: Row) -> tuple[int, int]:
    try:
        found = os.stat(row.path)
    except OSError:
        check_file(row)
        raise
    return found.st_size, found.st_mtime_ns


def all_facts(
    rows: Sequence[Row], report: Callable[[int, int], None] | None = None, workers: int | None = None
) -> tuple[Facts, list[str]]:
    """Return the records of all rows, in order, and for each "" or why it could not be read.

    Records of unreadable files are zeros. What was looked at is kept every few dozen files, so that an
    audit that ended too early goes on where it was.

    Raises
    ------
    TrainerError
        A file that is not there or has changed, or a table that cannot be written.
    """
    found, reasons = np.zeros(len(rows), KIND), [""] * len(rows)
    states = [_state(row) for row in rows]
    with _opened(_usable(table_path())) as table:
        verified = {
            path: (size, changed, sha256)
            for path, size, changed, sha256 in table.execute("SELECT * FROM files")
        }
        known = _known(table, rows)
        missing = []
        for number, row in enumerate(rows):
            record = known.get((row.sha256, row.frame))
            if record is None or verified.get(str(row.path)) != (*states[number], row.sha256):
                missing.append(number)
            else:
                found[number] = np.frombuffer(record, KIND)[0]
        done = len(rows) - len(missing)
        try:
            for place, made in spread(_look, [rows[number] for number in missing], workers=workers):
                number = missing[place]
                if isinstance(made, str):
                    reasons[number] = made
                else:
                    found[number] = np.frombuffer(made, KIND)[0]
                    _keep(table, rows[number], states[number], made)
                done += 1
                if done % _KEPT_EVERY == 0:
                    table.commit()
                if report is not None:
                    report(done, len(rows))
        finally:
            table.commit()
    return found, reasons


def remember(rows: Sequence[Row], facts: Facts) -> None:
    """Keep the records of rows whose files are as the rows say, so that they need not be looked at."""
    with _opened(_usable(table_path())) as table:
        for row, fact in zip(rows, facts, strict=True):
            _keep(table, row, _state(row), fact.tobytes())
        table.commit()


def _known(table: sqlite3.Connection, rows: Sequence[Row]) -> dict[Key, bytes]:
    wanted = sorted({row.sha256 for row in rows})
    known: dict[Key, bytes] = {}
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        marks = ",".join("?" * len(some))
        for sha256, frame, record in table.execute(
            f"SELECT sha256, frame, record FROM facts WHERE sha256 IN ({marks})", some
        ):
            if len(record) == KIND.itemsize:
                known[sha256, frame] = record
    return known


def _keep(table: sqlite3.Connection, row: Row, state: tuple[int, int], record: bytes) -> None:
    table.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (str(row.path), *state, row.sha256))
    table.execute("INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (row.sha256, row.frame, record))

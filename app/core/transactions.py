"""SQLite between programs: a change is on disk whole or not at all, and readers do not wait for a writer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the block wrote, or take it back and let what ended the block go on.

    Parameters
    ----------
    connection
        In autocommit mode (``isolation_level=None``). The lock for writing is taken at once
        (``BEGIN IMMEDIATE``), so that what the block reads cannot change before it writes.

    Raises
    ------
    sqlite3.Error
        The lock was not to be had, or the commit failed; nothing was written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk ends the transaction by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def readers_beside_writer(connection: sqlite3.Connection, patience_s: float) -> None:
    """Have a file keep its changes in a write-ahead log, whoever else asks for that at the same time.

    Raises
    ------
    sqlite3.Error
        Another program held the file locked for longer than `patience_s`.
    """
    end = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # SQLite does not wait here for another program that does the same, whatever its timeout.
            if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY" or time.monotonic() > end:
                raise
            time.sleep(0.02)

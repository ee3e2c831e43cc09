"""One SQLite transaction: all of it is on disk, or none."""

from __future__ import annotations

import sqlite3
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

"""All of a transaction is there, or nothing."""

import sqlite3

import pytest

from app.core.transactions import transaction


def connect(path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None, timeout=0)


def test_what_ends_the_block_takes_everything_back(tmp_path) -> None:
    connection = connect(tmp_path / "t.sqlite")
    connection.execute("CREATE TABLE t (n INTEGER)")
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (1)")

    def stopped() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO t VALUES (2)")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert connection.execute("SELECT n FROM t").fetchall() == [(1,)]
    assert not connection.in_transaction


def test_another_writer_has_to_wait_from_the_first_line(tmp_path) -> None:
    one, other = connect(tmp_path / "t.sqlite"), connect(tmp_path / "t.sqlite")
    one.execute("CREATE TABLE t (n INTEGER)")
    with transaction(one), pytest.raises(sqlite3.OperationalError, match="locked"), transaction(other):
        pytest.fail("two wrote at once")

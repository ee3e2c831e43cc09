"""A store of every version that ever was opens today; what it held is there."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from app.core.reading.items import work_of
from app.core.reading.migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of
from app.core.reading.store import Store, StoreError

OLD = sorted((Path(__file__).parent / "stores").glob("v*.sql"))
"""Dumps of stores as the programs of their time wrote them; never changed."""


def made_from(script: Path, path: Path) -> Path:
    connection = sqlite3.connect(path)
    connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()
    return path


def test_there_is_a_store_of_every_version() -> None:
    assert [script.stem for script in OLD] == [f"v{number}" for number in range(1, len(MIGRATIONS) + 1)]


@pytest.mark.parametrize("script", OLD, ids=lambda script: script.stem)
def test_an_old_store_is_read_and_written(script: Path, tmp_path: Path) -> None:
    path = made_from(script, tmp_path / "work.sqlite")
    store = Store(path)
    work, notes = work_of("study-1", store.items("study-1"))
    assert notes == ()
    assert [(mark.uid, mark.kind, mark.points) for mark in work.annotations] == [
        ("a1", "length", ((10.0, 20.5), (30.25, 40.0))),
        ("a2", "nipple", ((100.0, 5.0),)),
    ]
    assert work.key_images == (("1.2.3.4", 0),)
    assert work.read
    assert [change.label for change in store.changes("study-1")] == [
        "length drawn",
        "nipple drawn",
        "arrow drawn",
        "arrow drawn",
        "key image",
        "marked as read",
    ]
    assert store.warning == ""
    connection = sqlite3.connect(path)
    assert version_of(connection) == len(MIGRATIONS)
    connection.close()


def test_a_new_store_goes_through_all_steps(tmp_path: Path) -> None:
    steps = (
        "CREATE TABLE a (x);\nINSERT INTO a VALUES (1);\n",
        "ALTER TABLE a ADD COLUMN y;\nUPDATE a SET y = 2;\n",
    )
    connection = sqlite3.connect(tmp_path / "one", isolation_level=None)
    migrate(connection, steps[:1])
    assert version_of(connection) == 1
    migrate(connection, steps)
    assert version_of(connection) == 2
    assert connection.execute("SELECT * FROM a").fetchall() == [(1, 2)]
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path) -> None:
    steps = ("CREATE TABLE a (x);\n", "INSERT INTO a VALUES (1);\nINSERT INTO nowhere VALUES (1);\n")
    connection = sqlite3.connect(tmp_path / "one", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, steps)
    assert version_of(connection) == 1
    assert connection.execute("SELECT * FROM a").fetchall() == []


def test_many_programs_that_make_the_store_at_once_make_one(tmp_path: Path) -> None:
    failed: list[Exception] = []

    def open_it() -> None:
        try:
            store = Store(tmp_path / "work.sqlite")
            store.items("s")
            store.close()
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []

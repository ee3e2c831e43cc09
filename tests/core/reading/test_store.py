"""The store: changes in whole or not at all, no overwriting, and a sentence for each bad file."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import sys
from pathlib import Path
from threading import Thread

import pytest
from mark_writer import added, mark

from app.core.reading import store as store_module
from app.core.reading.history import Change, Edit, inverse, rebuilt
from app.core.reading.items import work_of
from app.core.reading.migrations import MIGRATIONS
from app.core.reading.store import Conflict, Store, StoreError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "work.sqlite"


def change(*edits: tuple[str, str | None, str | None], study: str = "s", **facts: object) -> Change:
    made = tuple(Edit(*edit) for edit in edits)
    return Change(study, "a change", made, reading="s", reader="Dr Roe", made="2026", **facts)  # type: ignore[arg-type]


def bytes_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def filled(path: Path, items: int = 400) -> Path:
    """Make a store of many pages, closed."""
    store = Store(path)
    store.commit(change(*((f"item-{n}", None, f"text {n} " * 40) for n in range(items))))
    store.close()
    return path


# What is kept


def test_a_change_is_there_after_closing(path: Path) -> None:
    store = Store(path)
    seq = store.commit(change(("a", None, "1"), ("b", None, "2")))
    store.close()
    again = Store(path)
    assert again.items("s") == {"a": "1", "b": "2"}
    assert again.items("another") == {}
    (logged,) = again.changes("s")
    assert logged == change(("a", None, "1"), ("b", None, "2"), seq=seq)


def test_an_item_that_comes_back_keeps_its_place(path: Path) -> None:
    store = Store(path)
    store.commit(change(("z", None, "1")))
    store.commit(change(("a", None, "2")))
    store.commit(change(("z", "1", None)))
    assert store.items("s") == {"z": None, "a": "2"}
    store.commit(change(("z", None, "1")))
    assert list(store.items("s")) == ["z", "a"]


def test_the_log_says_who_when_and_what_was_there_before(path: Path) -> None:
    store = Store(path)
    first = store.commit(change(("a", None, "1")))
    store.commit(change(("a", "1", "2")))
    second = store.commit(change(*inverse([Edit("a", "1", "2")]), undoes=first + 1))
    log = store.changes("s")
    assert [(each.edits[0].before, each.edits[0].after, each.undoes) for each in log] == [
        (None, "1", None),
        ("1", "2", None),
        ("2", "1", first + 1),
    ]
    assert {(each.reader, each.made) for each in log} == {("Dr Roe", "2026")}
    assert log[-1].seq == second


def test_the_log_of_a_reading_is_that_readers_own_and_its_end(path: Path) -> None:
    store = Store(path)
    for number in range(5):
        store.commit(change((f"a{number}", None, "1"), study="prior"))
    store.commit(Change("s", "x", (Edit("b", None, "1"),), reading="s", reader="Dr Doe", made="2026"))
    assert [each.edits[0].item for each in store.log("s", "Dr Roe", 3)] == ["a2", "a3", "a4"]
    assert [each.edits[0].item for each in store.log("s", "Dr Doe")] == ["b"]
    assert store.log("prior", "Dr Roe") == ()


def test_a_line_of_the_log_can_be_neither_changed_nor_removed(path: Path) -> None:
    Store(path).commit(change(("a", None, "1")))
    other = sqlite3.connect(path)
    for statement in ("UPDATE changes SET reader = 'x'", "DELETE FROM changes"):
        with pytest.raises(sqlite3.IntegrityError, match="a change stays"):
            other.execute(statement)


def test_reads_are_found_for_all_studies(path: Path) -> None:
    store = Store(path)
    store.commit(change(("read", None, "{}"), study="one"))
    store.commit(change(("read", None, "{}"), study="two"))
    store.commit(change(("read", "{}", None), study="one"))
    assert store.reads() == {"two": "{}"}


def test_what_utf8_cannot_hold_is_replaced_in_words(path: Path) -> None:
    store = Store(path)
    store.commit(Change("s", "\ud800", (Edit("a", None, "1"),), reader="R\udcff"))
    (logged,) = store.changes("s")
    assert (logged.label, logged.reader) == ("?", "R?")


def test_a_store_in_memory_keeps_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store()
    store.commit(change(("a", None, "1")))
    assert store.items("s") == {"a": "1"}
    assert not store.changed_elsewhere()
    assert list(tmp_path.iterdir()) == []


# Two windows


def test_different_marks_of_two_windows_both_stay(path: Path) -> None:
    one, two = Store(path), Store(path)
    assert one.items("s") == two.items("s") == {}
    one.commit(change(("a", None, "1")))
    two.commit(change(("b", None, "2")))
    assert one.items("s") == two.items("s") == {"a": "1", "b": "2"}


def test_a_store_that_another_window_makes_at_this_moment_is_one_of_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other window's first write falls between two questions of the first look at the file."""
    beside = Thread(target=lambda: filled(path, 1))

    def asked(statement: str) -> None:
        if "sqlite_master" in statement and not beside.ident:
            beside.start()
            beside.join(0.5)  # longer than it takes where nothing keeps it waiting

    def traced(name: str, patience_s: float) -> sqlite3.Connection:
        connection = connect(name, patience_s)
        connection.set_trace_callback(asked)
        return connection

    connect = store_module._connect
    monkeypatch.setattr(store_module, "_connect", traced)
    one = Store(path)
    one.items("s")
    beside.join()
    assert one.warning == ""
    one.commit(change(("a", None, "1")))
    assert set(one.items("s")) == {"a", "item-0"}


@pytest.mark.parametrize(("before", "after"), [(None, "2"), ("0", "2"), ("0", None)])
def test_what_another_window_changed_is_not_overwritten(
    path: Path, before: str | None, after: str | None
) -> None:
    one, two = Store(path), Store(path)
    one.commit(change(("a", None, "0")))
    one.commit(change(("a", "0", "1")))
    with pytest.raises(Conflict) as caught:
        two.commit(change(("b", None, "new"), ("a", before, after)))
    assert (caught.value.study, caught.value.item) == ("s", "a")
    # Nothing of it: neither the item that was free nor a line in the log.
    assert two.items("s") == {"a": "1"}
    assert len(two.changes("s")) == 2
    two.commit(change(("a", "1", "2")))
    assert one.items("s") == {"a": "2"}


def test_an_undo_never_takes_back_newer_work_of_another_window(path: Path) -> None:
    one, two = Store(path), Store(path)
    seq = one.commit(change(("a", None, "0")))
    two.commit(change(("a", "0", "moved")))
    with pytest.raises(Conflict):
        one.commit(change(*inverse([Edit("a", None, "0")]), undoes=seq))
    assert one.items("s") == {"a": "moved"}


def test_a_deleted_mark_cannot_be_changed(path: Path) -> None:
    one, two = Store(path), Store(path)
    one.commit(change(("a", None, "0")))
    two.commit(change(("a", "0", None)))
    with pytest.raises(Conflict):
        one.commit(change(("a", "0", "1")))


def test_a_window_hears_of_the_others_changes_and_not_of_its_own(path: Path) -> None:
    one, two = Store(path), Store(path)
    one.items("s")
    two.items("s")
    assert not one.changed_elsewhere()
    one.commit(change(("a", None, "1")))
    assert not one.changed_elsewhere()
    assert two.changed_elsewhere()
    assert not two.changed_elsewhere()


# Only its owner


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_folder_and_files_are_their_owners_alone(path: Path) -> None:
    mask = os.umask(0)
    try:
        Store(path).commit(change(("a", None, "1")))
    finally:
        os.umask(mask)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    files = sorted(path.parent.iterdir())
    assert {file.name for file in files} >= {"work.sqlite", "work.sqlite-wal"}
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_a_store_that_others_could_read_is_closed_to_them(path: Path) -> None:
    filled(path, 1).chmod(0o644)
    Store(path).items("s")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    """WAL, synchronous = FULL (2): SQLite's manual promises durability for these."""
    store = Store(path)
    store.items("s")
    connection = store._connection
    assert connection is not None
    asked = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in asked]
    assert found == ["wal", 2, 1, 5000]


# Files that are not well


def test_a_store_of_a_newer_version_is_only_read(path: Path) -> None:
    store = Store(path, migrations=(*MIGRATIONS, "CREATE TABLE later (x);\n"))
    store.commit(change(("a", None, "1")))
    store.close()
    before = bytes_of(path)
    old = Store(path)
    assert old.items("s") == {"a": "1"}
    newer, known = len(MIGRATIONS) + 1, len(MIGRATIONS)
    assert f"version {newer}, this one knows {known}" in old.warning
    with pytest.raises(StoreError, match=rf"work\.sqlite: a newer Mammoview wrote it \(version {newer}"):
        old.commit(change(("b", None, "1")))
    with pytest.raises(StoreError, match="only read"):
        old.commit(change(("b", None, "1")))
    old.close()
    assert bytes_of(path) == before


def test_a_newer_store_of_another_shape_is_a_sentence_and_stays(path: Path) -> None:
    newer = Store(path, migrations=(*MIGRATIONS, "ALTER TABLE items RENAME COLUMN data TO value;\n"))
    newer.changes("s")
    newer.close()
    before = bytes_of(path)
    with pytest.raises(StoreError, match="a newer Mammoview wrote it"):
        Store(path).items("s")
    assert bytes_of(path) == before


@pytest.mark.parametrize(
    "garbage",
    [b"not a database at all" * 100, b"SQLite format 3\0" + bytes(4080), b"\0" * 8192, b"{", b"a short note"],
)
def test_a_file_that_is_no_store_is_a_sentence_and_stays(path: Path, garbage: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(garbage)
    store = Store(path)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"work\.sqlite: it is (damaged|no store)"):
            store.commit(change(("a", None, "1")))
    with pytest.raises(StoreError):
        store.items("s")
    store.close()
    assert path.read_bytes() == garbage


def test_a_store_whose_making_was_cut_short_is_made_anew(path: Path) -> None:
    """A program that was killed while it filled the file leaves SQLite's journal, which takes that back."""
    path.parent.mkdir()
    half = path.with_name("half.sqlite")
    other = sqlite3.connect(half, isolation_level=None)
    other.execute("PRAGMA cache_size = 1")
    other.execute("BEGIN IMMEDIATE")
    other.execute("CREATE TABLE items (x)")
    for _ in range(200):
        other.execute("INSERT INTO items VALUES (?)", ("x" * 1000,))
    for end in ("", "-journal"):
        shutil.copy(f"{half}{end}", f"{path}{end}")
    other.close()
    assert path.stat().st_size > 100_000, "nothing was written yet: nothing was tried"
    store = Store(path)
    store.commit(change(("a", None, "1")))
    assert store.items("s") == {"a": "1"}


def test_another_programs_database_stays_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.executescript("CREATE TABLE items (x); INSERT INTO items VALUES (1);")
    other.close()
    before = bytes_of(path)
    with pytest.raises(StoreError, match="no store of Mammoview"):
        Store(path).commit(change(("a", None, "1")))
    assert bytes_of(path) == before


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_store_with_a_damaged_page_is_never_written(path: Path, part: float) -> None:
    content = bytearray(filled(path).read_bytes())
    start = int(len(content) * part) // 4096 * 4096
    content[start : start + 4096] = b"\xa5" * 4096
    path.write_bytes(content)
    store = Store(path)
    with pytest.raises(StoreError, match="damaged"):
        store.commit(change(("new", None, "1")))
    assert path.read_bytes() == content


def test_a_store_cut_short_is_never_written(path: Path) -> None:
    content = filled(path).read_bytes()[:10_000]
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Store(path).commit(change(("new", None, "1")))
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "folder" / "work.sqlite")
    with pytest.raises(StoreError, match=r"work\.sqlite: it cannot be made or opened \(Not a directory\)"):
        store.items("s")


def test_a_store_in_the_place_of_a_folder_is_a_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="it is a folder"):
        Store(path).items("s")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_a_sentence(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be made or opened"):
        Store(path).items("s")


def test_a_file_that_cannot_be_written_is_only_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path, 1)
    before = bytes_of(path)
    monkeypatch.setattr("app.core.reading.store.os.access", lambda *_: False)  # root may write anywhere
    store = Store(path)
    assert set(store.items("s")) == {"item-0"}
    with pytest.raises(StoreError, match="it cannot be written"):
        store.commit(change(("a", None, "1")))
    store.close()
    assert bytes_of(path) == before


def test_a_store_locked_by_another_program_is_a_sentence_and_works_again(path: Path) -> None:
    store = Store(path, patience_s=0.1)
    store.commit(change(("a", None, "1")))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program holds it locked"):
        store.commit(change(("b", None, "2")))
    assert store.items("s") == {"a": "1"}
    other.execute("ROLLBACK")
    store.commit(change(("b", None, "2")))
    assert store.items("s") == {"a": "1", "b": "2"}


def test_a_full_disk_is_a_sentence_and_nothing_is_half_written(path: Path) -> None:
    store = Store(path)
    store.commit(change(("a", None, "1")))
    connection = store._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then says SQLITE_FULL, as on a full disk
    with pytest.raises(StoreError, match="the disk is full"):
        store.commit(change(*((f"b{n}", None, "x" * 2000) for n in range(50))))
    assert store.items("s") == {"a": "1"}
    connection.execute("PRAGMA max_page_count = 100000")
    store.commit(change(("b", None, "2")))
    assert store.items("s") == {"a": "1", "b": "2"}


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be moved there")
def test_a_store_moved_away_while_open_is_noticed(path: Path) -> None:
    store = Store(path)
    store.commit(change(("a", None, "1")))
    path.rename(path.with_name("moved.sqlite"))
    with pytest.raises(StoreError, match="moved or replaced"):
        store.commit(change(("b", None, "2")))
    # Then a new one is begun in its place, and the window is told to look again.
    store.commit(change(("c", None, "3")))
    assert store.items("s") == {"c": "3"}
    assert store.changed_elsewhere()


def test_every_sentence_is_one_line_that_names_the_file(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"x" * 1000)
    with pytest.raises(StoreError) as caught:
        Store(path).items("s")
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_store_with_random_damage_is_a_sentence_or_a_note_and_never_a_crash(tmp_path: Path) -> None:
    """Bytes changed, cut out and cut off anywhere; whatever is wrong, all there is is ours or a sentence."""
    good = tmp_path / "good.sqlite"
    store = Store(good)
    for number in range(60):
        store.commit(added("s", mark(f"m{number}"), reader="Dr Roe"))
    store.close()
    content, chance = good.read_bytes(), random.Random(5)
    outcomes: list[str] = []
    sentences: list[tuple[Path, str, bytes]] = []
    for number in range(120):
        bad = bytearray(content)
        for _ in range(chance.choice((1, 3, 40))):
            at = chance.randrange(len(bad))
            if number % 3 == 0:
                bad[at] ^= 1 << chance.randrange(8)
            elif number % 3 == 1:
                bad[at : at + chance.randrange(200)] = chance.randbytes(chance.randrange(200))
            else:
                bad = bad[: max(1, at)] if chance.random() < 0.1 else bad
                bad[at % len(bad)] = 0x7B
        path = tmp_path / f"bad-{number}.sqlite"
        path.write_bytes(bad)
        store = Store(path)
        try:
            work, notes = work_of("s", store.items("s"))
            rebuilt(store.log("s", "Dr Roe"))
            store.reads()
            store.changes("s")
            store.commit(change(("new", None, "1")))
            outcomes.append("notes" if notes else f"{len(work.annotations)} of 60")
        except StoreError as error:
            outcomes.append("sentence")
            sentences.append((path, str(error), bytes(bad)))
        finally:
            store.close()
    for path, sentence, before in sentences:
        assert sentence.startswith(str(path))
        if "damaged" in sentence:
            assert path.read_bytes() == before
    assert {"sentence", "notes", "60 of 60"} <= set(outcomes)

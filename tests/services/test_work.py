"""The reader's work: seen at once, solid once it is on disk, undone through the log, never overwritten."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.reading.annotations import Annotation, new_annotation
from app.core.reading.history import Change, Edit
from app.core.reading.items import work_of
from app.core.reading.migrations import MIGRATIONS
from app.core.reading.store import Store
from app.core.reading.work import WorkState
from app.services import ledger
from app.services.work import ReaderWork

Open = Callable[..., ReaderWork]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work.sqlite"


@pytest.fixture
def opened(qtbot: QtBot, path: Path) -> Iterator[Open]:
    """Open windows' work on one store, as different programs would."""
    every: list[ReaderWork] = []

    def open_it(study: str = "s", *priors: str, reader: str = "Dr Roe", wait: bool = True) -> ReaderWork:
        work = ReaderWork(store=Store(path, patience_s=0.2), reader=reader)
        every.append(work)
        work.begin(study, priors)
        if wait:
            qtbot.waitUntil(lambda: not work.loading)
        return work

    yield open_it
    for work in every:
        work.stop()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for other windows' changes, and try again, twenty times a second."""
    monkeypatch.setattr(ledger, "POLL_MS", 50)
    monkeypatch.setattr(ledger, "RETRY_TICKS", 1)


@pytest.fixture
def saved(qtbot: QtBot) -> Callable[[ReaderWork], None]:
    """Wait until all is on disk."""

    def wait(work: ReaderWork) -> None:
        qtbot.waitUntil(lambda: not work._ledger.pending)

    return wait


def mark(row: float = 1.0, image: str = "1.2") -> Annotation:
    return new_annotation("length", image, 0, ((row, 2.0), (3.0, 4.0)))


def on_disk(path: Path, study: str = "s") -> tuple[Annotation, ...]:
    store = Store(path)
    try:
        return work_of(study, store.items(study))[0].annotations
    finally:
        store.close()


def heard(work: ReaderWork) -> list[str]:
    said: list[str] = []
    work.message.connect(said.append)
    return said


# In memory


def test_everything_can_be_undone_and_done_again() -> None:
    work = ReaderWork()
    work.begin("s")
    first = mark()
    work.add(first)
    work.change(moved := replace(first, points=((9.0, 9.0), (3.0, 4.0))))
    work.toggle_key_image("1.2")
    work.set_report('{"density": "b"}', "density b")
    work.remove(first.uid)
    labels = ["length deleted", "density b", "key image chosen", "length changed", "length drawn"]
    seen = [work.state]
    for label in labels:
        assert (work.state.undo, work.state.pending) == (label, frozenset())
        work.undo()
        assert work.state.redo == label
        seen.append(work.state)
    assert [len(state.work.annotations) for state in seen] == [0, 1, 1, 1, 1, 0]
    assert seen[1].work.annotations == (moved,)
    assert seen[4].work.annotations == (first,)
    assert [state.work.report for state in seen] == ['{"density": "b"}'] * 2 + [""] * 4
    assert [state.work.key_images for state in seen] == [(("1.2", 0),)] * 3 + [()] * 3
    assert work.state.undo == ""
    work.undo()
    for state in reversed(seen[:-1]):
        work.redo()
        assert work.state.work == state.work
    assert work.state.redo == ""
    work.redo()
    assert work.state.work == seen[0].work


def test_a_new_change_ends_what_could_be_done_again() -> None:
    work = ReaderWork()
    work.begin("s")
    work.add(mark())
    work.undo()
    work.add(mark())
    assert work.state.redo == ""
    assert len(work.state.work.annotations) == 1


def test_a_mark_on_a_prior_is_the_priors_and_is_undone_where_it_was_made() -> None:
    work = ReaderWork()
    work.begin("s", ["p", "q"])
    work.add(here := mark())
    work.add(there := mark(image="old"), "p")
    assert [each.annotations for each in work.state.priors] == [(there,), ()]
    assert work.state.work.annotations == (here,)
    assert work.state.selected == there.uid
    work.change(moved := replace(there, text="seen before"))
    assert work.state.priors[0].annotations == (moved,)
    work.remove(there.uid)
    work.undo()
    work.undo()
    assert work.state.priors[0].annotations == (there,)
    work.undo()
    assert work.state.priors[0].annotations == ()
    assert work.state.selected == ""
    work.begin("p")
    assert (work.state.undo, work.state.redo) == ("", "")
    work.begin("s", ["p"])
    assert (work.state.undo, work.state.redo) == ("length drawn", "length drawn")


def test_a_mark_on_another_study_on_screen_is_shown_too() -> None:
    work = ReaderWork()
    work.begin("s")
    work.add(elsewhere := mark(), "later")
    assert work.state.of_image("1.2") == (elsewhere,)


def test_what_changes_nothing_is_no_change() -> None:
    work = ReaderWork()
    work.begin("s")
    work.add(one := mark())
    work.change(one)
    work.change(mark())
    work.remove("unknown")
    work.set_report("")
    work.set_read("s", read=False)
    work.undo()
    assert work.state.undo == ""


def test_going_back_to_a_study_finds_the_work_on_it() -> None:
    work = ReaderWork()
    work.begin("a")
    work.add(one := mark())
    work.begin("b")
    assert work.state.work.annotations == ()
    assert work.state.undo == ""
    work.begin("a")
    assert work.state.work.annotations == (one,)
    work.undo()
    assert work.state.work.annotations == ()


def test_a_report_that_could_not_be_read_back_is_refused() -> None:
    work = ReaderWork()
    work.begin("s")
    with pytest.raises(ValueError, match="no JSON"):
        work.set_report("density b")


# On disk


def test_a_mark_is_solid_only_once_it_is_on_disk(
    opened: Open, path: Path, saved: Callable[..., None]
) -> None:
    work = opened()
    states: list[WorkState] = []

    def check(state: WorkState) -> None:
        states.append(state)
        solid = {each.uid for each in state.work.annotations} - state.pending
        assert solid <= {each.uid for each in on_disk(path)}

    work.changed.connect(check)
    marks = [mark(row) for row in range(5)]
    for each in marks:
        work.add(each)
        assert each.uid in work.state.pending, "it was drawn solid before it could be on disk"
    saved(work)
    assert work.state.pending == frozenset()
    assert on_disk(path) == work.state.work.annotations == tuple(marks)
    assert any(0 < len(state.pending) < 5 for state in states), "one by one, in order"


def test_all_of_it_is_back_next_time(opened: Open, saved: Callable[..., None]) -> None:
    work = opened("s", "p")
    work.add(one := mark())
    work.add(two := mark(2))
    work.add(old := mark(3, "old"), "p")
    work.toggle_key_image("1.3", 7)
    work.toggle_key_image("1.2")
    work.set_report('{"density": "c"}', "density c")
    work.undo()
    saved(work)
    before = work.state
    assert work.stop()
    again = opened("s", "p")
    assert again.state.work == before.work
    assert again.state.work.annotations == (one, two)
    assert again.state.work.key_images == (("1.3", 7), ("1.2", 0))
    assert again.state.priors[0].annotations == (old,)
    assert (again.state.undo, again.state.redo) == ("key image chosen", "density c")
    again.redo()
    assert again.state.work.report == '{"density": "c"}'
    for _ in range(6):
        again.undo()
    saved(again)
    assert again.state.work.annotations == again.state.priors[0].annotations == ()
    assert again.state.undo == ""


def test_undo_follows_at_once_a_change_that_is_not_written_yet(
    opened: Open, path: Path, saved: Callable[..., None]
) -> None:
    work = opened()
    work.add(mark())
    work.undo()
    work.redo()
    work.undo()
    assert work.state.work.annotations == ()
    saved(work)
    assert on_disk(path) == ()
    log = Store(path).changes("s")
    assert [each.undoes for each in log] == [None, log[0].seq, log[1].seq, log[2].seq]


def test_stopping_writes_what_is_on_its_way(opened: Open, path: Path) -> None:
    work = opened()
    marks = tuple(mark(row) for row in range(30))
    for each in marks:
        work.add(each)
    assert work.state.pending
    assert work.stop()
    assert on_disk(path) == marks


def test_another_readers_work_is_not_undone_by_habit(opened: Open, saved: Callable[..., None]) -> None:
    work = opened(reader="Dr Roe")
    work.add(mark())
    saved(work)
    assert opened(reader="Dr Roe").state.undo == "length drawn"
    assert opened(reader="Dr Doe").state.undo == ""
    work.set_reader("Dr Doe")
    work.add(mark())
    saved(work)
    assert opened(reader="Dr Doe").state.undo == "length drawn"


def test_who_takes_over_undoes_nothing_of_who_read_before(
    opened: Open, saved: Callable[..., None], qtbot: QtBot
) -> None:
    work = opened()
    work.set_reader("Roe")
    work.begin("s")
    work.add(mark())
    saved(work)
    work.set_reader("Poe")
    assert work.state.undo == ""
    work.add(own := mark(2.0))
    saved(work)
    work.undo()
    work.undo()
    saved(work)
    assert len(work.state.work.annotations) == 1
    assert own not in work.state.work.annotations
    work.set_reader("Roe")
    qtbot.waitUntil(lambda: work.state.undo == "length drawn")


def test_a_second_study_begun_while_the_first_is_read_wins(opened: Open, qtbot: QtBot) -> None:
    work = opened("a")
    work.add(mark())
    assert work.stop()
    late = opened("a", wait=False)
    shown: list[WorkState] = []
    late.changed.connect(shown.append)
    late.begin("b")
    qtbot.waitUntil(lambda: not late.loading)
    qtbot.wait(50)
    assert late.state.work.study == "b"
    assert all(state.work.annotations == () for state in shown)


def test_a_mark_drawn_while_the_study_is_still_being_read_joins_the_others(
    opened: Open, path: Path, saved: Callable[..., None]
) -> None:
    work = opened()
    work.add(one := mark())
    assert work.stop()
    late = opened(wait=False)
    late.add(two := mark(2))
    late.toggle_key_image("1.2")
    assert late.loading
    assert late.state.work.annotations == (two,)
    saved(late)
    assert late.state.work.annotations == on_disk(path) == (one, two)
    assert late.state.work.key_images == (("1.2", 0),)
    assert late.state.undo == "key image chosen"


def test_a_report_begun_before_the_kept_one_was_read_does_not_overwrite_it(
    opened: Open, saved: Callable[..., None]
) -> None:
    work = opened()
    work.set_report('{"density": "c"}')
    assert work.stop()
    late = opened(wait=False)
    said = heard(late)
    late.set_report('{"density": "a"}')
    saved(late)
    assert late.state.work.report == '{"density": "c"}'
    assert said == ["Another window changed the report in the meantime; your change was not kept."]


# Two windows


@pytest.mark.usefixtures("quick")
def test_two_windows_see_each_others_marks(opened: Open, qtbot: QtBot) -> None:
    one, two = opened(), opened()
    one.add(left := mark())
    two.add(right := mark(2))
    both = {left.uid, right.uid}
    for work in (one, two):
        qtbot.waitUntil(lambda work=work: {each.uid for each in work.state.work.annotations} == both)
        qtbot.waitUntil(lambda work=work: not work.state.pending)
    one.set_read("another")
    qtbot.waitUntil(lambda: two.reads == {"another"})


@pytest.mark.usefixtures("quick")
def test_undo_takes_back_ones_own_last_change_not_the_other_windows(
    opened: Open, qtbot: QtBot, saved: Callable[..., None]
) -> None:
    one, two = opened(), opened()
    one.add(mine := mark())
    saved(one)
    two.add(theirs := mark(2))
    qtbot.waitUntil(lambda: one.state.find(theirs.uid) is not None)
    one.undo()
    assert one.state.work.annotations == (theirs,)
    assert mine.uid not in {each.uid for each in one.state.work.annotations}


def test_what_another_window_changed_is_not_overwritten(
    opened: Open, path: Path, qtbot: QtBot, saved: Callable[..., None]
) -> None:
    one = opened()
    one.add(drawn := mark())
    one.add(free := mark(7))
    saved(one)
    two = opened()
    said = heard(two)
    one.change(theirs := replace(drawn, text="theirs"))
    saved(one)
    two.change(replace(drawn, text="mine"))
    two.change(replace(drawn, text="mine again"))  # made from the one above: goes with it, in silence
    two.change(moved := replace(free, text="moved"))
    saved(two)
    qtbot.waitUntil(lambda: two.state.work.annotations == (theirs, moved))
    assert said == ["Another window changed that mark in the meantime; your change was not kept."]
    assert on_disk(path) == (theirs, moved)
    two.undo()
    assert two.state.work.annotations == (theirs, free)


def test_an_undo_does_not_overwrite_newer_work_and_does_not_stick(
    opened: Open, saved: Callable[..., None]
) -> None:
    one = opened()
    one.add(first := mark())
    one.add(second := mark(2))
    saved(one)
    two = opened()
    two.change(theirs := replace(second, text="theirs"))
    saved(two)
    said = heard(one)
    one.undo()
    saved(one)
    assert said == [
        "Another window changed that mark in the meantime; your change cannot be taken back or done again."
    ]
    one._ledger._load()
    one.undo()
    saved(one)
    assert one.state.find(first.uid) is None
    assert one.state.find(second.uid) == theirs


# Read marks


def test_read_marks_are_kept_for_all_studies(opened: Open, saved: Callable[..., None]) -> None:
    work = opened("a")
    told: list[frozenset[str]] = []
    work.reads_changed.connect(told.append)
    work.set_read("a")
    work.set_read("b")
    assert work.reads == told[-1] == {"a", "b"}
    assert work.state.work.read
    work.set_read("b", read=False)
    work.set_read("c")
    assert work.stop()
    again = opened("z")
    assert again.reads == {"a", "c"}
    again.begin("a")


def test_a_read_mark_can_be_taken_back() -> None:
    work = ReaderWork()
    work.begin("a")
    work.set_read("a")
    assert work.state.undo == "marked as read"
    work.undo()
    assert work.reads == frozenset()
    work.redo()
    assert work.reads == {"a"}


# A store that is not well


@pytest.mark.usefixtures("quick")
def test_a_locked_store_holds_nobody_up_and_is_written_later(
    opened: Open, path: Path, qtbot: QtBot, saved: Callable[..., None]
) -> None:
    work = opened()
    work.add(first := mark())
    saved(work)
    said = heard(work)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    work.add(second := mark(2))
    work.add(third := mark(3))
    assert work.state.refused == ""  # nobody waited for the store, which is locked for as long as it likes
    qtbot.waitUntil(lambda: bool(work.state.refused))
    assert work.state.refused == f"{path}: another program holds it locked"
    assert work.state.work.annotations == (first, second, third)
    assert work.state.pending == {second.uid, third.uid}
    assert said == [f"What you mark now is not saved: {work.state.refused}."]
    other.execute("ROLLBACK")
    saved(work)
    assert work.state.refused == ""
    assert said[-1] == "Your work is saved again."
    assert on_disk(path) == (first, second, third)


def test_with_a_newer_store_one_can_look_and_mark_but_not_keep(
    opened: Open, path: Path, qtbot: QtBot, saved: Callable[..., None]
) -> None:
    work = opened()
    work.add(kept := mark())
    assert work.stop()
    later = Store(path, migrations=(*MIGRATIONS, "CREATE TABLE later (x);\n"))
    later.items("s")
    later.close()  # else what it wrote goes into the file whenever it is collected
    before = path.read_bytes()
    late = opened()
    assert late.state.work.annotations == (kept,)
    newer, known = len(MIGRATIONS) + 1, len(MIGRATIONS)
    assert late.state.refused == (
        f"{path}: a newer Mammoview wrote it (version {newer}, this one knows {known}); it is only read"
    )
    late.add(new := mark(2))
    qtbot.wait(100)
    assert late.state.work.annotations == (kept, new)
    assert late.state.pending == {new.uid}
    late.undo()
    assert late.state.work.annotations == (kept,)
    assert not late.stop()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xa5" * 9000])
def test_a_damaged_store_is_told_and_stays_and_one_can_still_measure(
    opened: Open, path: Path, qtbot: QtBot, content: bytes
) -> None:
    path.write_bytes(content)
    work = opened()
    assert work.state.refused.startswith(f"{path}: it is damaged")
    work.add(one := mark())
    work.add(two := mark(2))
    work.toggle_key_image("1.2")
    qtbot.wait(50)
    work.undo()
    assert work.state.work.annotations == (one, two)
    assert work.state.pending == {one.uid, two.uid}
    work.begin("other")
    work.begin("s")
    qtbot.waitUntil(lambda: not work.loading)
    assert work.state.work.annotations == (one, two)
    assert not work.stop()
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_made_stops_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    work = ReaderWork(store=Store(tmp_path / "file" / "work.sqlite"))
    work.begin("s")
    qtbot.waitUntil(lambda: bool(work.state.refused))
    work.add(one := mark())
    assert work.state.work.annotations == (one,)
    work.stop()


def test_an_item_that_cannot_be_read_is_told_and_stays(opened: Open, path: Path, qtbot: QtBot) -> None:
    work = opened()
    work.add(good := mark())
    assert work.stop()
    store = Store(path)
    store.commit(Change("s", "x", (Edit("annotation/bad", None, "{}"), Edit("report", None, "nonsense"))))
    late = opened(wait=False)
    said = heard(late)
    qtbot.waitUntil(lambda: not late.loading)
    assert late.state.work.annotations == (good,)
    assert len(said) == 1
    assert said[0].startswith("2 items of the work kept on a study cannot be read")
    # A report begun in place of the bad one: the bad one is still in the log.
    late.set_report('{"density": "a"}')
    assert late.stop()
    assert store.items("s")["annotation/bad"] == "{}"
    assert store.items("s")["report"] == '{"density": "a"}'
    assert store.changes("s")[-1].edits == (Edit("report", "nonsense", '{"density": "a"}'),)


def test_who_and_when_is_kept_with_every_change(opened: Open, path: Path) -> None:
    work = opened(reader="Dr Roe")
    work.set_read("s")
    work.toggle_key_image("1.2")
    work.undo()
    assert work.stop()
    log = Store(path).changes("s")
    assert [each.reader for each in log] == ["Dr Roe"] * 3
    assert all(each.made.startswith("20") and each.made.endswith("+00:00") for each in log)
    assert json.loads(log[0].edits[0].after or "")["reader"] == "Dr Roe"

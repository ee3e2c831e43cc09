"""What the store said it kept is there after the program was killed, at any moment, again and again."""

from __future__ import annotations

import itertools
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from app.core.reading.items import work_of
from app.core.reading.store import Store

WRITER = Path(__file__).with_name("mark_writer.py")
KILLS = 50


def started(root: Path, store: Path, prefix: str, *options: str) -> subprocess.Popen[str]:
    """Start the program that adds marks."""
    command = [sys.executable, "-c", f"import runpy, sys; sys.path.insert(0, {str(root)!r}); "]
    command[-1] += (
        f"sys.argv = [{str(WRITER)!r}, *sys.argv[1:]]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    arguments = [str(store), "study", prefix, *options]
    return subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def sound(path: Path) -> bool:
    connection = sqlite3.connect(path)
    try:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)] and not broken
    finally:
        connection.close()


def test_a_mark_that_was_said_to_be_saved_survives_every_kill(tmp_path: Path, root: Path) -> None:
    path, told = tmp_path / "work.sqlite", set[str]()
    chance = random.Random(3)
    per_kill = []
    for number in range(KILLS):
        program = started(root, path, f"run{number}")
        assert program.stdout is not None
        # Each fifth is killed while it starts, maybe before it has made or opened the store.
        early = number % 5 == 0
        first = "" if early else program.stdout.readline()
        time.sleep(chance.uniform(0.04, 0.2) if early else chance.uniform(0, 0.06))
        program.kill()
        lines = [first, *program.stdout.read().splitlines(keepends=True)]
        program.wait()
        # The line in hand when it was killed may be cut short: it was not told.
        now = {line.strip() for line in lines if line.endswith("\n")}
        assert now or early, "the program was killed before it kept anything: nothing was tried"
        per_kill.append(len(now))
        told |= now
        store = Store(path)
        work, notes = work_of("study", store.items("study"))
        logged = {edit.item for change in store.changes("study") for edit in change.edits}
        store.close()
        there = {each.uid for each in work.annotations}
        assert told <= there
        assert notes == ()
        # All or nothing: what is there is in the log, and the other way round.
        assert logged == {f"annotation/{uid}" for uid in there}
        # At most the stroke in hand was kept without having been told.
        assert len(there) <= len(told) + number + 1
        assert sound(path)
    assert max(per_kill) > 3


def test_two_programs_that_write_at_once_lose_nothing(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "work.sqlite"
    programs = [started(root, path, prefix, "--led") for prefix in ("left", "right")]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    # Neither stops before both have kept forty: however the machine shares its time, they write at once.
    told = set[str]()
    for program in programs:
        assert program.stdout is not None
        told |= {program.stdout.readline().strip() for _ in range(40)}
    for program in programs:
        assert program.stdin is not None
        program.stdin.close()
    for program in programs:
        assert program.stdout is not None
        told |= set(program.stdout.read().split())
    assert [program.wait() for program in programs] == [0, 0]
    work, _ = work_of("study", Store(path).items("study"))
    there = [each.uid for each in work.annotations]
    assert len(there) == len(told) >= 80
    assert set(there) == told
    sides = [uid.split("-")[0] for uid in there]
    turns = sum(one != other for one, other in itertools.pairwise(sides))
    assert turns > 1, "they did not write at the same time: nothing was tried"

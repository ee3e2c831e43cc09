"""What would be undone and done again, by the usual rule, and rebuilt from the log alone."""

from __future__ import annotations

import random
from dataclasses import replace

from app.core.reading.history import LIMIT, Change, Edit, History, Step, inverse, rebuilt

EDITS = (Edit("a", None, "1"),)


def logged(*undoes: int | None) -> list[Change]:
    """Return a log; the n-th change (from 1) takes back the given one."""
    return [Change("s", f"change {n}", EDITS, undoes=of, seq=n) for n, of in enumerate(undoes, start=1)]


def seqs(history: History) -> tuple[list[int], list[int]]:
    return [step.seq for step in history.done], [step.seq for step in history.undone]


def test_the_inverse_takes_back_each_edit_last_first() -> None:
    edits = (Edit("a", None, "1"), Edit("b", "2", None))
    assert inverse(edits) == (Edit("b", None, "2"), Edit("a", "1", None))


def test_an_undone_change_can_be_done_again_until_something_new_is_done() -> None:
    assert seqs(rebuilt(logged(None, None))) == ([1, 2], [])
    assert seqs(rebuilt(logged(None, None, 2))) == ([1], [3])
    assert seqs(rebuilt(logged(None, None, 2, 1))) == ([], [3, 4])
    assert seqs(rebuilt(logged(None, None, 2, 3))) == ([1, 4], [])
    assert seqs(rebuilt(logged(None, None, 2, None))) == ([1, 4], [])
    assert seqs(rebuilt(logged(None, 1, 2, 3, 4))) == ([5], [])


def test_what_takes_back_a_change_before_the_log_ends_what_came_before_it() -> None:
    changes = [
        Change("s", "x", EDITS, seq=8),
        Change("s", "x", EDITS, undoes=7, seq=9),
        Change("s", "x", EDITS, seq=10),
    ]
    assert seqs(rebuilt(changes)) == ([10], [])


def test_a_change_whose_edits_are_lost_cannot_be_taken_back() -> None:
    one, two, three = logged(None, None, None)
    assert seqs(rebuilt([one, replace(two, edits=()), three])) == ([1, 3], [])


def test_no_more_than_the_limit_can_be_taken_back() -> None:
    history = rebuilt(logged(*[None] * (LIMIT + 5)))
    assert len(history.done) == LIMIT
    assert history.done[-1].seq == LIMIT + 5


def test_a_history_rebuilt_from_its_log_is_the_one_that_wrote_it() -> None:
    """Random walks, against the textbook: two stacks of labels."""
    chance = random.Random(1)
    for _ in range(200):
        history, log = History(), []
        past: list[str] = []
        future: list[str] = []
        for seq in range(1, 40):
            what = chance.choice(("do", "do", "undo", "redo"))
            stack = {"undo": history.undone, "redo": history.done}.get(what)
            of = {"undo": history.done, "redo": history.undone}.get(what)
            if of is None:
                step = Step(Change("s", f"change {seq}", EDITS, seq=seq), seq=seq)
                past, future = [*past, step.change.label], []
            elif of:
                taken = of[-1]
                step = Step(Change("s", taken.change.label, EDITS, undoes=taken.seq, seq=seq), taken, seq)
                a, b = (past, future) if stack is history.undone else (future, past)
                b.append(a.pop())
            else:
                continue
            history.take(step)
            log.append(step.change)
            assert [each.change.label for each in history.done] == past
            assert [each.change.label for each in history.undone] == future
        again = rebuilt(log)
        assert [each.change.label for each in again.done] == past
        assert [each.change.label for each in again.undone] == future

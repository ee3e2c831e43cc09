"""The bounded cache: the least recently asked for goes first, the newest stays."""

from __future__ import annotations

from app.services.kept import Kept


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    kept: Kept[str, int] = Kept(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1  # now b is the older one
    kept.put("c", 3)
    assert [key in kept for key in "abc"] == [True, False, True]
    assert kept.get("b") is None


def test_entries_are_weighed_and_replacing_one_does_not_count_twice() -> None:
    kept: Kept[str, bytes] = Kept(10, len)
    kept.put("a", b"1234")
    kept.put("a", b"123456")
    kept.put("b", b"1234")
    assert (kept.get("a"), kept.get("b")) == (b"123456", b"1234")
    kept.put("c", b"1")
    assert [key in kept for key in "abc"] == [False, True, True]


def test_the_newest_stays_even_where_it_alone_is_too_heavy() -> None:
    kept: Kept[str, bytes] = Kept(10, len)
    kept.put("a", b"1")
    kept.put("b", b"x" * 11)
    assert len(kept) == 1
    assert kept.get("b") is not None


def test_dropped_entries_give_their_room_back() -> None:
    kept: Kept[str, bytes] = Kept(10, len)
    kept.put("a", b"x" * 9)
    kept.forget(lambda key: key == "a")
    kept.put("b", b"x" * 5)
    kept.put("c", b"x" * 5)
    assert len(kept) == 2

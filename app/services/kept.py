"""A cache that is bounded: what was not asked for the longest goes first. No Qt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """At most so much of what was made, by key; the newest entry stays whatever it weighs.

    Parameters
    ----------
    most
        What all entries together may weigh.
    weigh
        Weight of one entry; by default entries are counted.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda value: 1) -> None:
        self._most = most
        self._weigh = weigh
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Key) -> bool:
        return key in self._entries

    def get(self, key: Key) -> Value | None:
        """Return an entry, or None where there is none (any more)."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: Key, value: Value) -> Value:
        """Keep an entry, and return it."""
        if key in self._entries:
            self._weight -= self._weigh(self._entries.pop(key))
        self._entries[key] = value
        self._weight += self._weigh(value)
        while self._weight > self._most and len(self._entries) > 1:
            self._weight -= self._weigh(self._entries.popitem(last=False)[1])
        return value

    def forget(self, unwanted: Callable[[Key], bool]) -> None:
        """Drop the entries with keys for which `unwanted` is true."""
        for key in [key for key in self._entries if unwanted(key)]:
            self._weight -= self._weigh(self._entries.pop(key))

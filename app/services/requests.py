"""What the library is asked to decode, and in which order it is done; no Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

from app.core.imaging.image import Image

Kind = Literal["look", "frame", "thumbnail"]
RequestKey = tuple[Kind, tuple[str, str], int]


class Urgency(IntEnum):
    """How soon a request is due; small first."""

    LOOK = 0
    SCREEN = 1
    STUDY = 2
    NEXT = 3
    THUMBNAIL = 4


BACKGROUND = frozenset({Urgency.NEXT, Urgency.THUMBNAIL})
"""Never all threads at once: one stays free for the screen."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to decode.

    Attributes
    ----------
    kind
        ``look`` (reduced resolution, at once), ``frame`` (all of it) or ``thumbnail``.
    frame
        0-based.
    """

    kind: Kind
    image: Image
    frame: int
    urgency: Urgency

    @property
    def key(self) -> RequestKey:
        """What makes two requests the same."""
        return (self.kind, self.image.key, self.frame)

    @property
    def place(self) -> tuple[tuple[str, str], int]:
        """The frame that is asked for: (image key, 0-based frame)."""
        return (self.image.key, self.frame)


class RequestQueue:
    """Requests waiting for a thread: most urgent first, then first come first served."""

    def __init__(self) -> None:
        self._waiting: dict[RequestKey, tuple[int, Request]] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: RequestKey) -> bool:
        return key in self._waiting

    def add(self, request: Request) -> None:
        """Queue a request; one that waits already is made more urgent, never less."""
        waiting = self._waiting.get(request.key)
        if waiting is not None and waiting[1].urgency <= request.urgency:
            return
        self._count += 1
        self._waiting[request.key] = (self._count, request)

    def relax(self, wanted: Callable[[Request], bool], urgency: Urgency) -> None:
        """Lower every request for the screen that is no longer wanted there; looks are dropped."""
        for key, (place, request) in list(self._waiting.items()):
            if request.urgency > Urgency.SCREEN or wanted(request):
                continue
            if request.kind == "look":
                del self._waiting[key]
            else:
                self._waiting[key] = (place, replace(request, urgency=urgency))

    def drop(self, unwanted: Callable[[Request], bool]) -> None:
        """Forget the requests for which `unwanted` is true."""
        for key, (_, request) in list(self._waiting.items()):
            if unwanted(request):
                del self._waiting[key]

    def pop(self, *, background: bool) -> Request | None:
        """Take the next request, or None; `background` False leaves prefetch and thumbnails waiting."""
        ready = [
            (request.urgency, place, key)
            for key, (place, request) in self._waiting.items()
            if background or request.urgency not in BACKGROUND
        ]
        if not ready:
            return None
        return self._waiting.pop(min(ready)[2])[1]

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()

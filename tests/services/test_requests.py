"""The order in which things are decoded."""

from __future__ import annotations

from pathlib import Path

from app.core.imaging.image import Image
from app.services.requests import Request, RequestQueue, Urgency


def request(name: str, urgency: Urgency, kind: str = "frame") -> Request:
    return Request(kind, Image(path=Path(name), sop_uid=name), 0, urgency)  # type: ignore[arg-type]


def order(queue: RequestQueue, background: bool = True) -> list[str]:
    taken = []
    while (found := queue.pop(background=background)) is not None:
        taken.append(found.image.sop_uid)
    return taken


def test_the_screen_comes_before_the_study_and_thumbnails_come_last() -> None:
    queue = RequestQueue()
    for urgency in reversed(Urgency):
        queue.add(request(urgency.name, urgency))
    assert order(queue) == ["LOOK", "SCREEN", "STUDY", "NEXT", "THUMBNAIL"]


def test_first_come_is_first_served_among_equals() -> None:
    queue = RequestQueue()
    for name in "cab":
        queue.add(request(name, Urgency.SCREEN))
    assert order(queue) == ["c", "a", "b"]


def test_a_request_is_made_more_urgent_and_never_less() -> None:
    queue = RequestQueue()
    queue.add(request("a", Urgency.STUDY))
    queue.add(request("b", Urgency.NEXT))
    queue.add(request("b", Urgency.SCREEN))
    queue.add(request("b", Urgency.THUMBNAIL))
    assert len(queue) == 2
    assert order(queue) == ["b", "a"]


def test_prefetch_and_thumbnails_can_be_left_waiting() -> None:
    queue = RequestQueue()
    queue.add(request("next", Urgency.NEXT))
    queue.add(request("small", Urgency.THUMBNAIL, "thumbnail"))
    queue.add(request("study", Urgency.STUDY))
    assert order(queue, background=False) == ["study"]
    assert len(queue) == 2


def test_what_left_the_screen_gives_way_to_what_came() -> None:
    queue = RequestQueue()
    queue.add(request("old", Urgency.SCREEN))
    queue.add(request("old", Urgency.LOOK, "look"))
    queue.add(request("kept", Urgency.SCREEN))
    queue.relax(lambda each: each.image.sop_uid == "kept", Urgency.STUDY)
    queue.add(request("new", Urgency.SCREEN))
    assert order(queue) == ["kept", "new", "old"]


def test_unwanted_requests_are_dropped() -> None:
    queue = RequestQueue()
    for name in "abc":
        queue.add(request(name, Urgency.STUDY))
    queue.drop(lambda each: each.image.sop_uid == "b")
    assert request("a", Urgency.STUDY).key in queue
    assert order(queue) == ["a", "c"]

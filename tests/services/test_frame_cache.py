"""The frame cache: bounded in bytes, least recently used first, pinned never."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from app.core.imaging.background import Surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.image import Grey, Image, Window
from app.core.imaging.pyramid import build
from app.services.frames import MIB, FrameCache, FramePixels, default_budget, physical_memory


def frame(name: str, rows: int = 100, columns: int = 100) -> FramePixels:
    image = Image(path=Path(name), sop_uid=name, rows=rows, columns=columns)
    stored = np.zeros((rows, columns), np.uint16)
    mask = np.zeros((rows, columns), bool)
    pyramid = build(stored, Surroundings(mask, None), Grey())
    window = (Window(1, 2),)
    box = (0, 0, rows, columns)
    return FramePixels(image, 0, stored, mask, pyramid, window, False, False, box, Affine.identity())


SIZE = frame("x").nbytes


def test_the_bytes_of_a_frame_are_its_pixels_its_mask_and_its_pyramid() -> None:
    assert SIZE == 100 * 100 * (2 + 1)  # too small for a pyramid
    assert frame("x", 1024, 1024).nbytes == 1024 * 1024 * (2 + 1) + 512 * 512 * 2


def test_a_four_view_exam_takes_at_most_three_times_its_pixels() -> None:
    rows, columns = 1024, 832
    image = Image(path=Path("a"), sop_uid="a", rows=rows, columns=columns)
    stored = np.full((rows, columns), 500, np.uint16)
    mask = np.zeros((rows, columns), bool)
    mask[:, :300] = True
    for padding in (mask, None):
        pyramid = build(stored, Surroundings(mask, padding), Grey())
        box = (0, 0, rows, columns)
        one = FramePixels(image, 0, stored, mask, pyramid, (), False, False, box, Affine.identity())
        assert one.nbytes <= 2.1 * stored.nbytes


def test_the_cache_never_holds_more_than_its_budget() -> None:
    cache = FrameCache(3 * SIZE)
    for number in range(10):
        cache.put(frame(str(number)))
        assert cache.nbytes <= 3 * SIZE
    assert len(cache) == 3


def test_the_least_recently_used_goes_first() -> None:
    cache = FrameCache(3 * SIZE)
    for name in "abc":
        cache.put(frame(name))
    assert cache.get((("a", "a"), 0)) is not None
    cache.put(frame("d"))
    assert [name for name in "abcd" if ((name, name), 0) in cache] == ["a", "c", "d"]


def test_looking_without_using_does_not_keep_a_frame() -> None:
    cache = FrameCache(2 * SIZE)
    cache.put(frame("a"))
    cache.put(frame("b"))
    assert cache.peek((("a", "a"), 0)) is not None
    cache.put(frame("c"))
    assert (("a", "a"), 0) not in cache


def test_the_current_screen_is_never_thrown_out() -> None:
    cache = FrameCache(2 * SIZE)
    cache.pin([((name, name), 0) for name in "abcd"])
    for name in "abcdef":
        cache.put(frame(name))
    assert [name for name in "abcdef" if ((name, name), 0) in cache] == list("abcd")
    cache.pin([(("a", "a"), 0)])
    assert cache.nbytes <= 2 * SIZE
    assert (("a", "a"), 0) in cache


def test_a_replaced_frame_is_counted_once() -> None:
    cache = FrameCache(10 * SIZE)
    cache.put(frame("a"))
    cache.put(frame("a", 200, 100))
    assert cache.nbytes == 200 * 100 * 3
    cache.remove((("a", "a"), 0))
    assert cache.nbytes == 0


def test_room_is_what_can_be_had_without_losing_what_is_kept() -> None:
    cache = FrameCache(4 * SIZE)
    for name in "abc":
        cache.put(frame(name))
    cache.pin([(("a", "a"), 0)])
    assert cache.room() == 3 * SIZE
    cache.keep([(("b", "b"), 0)])
    assert cache.room() == 2 * SIZE


def test_the_study_that_is_read_goes_only_when_nothing_else_is_left() -> None:
    cache = FrameCache(3 * SIZE)
    cache.keep([(("a", "a"), 0), (("b", "b"), 0)])
    for name in "abcd":
        cache.put(frame(name))
    assert [name for name in "abcd" if ((name, name), 0) in cache] == ["a", "b", "d"]
    cache.pin([(("d", "d"), 0), (("e", "e"), 0)])
    cache.put(frame("e"))
    assert [name for name in "abcde" if ((name, name), 0) in cache] == ["b", "d", "e"]


def test_all_frames_of_an_image_are_forgotten_together() -> None:
    cache = FrameCache(4 * SIZE)
    cache.put(frame("a"))
    cache.put(frame("b"))
    cache.forget(("a", "a"))
    assert len(cache) == 1
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


def test_the_default_budget_is_a_quarter_of_the_memory_at_most_four_gib() -> None:
    assert default_budget(0) == min(physical_memory() // 4, 4096 * MIB)
    assert default_budget(100) == 100 * MIB
    assert physical_memory() > 256 * MIB

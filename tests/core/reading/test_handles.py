"""Taking hold of a mark and moving it, or a part of it."""

from __future__ import annotations

from pathlib import Path

from app.core.imaging.image import Image
from app.core.reading.annotations import new_annotation
from app.core.reading.handles import clipped, handles, identity, moved, reshaped

IMAGE = Image(Path("made.dcm"), "image", rows=100, columns=80)
BOX = new_annotation("rectangle", "image", 0, ((10, 20), (30, 60)))
LINE = new_annotation("length", "image", 0, ((10, 20), (30, 60)))


def test_a_box_is_held_by_its_corners_and_sides_a_line_by_its_ends():
    assert handles(BOX)[:4] == ((10, 20), (10, 60), (30, 60), (30, 20))
    assert handles(BOX)[4:] == ((10, 40), (20, 60), (30, 40), (20, 20))
    assert handles(LINE) == ((10, 20), (30, 60))


def test_a_corner_moves_two_sides_and_leaves_the_opposite_corner():
    assert reshaped(BOX, 1, (5, 70)).points == ((5, 20), (30, 70))


def test_a_side_moves_in_one_direction_only():
    assert reshaped(BOX, 6, (50, 3)).points == ((10, 20), (50, 60))


def test_an_end_moves_alone():
    assert reshaped(LINE, 0, (1, 2)).points == ((1, 2), (30, 60))


def test_a_mark_stays_as_it_is_when_reshaped_in_all_but_its_points():
    news = reshaped(LINE, 0, (1, 2))
    assert (news.uid, news.made, news.kind) == (LINE.uid, LINE.made, LINE.kind)


def test_a_mark_moves_no_farther_than_the_image_reaches():
    assert moved(LINE, 2, -5, IMAGE).points == ((12, 15), (32, 55))
    assert moved(LINE, 500, -500, IMAGE).points == ((79.5, -0.5), (99.5, 39.5))


def test_points_outside_are_put_on_the_edge_of_the_image():
    assert clipped((-7, 90), IMAGE) == (-0.5, 79.5)
    assert clipped((3.25, 4.75), IMAGE) == (3.25, 4.75)


def test_an_image_without_a_uid_is_known_by_its_path():
    assert identity(IMAGE) == "image"
    assert identity(Image(Path("made.png"), "")) == "made.png"

"""Zooming large images: only the latest place is drawn, a sketch at once and the exact pixels soon after."""

from __future__ import annotations

import numpy as np
import pytest
from ui_desk import frame_of, study_of

from app.core.imaging.geometry import Affine
from app.core.imaging.image import Grey, Window
from app.ui import grid as grid_module
from app.ui.painting import enlarged, painted, resampled, sketched

ROWS, COLUMNS = 1280, 1024


def slope(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """Stored values that rise by one a row and by two a column, none of them 0."""
    row, col = np.mgrid[0:rows, 0:columns]
    return (1 + row + 2 * col).astype(np.uint16)


@pytest.fixture
def large(desk, monkeypatch):
    """Four large views, on a machine that takes its time."""
    monkeypatch.setattr(grid_module, "SLOW_S", 0.0)
    study = study_of(rows=ROWS, columns=COLUMNS)
    desk.open(study, decoded=False)
    for image in study.images:
        desk.library.give(frame_of(image, slope()))
    paint(desk)
    return desk


def paint(desk):
    for view in desk.window.grid.viewports:
        view.repaint()


def work(desk):
    """(exact resamplings, sketches) of each pane so far."""
    return [(view.raster.resamplings, view.raster.sketches) for view in desk.window.grid.viewports]


def test_the_first_sight_of_an_image_is_exact(large):
    assert work(large) == [(1, 0)] * 4
    assert large.window.grid.loading == (4, 4)


def test_a_zoom_is_sketched_at_once_and_exact_when_the_hand_rests(large, qtbot):
    for _ in range(5):
        large.session.zoom_at(1, 1.1)
    paint(large)
    assert work(large) == [(1, 1)] * 4  # five steps, one picture
    assert large.window.grid.loading == (0, 4)
    qtbot.waitUntil(lambda: large.window.grid.loading == (4, 4))
    assert work(large) == [(2, 1)] * 4
    assert large.window.status.text("work") == ""


def test_a_picture_that_would_be_sketched_is_not_settled_before_it_is_painted(large, qtbot):
    large.session.zoom_at(1, 1.1)
    assert large.window.grid.loading == (0, 4)
    qtbot.waitUntil(lambda: large.window.grid.loading == (4, 4))
    paint(large)  # what a picture of the window does
    assert not any(view.raster.is_sketch for view in large.window.grid.viewports)
    assert large.window.grid.loading == (4, 4)


def test_the_status_line_says_that_the_picture_is_not_exact_yet_and_forgets_it(large, qtbot):
    large.session.zoom_at(1, 1.1)
    paint(large)
    large.session.set_overlay(corner="off")
    assert large.window.status.text("work") == "refining 0/4"
    paint(large)  # the overlay alone changed, so that this is exact already
    qtbot.waitUntil(lambda: large.window.status.text("work") == "")


def test_the_pane_in_the_readers_hand_is_exact_first(large):
    large.session.set_active(2)
    large.session.zoom_at(2, 1.1)
    paint(large)
    large.window.grid._rest.stop()
    large.window.grid._refine()
    assert [exact for exact, _ in work(large)] == [1, 1, 2, 1]


def test_a_pane_that_cannot_be_seen_is_not_painted_over_and_over(large, qtbot):
    large.session.zoom_at(1, 1.1)
    paint(large)
    changes = []
    large.window.grid.scenes_changed.connect(lambda: changes.append(1))
    large.window.hide()
    qtbot.wait(5 * grid_module.REST_MS)
    assert len(changes) < 10  # one when the hand rests; without an end it would be hundreds
    large.window.show()
    qtbot.waitUntil(lambda: large.window.grid.loading == (4, 4))
    qtbot.waitUntil(lambda: large.window.status.text("work") == "")


def test_what_will_take_long_is_sketched_however_quick_the_last_was(large, monkeypatch):
    """The pace counts, not the seconds: a larger picture at the same pace takes longer."""
    monkeypatch.setattr(grid_module, "SLOW_S", 1.0)
    views = large.window.grid.viewports
    for view in views:
        view.raster.pace = 1e-9  # a million values in a thousandth of a second
    large.session.zoom_at(1, 1.1)
    paint(large)
    assert work(large) == [(2, 0)] * 4
    for view in views:
        view.raster.pace = 1e-3
    large.session.zoom_at(1, 1.1)
    paint(large)
    assert work(large) == [(2, 1)] * 4


def test_a_turned_page_is_exact_at_once_and_a_zoom_when_the_hand_rests(large, qtbot, monkeypatch):
    monkeypatch.setattr(grid_module, "REST_MS", 10_000_000)
    large.session.next_stage()
    paint(large)
    shown = [view for view in large.window.grid.viewports if view.isVisible()]
    assert any(view.raster.is_sketch for view in shown)
    qtbot.waitUntil(lambda: not any(view.raster.is_sketch for view in shown))
    qtbot.wait(10 * grid_module.TURN_MS)  # what was refined asks once more whether anything is left
    large.session.zoom_at(0, 1.1)
    paint(large)
    qtbot.wait(10 * grid_module.TURN_MS)
    assert any(view.raster.is_sketch for view in shown)


def test_another_size_is_no_motion_of_the_hand(large, qtbot, monkeypatch):
    monkeypatch.setattr(grid_module, "REST_MS", 10_000_000)
    large.session.set_sizing("actual")
    paint(large)
    assert large.window.grid.loading == (0, 4)
    qtbot.waitUntil(lambda: large.window.grid.loading == (4, 4))


def test_small_images_are_never_sketched(four_views, monkeypatch):
    monkeypatch.setattr(grid_module, "SLOW_S", 0.0)
    paint(four_views)
    four_views.session.zoom_at(0, 1.3)
    paint(four_views)
    assert {sketches for _, sketches in work(four_views)} == {0}


def test_a_sketch_lies_where_the_exact_picture_lies_and_has_its_values(qapp):
    """On a slope the mean over a larger area about the same centre is the same value."""
    (image,) = study_of(
        "RCC", rows=ROWS, columns=COLUMNS, grey=(Grey(voi=(Window(2048, 4096),), bits_stored=12),)
    ).images
    frame = frame_of(image, slope())
    affine = Affine(np.array([[0.37, 0.0, -31.3], [0.0, 0.37, 12.6]]))
    from app.services.state import ViewportState

    pictures = []
    for made in (
        painted(resampled(frame, affine, (300, 400), invert=False), frame, ViewportState()),
        enlarged(painted(sketched(frame, affine, (300, 400), invert=False), frame, ViewportState())),
    ):
        pane = np.zeros((304, 404), np.int16)
        values, top, left = made[0].pixels, made[1], made[2]
        part = pane[top : top + values.shape[0], left : left + values.shape[1]]
        part[...] = values[: part.shape[0], : part.shape[1]]
        pictures.append(pane[2:298, 20:380])  # away from the image's own edge
    assert pictures[0].max() > 100
    assert np.abs(pictures[0] - pictures[1]).max() <= 1

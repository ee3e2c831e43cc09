"""All pixels seen: the walk covers the breast, and only what really stood on screen counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from ui_desk import breast, frame_of, image_of, study_of
from ui_hand import press

from app.ui.overlays.overview import overview_affine
from app.ui.walking import DWELL_MS

ROWS, COLUMNS = 3000, 2000


@pytest.fixture
def large(desk):
    """One exam of views larger than the window, at actual pixels."""
    images = tuple(image_of(label, rows=ROWS, columns=COLUMNS) for label in ("RCC", "LCC"))
    study = study_of("RCC", "LCC")
    study = type(study)(study.uid, study.patient, study.date, images, study.description)
    desk.open(study, decoded=False)
    for image in images:
        desk.library.give(frame_of(image, breast(image.label, ROWS, COLUMNS)))
    return desk


def rest(desk, qtbot) -> None:
    """Let the hand rest until what is on screen counts, sketches refined."""
    qtbot.wait(DWELL_MS)
    qtbot.waitUntil(lambda: not desk.window.grid.walking.waiting and not desk.pane.is_rough)


def seen_of(desk):
    return desk.session.seen.of(desk.pane.scene.frame.key)


def test_the_walk_shows_every_pixel_of_the_breast_and_then_goes_on(large, qtbot):
    walking = large.window.grid.walking
    said = []
    large.session.message.connect(said.append)
    visited = np.zeros((ROWS, COLUMNS), dtype=bool)
    steps = 0
    press(large, Qt.Key.Key_Q)
    while True:
        steps += 1
        scene = large.pane.scene
        assert scene.affine.scales == pytest.approx((1.0, 1.0))
        corners = scene.affine.inverse().apply_box((0.0, 0.0, *map(float, scene.size)))
        row0, col0, row1, col1 = (round(edge) for edge in corners)
        visited[max(row0, 0) : max(row1, 0), max(col0, 0) : max(col1, 0)] = True
        rest(large, qtbot)
        if not walking.step(1):
            break
    assert steps > 3
    assert visited[breast("RCC", ROWS, COLUMNS) > 0].all()
    assert seen_of(large).complete
    press(large, Qt.Key.Key_Q)
    assert said[-1] == "RCC: everything was seen at actual pixels."


def test_what_is_passed_in_haste_does_not_count(large, qtbot):
    press(large, Qt.Key.Key_Q)
    press(large, Qt.Key.Key_Q)
    press(large, Qt.Key.Key_Q)
    assert seen_of(large) is None
    rest(large, qtbot)
    assert 0 < seen_of(large).share < 0.5


def test_a_breast_in_small_is_not_seen_at_actual_pixels(large, qtbot):
    rest(large, qtbot)
    assert large.pane.scene.affine.scales[0] < 0.9
    assert seen_of(large) is None
    large.window.grid.walking.tell()


def test_the_last_place_says_what_is_left(large, qtbot):
    said = []
    large.session.message.connect(said.append)
    while large.window.grid.walking.step(1):
        pass
    rest(large, qtbot)
    press(large, Qt.Key.Key_Q)
    left = round(100 * (1 - seen_of(large).share))
    assert 0 < left < 100
    assert said[-1] == f"RCC: {left} % was not seen at actual pixels."


def test_walking_back_returns_to_the_place_before(large):
    press(large, Qt.Key.Key_Q)
    first = large.pane.scene.pane.viewport.focus
    press(large, Qt.Key.Key_Q)
    press(large, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert large.pane.scene.pane.viewport.focus == first


@pytest.mark.parametrize(("across", "down"), [(False, False), (True, False), (False, True)])
def test_the_overview_is_turned_as_the_pane_is(large, across, down):
    press(large, Qt.Key.Key_Q)
    if across:
        large.session.flip(large.session.screen.active, "h")
    if down:
        large.session.flip(large.session.screen.active, "v")
    scene = large.pane.scene
    affine, (height, width) = overview_affine(scene, 128)
    assert max(height, width) == 128
    assert np.sign(affine.matrix[:, :2]).tolist() == np.sign(scene.affine.matrix[:, :2]).tolist()
    # The breast fills it: its edges come to lie on the overview's.
    assert affine.apply_box(scene.frame.breast) == pytest.approx((0, 0, height, width), abs=1.0)


def test_marking_as_read_names_what_was_not_seen_if_so_wished(large, qtbot):
    said = []
    large.session.message.connect(said.append)
    press(large, Qt.Key.Key_K)
    assert said == []
    press(large, Qt.Key.Key_K)
    assert not large.session.reads
    large.session.set_settings(replace(large.session.settings, remind_unseen=True))
    while large.window.grid.walking.step(1):
        rest(large, qtbot)
    press(large, Qt.Key.Key_K)
    assert said == ["Marked as read; not seen at actual pixels: LCC 100 %."]
    assert len(large.session.reads) == 1


def test_the_overview_hides_nothing_that_was_not_seen_before(large, qtbot):
    press(large, Qt.Key.Key_Q)
    rest(large, qtbot)
    assert large.pane.scene.coverage is not None
    press(large, Qt.Key.Key_Q)
    assert large.pane.scene.coverage is None
    rest(large, qtbot)
    assert large.pane.scene.coverage is not None
    press(large, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert large.pane.scene.coverage is not None


@pytest.mark.parametrize("how", ["dialog", "minimised"])
def test_what_lies_under_a_dialog_or_is_put_away_is_not_seen(large, qtbot, how):
    press(large, Qt.Key.Key_Q)
    if how == "dialog":
        large.window.show_dialog("about")
    else:
        large.window.showMinimized()
    qtbot.wait(2 * DWELL_MS)
    assert seen_of(large) is None
    if how == "dialog":
        QApplication.activeModalWidget().close()
    else:
        large.window.showNormal()
    rest(large, qtbot)
    assert 0 < seen_of(large).share < 0.5

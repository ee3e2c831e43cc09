"""Mouse: drags, wheel, double click, context menu."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui_desk import image_of, study_of
from ui_hand import LEFT, MIDDLE, RIGHT, drag, turn

from app.ui import menus


def test_dragging_right_widens_the_window_and_leaves_its_centre(four_views):
    drag(four_views.pane, (100, 100), (50, 0))
    window = four_views.session.screen.panes[0].viewport.window
    assert window.stretch > 1
    assert window.shift == pytest.approx(0)


def test_dragging_up_brightens(four_views, pixels_of):
    four_views.session.set_overlay(corner="off")
    before = pixels_of(four_views.pane)[..., 0].astype(int)
    drag(four_views.pane, (100, 200), (0, -60))
    assert four_views.session.screen.panes[0].viewport.window.shift < 0
    assert pixels_of(four_views.pane)[..., 0].astype(int).sum() > before.sum()


def test_a_window_drag_does_not_resample(four_views, pixels_of):
    pixels_of(four_views.window)
    before = [(v.raster.resamplings, v.raster.paintings) for v in four_views.window.grid.viewports]
    drag(four_views.pane, (100, 100), (40, 10))
    pixels_of(four_views.window)
    after = [(v.raster.resamplings, v.raster.paintings) for v in four_views.window.grid.viewports]
    assert [a[0] for a in after] == [b[0] for b in before]
    assert all(a[1] > b[1] for a, b in zip(after, before, strict=True))


def test_a_click_changes_nothing_but_the_active_pane(four_views):
    before = four_views.session.screen.panes
    QTest.mouseClick(four_views.window.grid.viewports[3], LEFT)
    assert four_views.session.screen.active == 3
    assert four_views.session.screen.panes == before


@pytest.mark.parametrize("flips", [(), ("h",), ("v",), ("h", "v")])
def test_the_image_follows_the_hand_when_panned(four_views, flips):
    for axis in flips:
        four_views.session.flip(0, axis)
    view = four_views.pane
    under = view.stored_at(QPointF(150, 120))
    drag(view, (150, 120), (40, 25), MIDDLE)
    assert view.stored_at(QPointF(190, 145)) == pytest.approx(under, abs=1e-6)


def test_a_right_drag_zooms_about_the_point_pressed(four_views):
    view = four_views.pane
    under, scale = view.stored_at(QPointF(150, 120)), view.scale
    drag(view, (150, 120), (0, -80), RIGHT)
    assert view.scale > scale * 1.3
    assert view.stored_at(QPointF(150, 120)) == pytest.approx(under, abs=1e-6)


def test_ctrl_and_wheel_zoom_at_the_cursor(four_views):
    view = four_views.pane
    under, scale = view.stored_at(QPointF(90, 200)), view.scale
    turn(view, (90, 200), 2, Qt.KeyboardModifier.ControlModifier)
    assert view.scale == pytest.approx(scale * 1.15**2)
    assert view.stored_at(QPointF(90, 200)) == pytest.approx(under, abs=1e-6)


def test_the_wheel_pages_through_the_images_of_a_pane(desk):
    first, second = (
        image_of("RCC"),
        image_of("RCC", sop_uid="again", path=image_of("RCC").path.with_name("b")),
    )
    study = study_of()
    desk.open(replace(study, images=(first, second, *study.images[1:])))
    pane = desk.session.screen.panes[0]
    assert len(pane.candidates) == 2
    turn(desk.pane, (50, 50), -1)
    assert desk.session.screen.panes[0].shown == 1
    turn(desk.pane, (50, 50), 1)
    assert desk.session.screen.panes[0].shown == 0


def test_the_wheel_steps_through_the_frames_of_a_tomosynthesis(desk):
    image = image_of("RCC", frames=9)
    study = study_of()
    desk.open(replace(study, images=(image, *study.images[1:])))
    turn(desk.pane, (50, 50), -1)
    assert desk.session.screen.panes[0].viewport.frame == 1


def test_a_double_click_shows_one_image_and_back(four_views):
    QTest.mouseDClick(four_views.window.grid.viewports[2], LEFT)
    assert four_views.session.screen.single == 2
    assert four_views.window.grid.viewports[2].size() == four_views.window.grid.size()
    QTest.mouseDClick(four_views.window.grid.viewports[2], LEFT)
    assert four_views.session.screen.single is None


def test_a_right_click_offers_the_windows_of_the_file_by_name(four_views):
    scene, chosen = four_views.pane.scene, []
    menu = menus.pane_menu(four_views.window, four_views.window.actions_by_id, scene, chosen.append)
    names = [action.text().split("\t")[0] for action in menu.actions()]
    assert names[:2] == ["NORMAL", "HARD"]
    menu.actions()[1].trigger()
    assert chosen == [1]


def test_a_right_click_without_a_drag_asks_for_the_menu(four_views, qtbot):
    with qtbot.waitSignal(four_views.window.grid.menu_asked):
        QTest.mouseClick(four_views.window.grid.viewports[1], RIGHT)
    for popup in QApplication.topLevelWidgets():
        if popup.isVisible() and popup is not four_views.window:
            popup.close()

"""Keys act on the images after a click on a button in a panel; fields and Tab keep the keyboard."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui_hand import LEFT, press


def click(desk, button) -> None:
    """Click as the platform does: into the window."""
    at = button.mapTo(desk.window, button.rect().center())
    QTest.mouseClick(desk.window.windowHandle(), LEFT, Qt.KeyboardModifier.NoModifier, at)
    QApplication.processEvents()


@pytest.fixture
def asked(four_views, qtbot):
    """The second look of four views was asked for by a click on Run."""
    qtbot.waitUntil(four_views.window.isActiveWindow)
    click(four_views, four_views.window.second_look.run)
    return four_views


def test_space_after_a_click_on_run_is_the_next_stage_and_does_not_cancel(asked):
    asked.oracle.say(asked.session.screen.study, "running")
    assert len(asked.oracle.asked) == 1
    assert asked.window.grid.hasFocus()
    press(asked, Qt.Key.Key_Space)
    assert asked.session.screen.stage == 1
    assert asked.oracle.cancelled == 0


def test_space_after_a_click_on_normal_is_the_next_stage(four_views):
    press(four_views, Qt.Key.Key_F4)
    click(four_views, four_views.window.report.normal)
    assert four_views.session.work.state.work.report
    press(four_views, Qt.Key.Key_Space)
    assert four_views.session.screen.stage == 1


def test_who_came_with_the_keyboard_stays(four_views):
    run = four_views.window.second_look.run
    run.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    assert run.hasFocus()
    press(four_views, Qt.Key.Key_Space)
    assert len(four_views.oracle.asked) == 1
    assert four_views.session.screen.stage == 0


def test_a_field_that_was_clicked_keeps_the_keyboard(four_views):
    press(four_views, Qt.Key.Key_F4)
    field = four_views.window.report.recommendation
    click(four_views, four_views.window.report.normal)
    click(four_views, field)
    assert field.hasFocus()

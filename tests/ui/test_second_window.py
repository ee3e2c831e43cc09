"""A second window on the same study: its own stage, keys that act in it, one patient, clean to close."""

from __future__ import annotations

from datetime import date

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from ui_desk import LETTERS, image_of, study_of
from ui_hand import drag, press, turn

from app.core.imaging.image import PatientFacts
from app.ui.carrying import carried
from app.ui.second_window import SecondWindow

Key, NONE = Qt.Key, Qt.KeyboardModifier.NoModifier
Shift, Control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def pair(desk, qtbot):
    """The desk with an exam and its prior, another patient, and a second window."""
    prior = study_of(uid="study-0", day=date(2024, 11, 3))
    ann = study_of(uid="study-9", patient=PatientFacts(id="P-2", name="Roe^Ann"))
    desk.open(study_of(), prior, ann)
    press(desk, Key.Key_N, Control)
    (second,) = desk.window.others.all
    qtbot.addWidget(second)
    qtbot.waitExposed(second)
    return desk, second


def hit(second: SecondWindow, key: Qt.Key, modifiers=NONE) -> None:
    """Press a key as the platform does: into the window that is in front."""
    second.activateWindow()
    QTest.keyClick(second.windowHandle(), key, modifiers)


def labels(window) -> list[str]:
    panes = window.session.screen.panes
    return [pane.viewport.image.sop_uid if pane.viewport.image else "" for pane in panes]


def test_it_shows_the_next_stage_of_the_same_study_and_says_whose(pair):
    _, second = pair
    assert labels(second) == ["study-1-RCC", "study-1-LCC"]
    assert second.top_bar.patient.text() == "Doe, Jane"
    assert second.top_bar.hanging.stage.text().startswith("2/")
    assert "CC pair" in second.top_bar.hanging.stage.text()
    assert second.top_bar.size_in_force.text().endswith("same size")
    assert all(view.scene.frame is not None for view in second.grid.viewports)


def test_keys_act_in_the_window_that_has_the_keyboard(pair):
    desk, second = pair
    before = desk.session.screen
    hit(second, Key.Key_Space)
    assert second.session.screen.stage_title == "MLO pair"
    hit(second, Key.Key_I)
    assert second.session.screen.panes[0].viewport.invert
    hit(second, Key.Key_2, Shift)
    assert {pane.viewport.sizing for pane in second.session.screen.panes} == {"fit"}
    hit(second, Key.Key_E)
    assert second.session.screen.active == 1
    hit(second, Key.Key_H)
    assert second.session.screen.panes[1].viewport.flip_h
    hit(second, Key.Key_Plus)
    assert second.session.screen.panes[1].viewport.zoom == 1.25
    hit(second, Key.Key_2)
    assert second.session.screen.panes[1].viewport.window.voi == 1
    hit(second, Key.Key_R)
    assert not second.session.screen.panes[1].viewport.flip_h
    hit(second, Key.Key_Return)
    assert second.session.screen.single == 1
    assert desk.session.screen is before


def test_the_mouse_acts_in_its_own_window(pair):
    desk, second = pair
    before = desk.session.screen
    drag(second.grid.viewports[0], (150, 150), (30, 0))
    assert second.session.screen.panes[0].viewport.window.stretch != 1.0
    turn(second.grid.viewports[0], (100, 100), 1, Control)
    assert second.session.screen.panes[0].viewport.zoom > 1.0
    assert desk.session.screen is before


def test_a_tool_or_overlay_chosen_in_one_window_holds_in_both(pair):
    desk, second = pair
    hit(second, Key.Key_G)
    assert desk.session.tool == "pan"
    assert desk.window.actions_by_id["tool_pan"].isChecked()
    assert second.actions_by_id["tool_pan"].isChecked()
    desk.session.set_overlay(corner="off")
    assert second.grid.viewports[0].scene.overlay.corner == "off"


def test_the_held_magnifier_works_in_it(pair):
    _, second = pair
    second.activateWindow()
    QTest.keyPress(second.windowHandle(), Key.Key_M)
    assert any(view.scene.lens is not None for view in second.grid.viewports)
    QTest.keyRelease(second.windowHandle(), Key.Key_M)
    assert all(view.scene.lens is None for view in second.grid.viewports)


def test_the_bar_chooses_protocol_and_stage_for_its_own_window(pair):
    desk, second = pair
    hanging = second.top_bar.hanging
    hanging.protocol_chosen.emit("screening-priors")
    assert second.session.screen.protocol == "screening-priors"
    assert labels(second)[0] == "study-0-RCC"
    hanging._list_stages()
    entries = hanging._stages.actions()
    assert [entry.text().split("   ")[1] for entry in entries] == list(second.session.screen.stage_titles)
    entries[4].trigger()
    assert second.session.screen.stage == 4
    assert desk.session.screen.protocol == "screening-cc-mlo"


def test_both_windows_turn_to_the_next_study_together(pair):
    desk, second = pair
    hit(second, Key.Key_PageDown)
    assert desk.session.screen.study.key == second.session.screen.study.key == "study-0"
    desk.session.open_study("study-9")
    assert second.top_bar.patient.text() == "Roe, Ann"
    assert set(labels(desk.window)) | set(labels(second)) == {
        f"study-9-{v}" for v in ("RCC", "LCC", "RMLO", "LMLO")
    }


def test_an_image_of_another_patient_dropped_into_it_is_refused_and_told(pair):
    _, second = pair
    view = second.grid.viewports[0]
    data = carried(image_of("RCC", "study-9"))
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    view.dropEvent(QDropEvent(QPointF(QPoint(50, 50)), copy, data, left, NONE))
    assert labels(second)[0] == "study-1-RCC"
    assert second.top_bar.message.accessibleName() == "That image is of another patient."


def test_masked_names_are_masked_in_it_too(pair):
    desk, second = pair
    desk.window.commands.mask()
    assert second.top_bar.patient.text().startswith("Case ")
    assert "Doe" not in second.top_bar.patient.toolTip()


def test_closed_it_holds_no_image_and_comes_back_when_asked_for(pair):
    desk, second = pair
    second.session.set_protocol("screening-priors")
    second.close()
    assert second.grid.viewports == ()
    assert {key[0][1] for key in desk.library._screen} == {f"study-1-{view}" for view in LETTERS}
    desk.session.open_study("study-9")
    desk.session.set_overlay(corner="full")
    assert labels(second) == []
    desk.window.activateWindow()
    press(desk, Key.Key_N, Control)
    assert desk.window.others.all == (second,)
    assert second.isVisible()
    assert labels(second) == ["study-9-RCC", "study-9-LCC"]


def test_a_third_window_is_another_one(pair, qtbot):
    desk, second = pair
    third = desk.window.others.open()
    qtbot.addWidget(third)
    third.session.set_stage(3)
    assert second.session.screen.stage == 1
    assert third.name != second.name


def test_closing_the_main_window_closes_it(pair):
    desk, second = pair
    desk.window.close()
    assert not second.isVisible()


def test_quit_in_it_closes_the_workstation(pair):
    desk, second = pair
    hit(second, Key.Key_Q, Control)
    assert not desk.window.isVisible()
    assert not second.isVisible()


def test_its_bar_folds_and_says_that_this_is_for_research(pair):
    desk, second = pair
    hit(second, Key.Key_F11)
    assert not second.has_bars
    assert desk.window.has_bars
    assert second.grid.viewports[0].scene.research


def test_without_a_study_it_opens_empty(desk, qtbot):
    second = desk.window.others.open()
    qtbot.addWidget(second)
    assert second.grid.viewports == ()
    hit(second, Key.Key_Space)
    hit(second, Key.Key_I)
    desk.open(study_of())
    assert labels(second)[:2] == ["study-1-RCC", "study-1-LCC"]


def test_control_w_closes_the_second_window_alone_and_from_the_first_every_other(pair):
    desk, second = pair
    hit(second, Key.Key_W, Control)
    assert not second.isVisible()
    assert desk.window.isVisible()
    desk.window.activateWindow()
    press(desk, Key.Key_N, Control)
    assert second.isVisible()
    desk.window.activateWindow()
    press(desk, Key.Key_W, Control)
    assert not second.isVisible()
    assert desk.window.isVisible()

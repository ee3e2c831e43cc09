"""A reading list from the first key to the last, by the keyboard alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from ui_desk import study_of

from app.core import recent
from app.core.imaging.image import PatientFacts
from app.core.reading.report_json import from_json
from app.ui.recent_menu import RecentMenu

Key, NONE = Qt.Key, Qt.KeyboardModifier.NoModifier
Shift, Control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def hit(desk, key: Qt.Key, modifiers=NONE) -> None:
    """Press a key as the platform does: into the menu, dialog or window that is in front."""
    menu = QApplication.activePopupWidget()
    if menu is not None:
        QTest.keyClick(menu.focusWidget() or menu, key, modifiers)
        return
    front = QApplication.activeModalWidget() or desk.window
    QTest.keyClick(front.windowHandle(), key, modifiers)


def write(desk, text: str) -> None:
    """Write into what has the keyboard."""
    QTest.keyClicks(desk.window.focusWidget(), text)


@pytest.fixture
def listed(desk, tmp_path, monkeypatch):
    """An empty window whose list of what was opened lately holds one folder with three exams."""
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path / "config"))
    folder = tmp_path / "monday"
    folder.mkdir()
    recent.save(recent.added((), (folder,)))
    desk.window.recent = RecentMenu(desk.session, desk.window, remember=True)
    ann = study_of(uid="study-2", patient=PatientFacts(id="P-2", name="Roe^Ann"))
    exams = (study_of(), study_of(uid="study-0", day=date(2024, 11, 3)), ann)
    monkeypatch.setattr(desk.session, "open_paths", lambda paths: desk.open(*exams))
    return desk


@pytest.fixture
def reading(listed):
    """The same with the folder opened."""
    hit(listed, Key.Key_R, Control)
    hit(listed, Key.Key_Return)
    return listed


def test_a_screening_list_is_read_without_the_mouse(reading):
    session, window = reading.session, reading.window
    assert session.screen.study.uid == "study-1"
    seen = [session.screen.stage]
    for _ in range(60):  # every stage, and in those at actual pixels every place
        hit(reading, Key.Key_Space)
        if session.screen.stage != seen[-1]:
            seen.append(session.screen.stage)
    assert seen == list(range(session.screen.stages))
    hit(reading, Key.Key_F5)
    report = from_json(session.work.state.work.report)
    assert (report.right, report.left) == ("1", "1")
    hit(reading, Key.Key_K)
    assert session.screen.study.key in session.reads
    hit(reading, Key.Key_U)
    assert session.screen.study.uid != "study-1"
    assert session.screen.stage == 0
    assert session.screen.study.key not in session.reads
    assert session.work.state.work.annotations == ()
    assert window.grid.hasFocus()


def test_a_study_is_found_by_its_words_and_the_stages_go_on(reading):
    hit(reading, Key.Key_F, Control)
    write(reading, "roe")
    hit(reading, Key.Key_Return)
    assert reading.session.screen.study.uid == "study-2"
    hit(reading, Key.Key_Space)
    assert reading.session.screen.stage == 1


def test_the_report_is_written_and_left_by_keys(reading):
    hit(reading, Key.Key_F4)
    for key in (Key.Key_C, Key.Key_Tab, Key.Key_2, Key.Key_Tab, Key.Key_1):
        hit(reading, key)
    hit(reading, Key.Key_Escape)
    report = from_json(reading.session.work.state.work.report)
    assert (report.density, report.right, report.left) == ("c", "2", "1")
    assert reading.window.grid.hasFocus()
    hit(reading, Key.Key_Z, Control)
    assert from_json(reading.session.work.state.work.report).left == ""


def test_f6_goes_round_all_panels_and_comes_back(reading):
    study = reading.session.screen.study
    reading.session.analyse()
    reading.oracle.say(study)
    image = reading.session.screen.panes[0].viewport.image
    reading.session.marking.draw("length", image, 0, ((100.0, 100.0), (120.0, 130.0)))
    window, visited = reading.window, []
    for _ in range(5):
        hit(reading, Key.Key_F6)
        visited.append(QApplication.focusWidget())
    assert len({id(each) for each in visited}) == 5
    assert visited[-1] is window.grid
    assert set(visited) == {
        window.grid,
        window.second_look.findings,
        window.panels["MarksPanel"].list,
        window.report.density,
        window.panels["StudiesPanel"].list,
    }


@pytest.mark.parametrize(
    ("key", "modifiers"), [(Key.Key_F1, NONE), (Key.Key_Comma, Control), (Key.Key_E, Control)]
)
def test_escape_leaves_a_dialog_and_keys_act_on_the_images_again(reading, qtbot, key, modifiers):
    hit(reading, key, modifiers)
    assert QApplication.activeModalWidget() is not None
    hit(reading, Key.Key_Escape)
    reading.window.activateWindow()  # off-screen there is no window manager that does it
    qtbot.waitUntil(lambda: QApplication.activeWindow() is reading.window)
    assert reading.window.grid.hasFocus()
    hit(reading, Key.Key_Space)
    assert reading.session.screen.stage == 1


@pytest.mark.parametrize(("key", "modifiers"), [(Key.Key_F10, NONE), (Key.Key_R, Control)])
def test_escape_leaves_a_menu_and_keys_act_on_the_images_again(reading, key, modifiers):
    hit(reading, key, modifiers)
    assert QApplication.activePopupWidget() is not None
    hit(reading, Key.Key_Escape)
    assert QApplication.activePopupWidget() is None
    hit(reading, Key.Key_Space)
    assert reading.session.screen.stage == 1


def test_another_protocol_is_chosen_by_arrow_keys(reading, qtbot):
    before = reading.session.screen.protocol
    hit(reading, Key.Key_P, Control)
    hit(reading, Key.Key_Down)
    hit(reading, Key.Key_Return)
    assert reading.session.screen.protocol != before
    qtbot.waitUntil(reading.window.grid.hasFocus)
    hit(reading, Key.Key_Space)
    assert reading.session.screen.stage == 1


def test_the_list_of_protocols_is_left_with_escape(reading, qtbot):
    hit(reading, Key.Key_P, Control)
    hit(reading, Key.Key_Escape)
    qtbot.waitUntil(reading.window.grid.hasFocus)
    hit(reading, Key.Key_Space)
    assert reading.session.screen.stage == 1


def test_marking_as_read_can_open_the_next_one_at_once(reading):
    reading.session.set_settings(replace(reading.session.settings, read_moves_on=True))
    hit(reading, Key.Key_K)
    assert reading.session.screen.study.uid != "study-1"

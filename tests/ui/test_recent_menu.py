"""What was opened lately comes back by key; pictures and tests leave the list alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from ui_hand import press

from app.core import recent
from app.ui.recent_menu import RecentMenu

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def kept(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path / "config"))
    desk.window.recent = RecentMenu(desk.session, desk.window, remember=True)
    return desk


def entries(desk):
    return [action.text() for action in desk.window.recent.actions()]


def test_the_key_shows_what_was_opened_and_enter_opens_it_again(kept, tmp_path, monkeypatch):
    folder = tmp_path / "exams" / "monday"
    folder.mkdir(parents=True)
    asked = []
    monkeypatch.setattr(kept.session, "open_paths", asked.append)
    kept.library.opened.emit((folder,))
    press(kept, Qt.Key.Key_R, CONTROL)
    assert entries(kept) == ["exams/monday"]
    kept.window.recent.activeAction().trigger()
    assert asked == [(folder,)]
    kept.window.recent.close()


def test_what_is_gone_cannot_be_chosen(kept, tmp_path):
    kept.library.opened.emit((tmp_path / "gone",))
    press(kept, Qt.Key.Key_R, CONTROL)
    assert [action.isEnabled() for action in kept.window.recent.actions()] == [False]
    kept.window.recent.close()


def test_an_empty_list_says_so(kept):
    press(kept, Qt.Key.Key_R, CONTROL)
    assert entries(kept) == ["Nothing was opened yet"]
    kept.window.recent.close()


def test_a_picture_s_window_keeps_nothing(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path / "config"))
    desk.library.opened.emit((tmp_path,))
    assert recent.load() == ()
    assert not (tmp_path / "config").exists()

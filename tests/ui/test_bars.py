"""Top bar and status line."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from ui_hand import LEFT

from app.ui.main_window import NARROWEST


def test_the_top_bar_says_who_is_read(four_views):
    bar = four_views.window.top_bar
    assert bar._patient.accessibleName() == "Doe, Jane"
    assert bar._facts.accessibleName() == "61 y  F  ID P-1"
    assert bar._study.accessibleName() == "3 Nov 2026  visit study-1"
    assert bar.hanging.stage.text().startswith("1/")


def test_choosing_a_protocol_hangs_it(four_views):
    bar = four_views.window.top_bar
    index = bar.hanging.protocol.findData("cc-pair")
    bar.hanging.protocol.setCurrentIndex(index)
    bar.hanging.protocol.activated.emit(index)
    assert four_views.session.screen.protocol == "cc-pair"


def test_the_status_line_says_window_zoom_size_and_spacing(four_views):
    status = four_views.window.status
    assert status.text("window") == "C 2000  W 3000  NORMAL  linear"
    assert status.text("size") == "same size"
    assert status.text("spacing") == "0.1 mm at detector"
    assert status.text("research") == "Research use only"


def test_a_long_message_is_shortened_and_its_whole_is_the_tool_tip(four_views):
    status, sentence = four_views.window.status, "What you mark now is not saved: " + "/very/long" * 40
    four_views.session.message.emit(sentence)
    four_views.window.grab()
    label = status._labels["message"]
    assert status.text("message") == sentence
    assert label.text().endswith("…")
    assert label.toolTip() == sentence
    research = status._labels["research"]
    assert research.width() >= research.sizeHint().width()


def test_buttons_of_tools_show_which_one_is_chosen(four_views):
    four_views.session.set_tool("pan")
    actions = four_views.window.actions_by_id
    assert actions["tool_pan"].isChecked()
    assert not actions["tool_window"].isChecked()


def test_files_and_folders_dropped_on_the_window_are_opened(desk, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(desk.session, "open_paths", opened.extend)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/x.dcm")])
    event = QDropEvent(
        QPointF(300, 300), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier
    )
    desk.window.dropEvent(event)
    assert opened == [tmp_path]


def test_the_patients_name_is_whole_even_in_the_narrowest_window(four_views):
    four_views.window.resize(*NARROWEST)
    four_views.window.grab()
    assert four_views.window.top_bar._patient.text() == "Doe, Jane"

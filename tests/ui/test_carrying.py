"""Dragging an image of the tray into a pane shows it there, marked, until the pane is reset."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from ui_desk import study_of

from app.ui.carrying import FORMAT, key_in
from app.ui.overlays.corner_text import badges


@pytest.fixture
def tray(desk):
    desk.open(study_of("RCC", "LCC", "RMLO", "X"))
    return desk


def drop(view, data: QMimeData) -> bool:
    """Drag `data` over a pane and let go; tell whether the pane took it."""
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), copy, data, left, none)
    QApplication.sendEvent(view, enter)
    event = QDropEvent(QPointF(50, 50), copy, data, left, none)
    QApplication.sendEvent(view, event)
    return enter.isAccepted() and event.isAccepted()


def dragged(desk) -> QMimeData:
    """What a drag of the first row of the tray carries."""
    images = desk.window.panels["TrayPanel"].list
    return images.mimeData([images.item(0)])


def shown(desk):
    views = [pane.viewport.image for pane in desk.session.screen.panes]
    return [None if image is None else image.label for image in views]


@pytest.mark.parametrize("pane", [1, 3])
def test_a_dropped_image_is_shown_marked_and_reset_sends_it_back(tray, pane):
    before = shown(tray)
    assert before[3] is None  # no LMLO in this study
    assert drop(tray.window.grid.viewports[pane], dragged(tray))
    assert tray.session.screen.active == pane
    assert shown(tray)[pane] == "X"
    scene = tray.window.grid.viewports[pane].scene
    assert "PUT HERE BY HAND" in [line.text for line in badges(scene, scene.image)]
    tray.session.reset(pane)
    assert shown(tray) == before
    assert [len(each.candidates) for each in tray.session.screen.panes] == [1, 1, 1, 0]


def test_dropping_twice_is_dropping_once(tray):
    view = tray.window.grid.viewports[0]
    drop(view, dragged(tray))
    drop(view, dragged(tray))
    assert [image.label for image in tray.session.screen.panes[0].candidates] == ["RCC", "X"]


def test_files_dropped_on_a_pane_are_opened_by_the_window(tray, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(tray.session, "open_paths", opened.append)
    files = QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    assert drop(tray.window.grid.viewports[0], files)
    assert opened == [[tmp_path]]


@pytest.mark.parametrize("payload", [b"[1,", b"5", b"null", b"\xff", b"[1]", b'["elsewhere.dcm", "1.2.3"]'])
def test_foreign_data_is_refused(tray, payload):
    before = shown(tray)
    data = QMimeData()
    data.setData(FORMAT, payload)
    assert not drop(tray.window.grid.viewports[0], data)
    assert shown(tray) == before


@pytest.mark.parametrize("payload", [b"[1,", b"5", b"null"])
def test_what_is_no_key_reads_as_none(payload):
    data = QMimeData()
    data.setData(FORMAT, payload)
    assert key_in(data) is None

"""Every control has a name to be heard: of the main window, a second window, every dialog."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QTabWidget,
    QWidget,
)
from ui_desk import image_of, study_of
from ui_hand import press

from app.core.imaging.image import LeftOut
from app.ui.dialogs import DIALOGS

Key = Qt.Key
MORE = {"assign": (image_of("X"),), "error": ("It could not be done.",)}
"""What dialogs are made with besides the window."""


def unnamed(whole: QWidget) -> list[str]:
    """Return the controls of a window that assistive technology would not name."""
    found = []
    for part in whole.findChildren(QWidget):
        is_stop = part.focusPolicy() != Qt.FocusPolicy.NoFocus or isinstance(part, QAbstractButton)
        is_empty = isinstance(part, QLabel) and not part.text()  # hidden until it has something to say
        if is_stop and not is_empty and not _is_inside_another(part):
            heard = QAccessible.queryAccessibleInterface(part)
            if not heard.text(QAccessible.Text.Name).strip():
                found.append(f"{type(part).__name__} in {type(part.parentWidget()).__name__}")
    return found


def _is_inside_another(part: QWidget) -> bool:
    """Tell whether a widget is a part of a control, or only holds controls."""
    parent = part.parentWidget()
    if isinstance(part, (QScrollArea, QScrollBar, QTabWidget)) or part.objectName().startswith("qt_"):
        return True
    if isinstance(parent, (QLineEdit, QComboBox)) or isinstance(parent and parent.parentWidget(), QComboBox):
        return True  # the cross that empties a field, the list that falls from a box
    return isinstance(parent, QAbstractScrollArea) and parent.viewport() is part


@pytest.fixture
def full(desk):
    """The window with everything that can be seen at once: marks, findings, report, files left out."""
    left = LeftOut(image_of("RCC").path.with_name("notes.txt"), "is not a DICOM file or picture")
    study = desk.open(study_of(), left_out=(left,))
    desk.session.analyse()
    desk.oracle.say(study)
    image = desk.session.screen.panes[0].viewport.image
    desk.session.marking.draw("length", image, 0, ((100.0, 100.0), (120.0, 130.0)))
    press(desk, Key.Key_F5)
    return desk


def test_every_control_of_the_main_window_has_a_name(full):
    assert unnamed(full.window) == []


def test_every_control_of_the_second_window_has_a_name(full, qtbot):
    second = full.window.others.open()
    qtbot.addWidget(second)
    assert unnamed(second) == []


@pytest.mark.parametrize("name", sorted(DIALOGS))
def test_every_control_of_a_dialog_has_a_name(full, qtbot, name):
    dialog = DIALOGS[name](full.window, *MORE.get(name, ()))
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.windowTitle()
    assert unnamed(dialog) == []


def test_a_control_without_a_name_is_found(qtbot):
    whole = QWidget()
    qtbot.addWidget(whole)
    QLineEdit(whole)
    assert unnamed(whole) == ["QLineEdit in QWidget"]


def test_every_row_of_a_list_can_be_heard(full):
    window = full.window
    studies, marks = (window.panels[name].list for name in ("StudiesPanel", "MarksPanel"))
    for each in (studies, window.second_look.findings, marks):
        model = each.model()
        texts = [model.data(model.index(row, 0)) for row in range(model.rowCount())]
        assert texts
        assert all(texts)

"""Preferences: made from the fields of `Settings` and their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QKeySequenceEdit,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.errors import MammoviewError
from app.core.settings import Settings, save
from app.ui.actions import ACTIONS
from app.ui.actions.audit import ACTIONS as AUDIT_ACTIONS
from app.ui.bindings import resolve
from app.ui.dialog import Dialog
from app.ui.drop_down import DropDown

WINDOWS = (ACTIONS, AUDIT_ACTIONS)
"""The actions of each window that has keys of its own."""
WIDTH = 640
"""All tabs are in sight at it."""


class SettingsDialog(Dialog):
    """One tab per group of settings; Save keeps what differs from the defaults."""

    NAME = "settings"

    def __init__(self, window) -> None:
        super().__init__("Settings", window)
        self._window, self._session = window, window.session
        self.editors: dict[str, QWidget] = {}
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        groups: dict[str, list] = {}
        for item in fields(Settings):
            if "group" in item.metadata and item.name != "key_bindings":
                groups.setdefault(item.metadata["group"], []).append(item)
        for title, items in groups.items():
            self.tabs.addTab(self._page(items), title)
        self.keys = KeyTable(self._session.settings.key_bindings)
        self.tabs.addTab(self.keys, "Keys")
        self.body.addWidget(self.tabs)
        self.warning = QLabel()
        self.warning.setProperty("role", "warning")
        self.warning.setWordWrap(True)
        self.warning.setVisible(False)
        self.body.addWidget(self.warning)
        self.setMinimumWidth(WIDTH)
        self.resize(WIDTH, 560)
        self.add_button("Cancel", self.close)
        self.save_button = self.add_button("Save", self.store, default=True)
        self.keys.changed = self._check
        self._check()

    def _page(self, items: list) -> QWidget:
        page = QWidget()
        table = QGridLayout(page)
        table.setContentsMargins(0, 16, 0, 0)
        table.setHorizontalSpacing(16)
        table.setVerticalSpacing(4)
        table.setColumnStretch(1, 1)
        for number, item in enumerate(items):
            editor = _editor(self._window, item, getattr(self._session.settings, item.name))
            editor.setAccessibleName(item.metadata["label"])
            self.editors[item.name] = editor
            label, explanation = QLabel(item.metadata["label"]), QLabel(item.metadata["help"])
            label.setBuddy(editor)
            explanation.setProperty("role", "quiet")
            explanation.setWordWrap(True)
            table.addWidget(label, 2 * number, 0)
            table.addWidget(editor, 2 * number, 1)
            table.addWidget(explanation, 2 * number + 1, 1, Qt.AlignmentFlag.AlignTop)
            table.setRowMinimumHeight(2 * number + 1, 32)
        table.setRowStretch(2 * len(items), 1)
        return page

    def settings(self) -> Settings:
        """Return the settings as they stand in the dialog."""
        old = self._session.settings
        values = {name: _value(editor, getattr(old, name)) for name, editor in self.editors.items()}
        return replace(old, **values, key_bindings=MappingProxyType(self.keys.overrides()))

    def _check(self) -> None:
        overrides = self.keys.overrides()
        conflicts = [clash for actions in WINDOWS for clash in resolve(overrides, actions).conflicts]
        self.warning.setText("  ".join(_clash(key, names) for key, names in conflicts))
        self.warning.setVisible(bool(conflicts))
        self.save_button.setEnabled(not conflicts)

    def store(self) -> None:
        """Keep the settings and show them; a file that cannot be written is said in place."""
        settings = self.settings()
        try:
            save(settings)
        except MammoviewError as error:
            self.warning.setText(str(error))
            self.warning.setVisible(True)
            return
        self._session.set_settings(settings)
        self.close()


class KeyTable(QScrollArea):
    """One key editor per action; `changed` is called after each edit."""

    def __init__(self, overrides: Mapping[str, str]) -> None:
        super().__init__()
        self.changed = lambda: None
        self.setWidgetResizable(True)
        self.editors: dict[str, QKeySequenceEdit] = {}
        inside = QWidget()
        table = QGridLayout(inside)
        table.setContentsMargins(0, 12, 12, 0)
        table.setVerticalSpacing(4)
        table.setColumnStretch(0, 1)
        first = {}
        for actions in WINDOWS:
            bindings = resolve(overrides, actions)
            first |= {action: bindings.first(action.id) for action in actions}
        for number, (action, key) in enumerate(first.items()):
            label = QLabel(f"{action.group}: {action.text.rstrip('…')}")
            label.setProperty("role", "quiet")
            editor = QKeySequenceEdit(QKeySequence(key, QKeySequence.SequenceFormat.PortableText))
            editor.setMaximumSequenceLength(1)
            editor.setClearButtonEnabled(True)
            editor.setAccessibleName(f"Key of {action.text}")
            editor.setFixedWidth(160)
            editor.keySequenceChanged.connect(lambda _: self.changed())
            table.addWidget(label, number, 0)
            table.addWidget(editor, number, 1, Qt.AlignmentFlag.AlignRight)
            self.editors[action.id] = editor
        self.setWidget(inside)

    def overrides(self) -> dict[str, str]:
        """Return the keys that differ from the table's own."""
        changed = {}
        for action in (action for actions in WINDOWS for action in actions):
            text = self.editors[action.id].keySequence().toString(QKeySequence.SequenceFormat.PortableText)
            if text != (action.keys[0] if action.keys else ""):
                changed[action.id] = text
        return changed


class ReadingSet(QWidget):
    """One tick per installed model; all or none ticked means: all that are installed."""

    def __init__(self, names: tuple[str, ...], chosen: tuple[str, ...]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.boxes = {name: QCheckBox(name) for name in names}
        for name, box in self.boxes.items():
            box.setChecked(not chosen or name in chosen)
            column.addWidget(box)

    def chosen(self) -> tuple[str, ...]:
        """Return the names ticked; none where all are."""
        ticked = tuple(name for name, box in self.boxes.items() if box.isChecked())
        return () if len(ticked) == len(self.boxes) else ticked


def _clash(key: str, names: tuple[str, ...]) -> str:
    """Return which actions want one key, in the words of the list above."""
    shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.PortableText)
    texts = {action.id: action.text.rstrip("…") for actions in WINDOWS for action in actions}
    return f"{shown} is the key of {' and of '.join(texts[name] for name in names)}."


def _editor(window, item, value) -> QWidget:
    """Return the control for one field, by its choices, bounds and type."""
    choices, bounds = item.metadata["choices"], item.metadata["bounds"]
    if item.name == "models" and window.models:
        return ReadingSet(tuple(model.name for model in window.models), value)
    if item.name == "protocol":
        choices = tuple(protocol.name for protocol in window.session.protocols)
        titles = {protocol.name: protocol.title for protocol in window.session.protocols}
    else:
        titles = {}
    if choices:
        box = DropDown()
        for choice in choices:
            box.addItem(titles.get(choice, str(choice)), choice)
        box.setCurrentIndex(max(0, box.findData(value)))
        return box
    if isinstance(value, bool):
        check = QCheckBox()
        check.setChecked(value)
        return check
    if isinstance(value, (int, float)):
        spin = QSpinBox() if isinstance(value, int) else QDoubleSpinBox()
        low, high = bounds or (0, 1_000_000)
        spin.lineEdit().setTextMargins(6, 0, 6, 0)
        spin.setRange(low, high)
        spin.setValue(value)
        return spin
    line = QLineEdit(", ".join(value) if isinstance(value, tuple) else str(value))
    line.setPlaceholderText("all that are installed" if item.name == "models" else "")
    return line


def _value(editor: QWidget, old):
    """Return a control's value in the type of the field's old one."""
    if isinstance(editor, ReadingSet):
        return editor.chosen()
    if isinstance(editor, QComboBox):
        return editor.currentData()
    if isinstance(editor, QCheckBox):
        return editor.isChecked()
    if isinstance(editor, (QSpinBox, QDoubleSpinBox)):
        return editor.value()
    assert isinstance(editor, QLineEdit)
    if isinstance(old, tuple):
        return tuple(word.strip() for word in editor.text().split(",") if word.strip())
    return editor.text()

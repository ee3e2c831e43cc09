"""The F1 sheet: every action and its key, in columns by group."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout

from app.ui.actions import ACTIONS, GROUPS
from app.ui.bindings import Bindings
from app.ui.dialog import Dialog

COLUMNS = (
    ("File", "Study", "Overlays", "Window"),
    ("Hanging", "Tools"),
    ("Image", "Second look", "Research"),
    ("Marks", "Report"),
)
MOUSE = (
    ("Left drag", "the chosen tool"),
    ("Middle drag", "pan"),
    ("Right drag", "zoom"),
    ("Right click", "menu of the pane"),
    ("Wheel", "next image or frame"),
    ("Ctrl+wheel", "zoom at the cursor"),
    ("Double click", "one image, and back"),
    ("On a mark", "select, drag, double click to write"),
)


def shown_keys(bindings: Bindings, name: str) -> str:
    """Return the keys of an action as written on this platform."""
    keys = bindings.keys.get(name, ())
    native = QKeySequence.SequenceFormat.NativeText
    return "   ".join(
        QKeySequence(key, QKeySequence.SequenceFormat.PortableText).toString(native) for key in keys
    )


class KeysDialog(Dialog):
    """Lists every row of the action table."""

    NAME = "keys"

    def __init__(self, window) -> None:
        super().__init__("Keys", window)
        self.rows: dict[str, str] = {}
        line = QHBoxLayout()
        line.setSpacing(32)
        assert {group for column in COLUMNS for group in column} == set(GROUPS)
        for groups in COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(16)
            for group in groups:
                rows = [
                    (shown_keys(window.bindings, a.id), a.text.rstrip("…"))
                    for a in ACTIONS
                    if a.group == group
                ]
                self.rows |= {a.id: shown_keys(window.bindings, a.id) for a in ACTIONS if a.group == group}
                column.addLayout(_table(group, rows))
            if "Tools" in groups:
                column.addLayout(_table("Mouse", list(MOUSE)))
            column.addStretch(1)
            line.addLayout(column)
        self.body.addLayout(line)
        for key, names in window.bindings.conflicts:
            warning = QLabel(f"{key} is claimed by {', '.join(names)}; the first has it.")
            warning.setProperty("role", "warning")
            self.body.addWidget(warning)
        self.add_button("Close", self.close, default=True)


def _table(title: str, rows: list[tuple[str, str]]) -> QGridLayout:
    table = QGridLayout()
    table.setHorizontalSpacing(16)
    table.setVerticalSpacing(4)
    table.setColumnMinimumWidth(0, 76)
    head = QLabel(title)
    head.setProperty("role", "section")
    table.addWidget(head, 0, 0, 1, 2)
    for number, (key, text) in enumerate(rows, start=1):
        left, right = QLabel(key or "–"), QLabel(text)
        left.setProperty("role", "" if key else "quiet")
        right.setProperty("role", "quiet")
        table.addWidget(left, number, 0, Qt.AlignmentFlag.AlignLeft)
        table.addWidget(right, number, 1, Qt.AlignmentFlag.AlignLeft)
    table.setColumnStretch(1, 1)
    return table

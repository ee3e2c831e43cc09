"""The F1 sheet: every action and its key, in columns by group."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from app.ui.actions import ACTIONS, GROUPS, Action
from app.ui.actions.audit import ACTIONS as AUDIT_ACTIONS
from app.ui.actions.audit import GROUP as AUDIT
from app.ui.bindings import Bindings, resolve
from app.ui.dialog import Dialog

READING = "Reading"
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
    """Lists every row of the action tables, a tab for each window that has keys of its own.

    Parameters
    ----------
    window
        Above which it stands; the reading window, or one that names `session` and its `tab`.
    session
        Whose settings hold the reader's keys.
    tab
        The one that is shown first.
    """

    NAME = "keys"

    def __init__(self, window, session=None, tab: str = READING) -> None:
        super().__init__("Keys", window)
        overrides = (session or window.session).settings.key_bindings
        self.rows: dict[str, str] = {}
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        assert {group for column in COLUMNS for group in column} == set(GROUPS)
        reading, audit = resolve(overrides), resolve(overrides, AUDIT_ACTIONS)
        self.tabs.addTab(self._page(COLUMNS, ACTIONS, reading), READING)
        self.tabs.addTab(self._page(((AUDIT,),), AUDIT_ACTIONS, audit), AUDIT)
        self.tabs.setCurrentIndex((READING, AUDIT).index(tab))
        self.body.addWidget(self.tabs)
        for key, names in (*reading.conflicts, *audit.conflicts):
            warning = QLabel(f"{key} is claimed by {', '.join(names)}; the first has it.")
            warning.setProperty("role", "warning")
            self.body.addWidget(warning)
        self.add_button("Close", self.close, default=True)

    def _page(
        self, columns: Sequence[Sequence[str]], actions: Sequence[Action], bindings: Bindings
    ) -> QWidget:
        page = QWidget()
        line = QHBoxLayout(page)
        line.setContentsMargins(0, 16, 0, 0)
        line.setSpacing(32)
        for groups in columns:
            column = QVBoxLayout()
            column.setSpacing(16)
            for group in groups:
                own = {each: shown_keys(bindings, each.id) for each in actions if each.group == group}
                self.rows |= {each.id: keys for each, keys in own.items()}
                column.addLayout(_table(group, [(keys, each.text.rstrip("…")) for each, keys in own.items()]))
            if "Tools" in groups:
                column.addLayout(_table("Mouse", list(MOUSE)))
            column.addStretch(1)
            line.addLayout(column)
        if len(columns) == 1:
            line.addStretch(1)
        return page


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

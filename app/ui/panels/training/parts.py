"""Small parts that the pages share: labels, rows of a form, tables that are only read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

ROW = 26
"""Logical pixels of a line of a table."""
EDITOR = 30
"""Logical pixels of every editor of a form, so that its lines stand in one rhythm."""


def label(text: str = "", role: str = "") -> QLabel:
    """Return a label of one of the theme's roles that breaks its lines."""
    made = QLabel(text)
    made.setWordWrap(True)
    if role:
        made.setProperty("role", role)
    return made


def rule() -> QFrame:
    """Return a line across."""
    made = QFrame()
    made.setObjectName("rule")
    return made


def add_row(table: QGridLayout, text: str, editor: QWidget, *more: QWidget) -> None:
    """Add a line to a form: what it is, the editor, what stands beside it."""
    row = table.rowCount()
    name = QLabel(text)
    name.setProperty("role", "quiet")
    name.setBuddy(editor)
    editor.setAccessibleName(text)
    for part in (editor, *more):
        part.setFixedHeight(EDITOR)
    table.addWidget(name, row, 0)
    table.addWidget(editor, row, 1, 1, 1 if more else 2)
    for number, part in enumerate(more):
        table.addWidget(part, row, 2 + number)


class Table(QTableWidget):
    """A table of texts that is only read; the first column is wide, numbers stand at the right."""

    def __init__(self, name: str, header: Sequence[str], *, words: Sequence[int] = (0,)) -> None:
        super().__init__(0, len(header))
        self._words = frozenset(words)
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(header))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setStyleSheet("QTableWidget::item { padding: 0 8px; border: none; }")
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(len(header)):
            self.horizontalHeaderItem(column).setTextAlignment(self._side(column))

    def _side(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column in self._words else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter

    def fill(self, rows: Sequence[tuple[Sequence[str], str | None]]) -> None:
        """Show rows of texts, each with the colour of its letters or None."""
        self.setRowCount(len(rows))
        for number, (texts, colour) in enumerate(rows):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setTextAlignment(self._side(column))
                if colour:
                    item.setForeground(QColor(colour))
                self.setItem(number, column, item)

    def fit_rows(self) -> None:
        """Take the height of all rows, so that the page scrolls and not the table."""
        height = self.horizontalHeader().sizeHint().height() + ROW * self.rowCount()
        self.setFixedHeight(height + 2)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

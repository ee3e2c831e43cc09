"""What was in use when: the history as a table, the newest line first."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.services.training.history import History
from app.ui.panels.training import words
from app.ui.panels.training.parts import Table, label


class PastPage(QWidget):
    """Shows the history."""

    def __init__(self) -> None:
        super().__init__()
        self.told = label("Nothing was promoted yet.", "quiet")
        self.damaged = label(role="warning")
        header = ("when (UTC)", "what", "model", "version", "who", "why")
        self.table = Table("What was in use when", header, words=range(6))
        head = self.table.horizontalHeader()
        head.setSectionResizeMode(0, head.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(5, head.ResizeMode.Stretch)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addWidget(label("What was in use when", "title"))
        column.addWidget(self.told)
        column.addWidget(self.damaged)
        column.addWidget(self.table, 1)

    def present(self, history: History) -> None:
        """Show all lines."""
        rows = [
            ((words.when(one), words.decision(one), one.name, one.version, one.who, one.why), None)
            for one in reversed(history.entries)
        ]
        self.table.fill(rows)
        self.told.setVisible(not rows)
        self.table.setVisible(bool(rows))
        self.damaged.setText(f"{history.damaged} lines of the history are damaged and are not shown.")
        self.damaged.setVisible(history.damaged > 0)

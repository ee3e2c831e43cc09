"""A part of a panel that folds away under its title."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from app.ui import theme
from app.ui.icons import icon


class Fold(QWidget):
    """A title line with a caret and, when open, the body below it."""

    def __init__(
        self, title: str, body: QWidget, *, is_open: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head = QToolButton()
        self.head.setProperty("role", "fold")
        self.head.setCheckable(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setIconSize(QSize(12, 12))
        self.head.setFixedHeight(28)
        self.head.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.head.toggled.connect(self._toggle)
        line = QVBoxLayout()
        line.setContentsMargins(8, 0, 8, 0)
        line.addWidget(self.head)
        column.addLayout(line)
        self.body = body
        column.addWidget(body)
        self.title(title)
        self.head.setChecked(is_open)
        self._toggle(is_open)

    def title(self, text: str) -> None:
        """Write the title."""
        self.head.setText(text)
        self.head.setAccessibleName(text)

    def _toggle(self, is_open: bool) -> None:
        self.head.setIcon(icon("caret-down" if is_open else "caret-right", theme.QUIET, theme.QUIET))
        self.body.setVisible(is_open)

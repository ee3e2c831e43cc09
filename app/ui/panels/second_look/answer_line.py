"""What the reader makes of the finding that is chosen: three buttons below the list."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from app.ui.icons import icon
from app.ui.panels.second_look.findings_list import ANSWERS


class AnswerLine(QWidget):
    """Emits `chosen` with a decision; shown only while a finding is chosen."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 4, 12, 0)
        line.setSpacing(4)
        self.buttons: dict[str, QToolButton] = {}
        for decision, words, name in ANSWERS:
            button = QToolButton()
            button.setText(words)
            button.setIcon(icon(name))
            button.setIconSize(QSize(16, 16))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(f"{words} this finding")
            button.setToolTip(f"{words} the finding that is chosen")
            button.clicked.connect(lambda _=False, d=decision: self.chosen.emit(d))
            line.addWidget(button)
            self.buttons[decision] = button
        line.addStretch(1)
        self.hide()

    def present(self, decision: str | None) -> None:
        """Show which answer was given, empty: none; None: no finding is chosen."""
        self.setVisible(decision is not None)
        for name, button in self.buttons.items():
            button.setChecked(name == decision)

"""The one message box of the program: what could not be done, in a sentence."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.ui.dialog import Dialog


class ErrorDialog(Dialog):
    """Says one sentence; failed images stand in their panes instead."""

    NAME = "error"

    def __init__(self, window, sentence: str) -> None:
        super().__init__("That could not be done", window)
        self.sentence = QLabel(sentence)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(self.sentence)
        self.setFixedWidth(420)
        self.add_button("Close", self.close, default=True)

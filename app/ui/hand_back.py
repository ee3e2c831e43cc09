"""The keyboard goes back to the images after a button was pressed with the mouse.

Otherwise Space, the key of the next stage, would press that button again: Cancel of a second look, or
an answer to a finding. Who reached a button with Tab stays on it.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFrame,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

WRITTEN_IN: Final = (QLineEdit, QPlainTextEdit, QComboBox)


class HandBack(QObject):
    """Watches where the keyboard goes in one window.

    Parameters
    ----------
    window
        The window.
    home
        Its images.
    """

    def __init__(self, window: QWidget, home: QWidget) -> None:
        super().__init__(window)
        self._window, self._home = window, home
        self._pressed: QWidget | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._moved)

    def _moved(self, _old: QWidget | None, now: QWidget | None) -> None:
        if not isinstance(now, QAbstractButton) or now.window() is not self._window:
            return
        if QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            self._pressed = now
            now.released.connect(self._later, Qt.ConnectionType.SingleShotConnection)
        elif now is self._pressed:  # a dialog that it opened was closed
            self._later()

    def _later(self) -> None:
        QTimer.singleShot(0, self, self._give)  # once the button has done its work

    def _give(self) -> None:
        here = QApplication.focusWidget()
        if here is not None and here.window() is not self._window:
            return  # a dialog: when it closes the button has the keyboard again
        self._pressed = None
        is_choice = isinstance(here, QFrame) and here.property("role") == "choice"
        if not is_choice and not isinstance(here, WRITTEN_IN):
            self._home.setFocus()

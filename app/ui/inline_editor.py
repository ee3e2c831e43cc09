"""A line to write in, on the image itself."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

NARROWEST: Final = 120
"""Logical pixels."""
LONGEST: Final = 200
"""Characters."""


class InlineEditor(QLineEdit):
    """Emits `written` once with the text, on Enter or when the keyboard goes elsewhere; Esc writes nothing.

    `over` comes before that, and after Esc.

    While it is open no action of the window answers to a key.
    """

    written = Signal(str)
    over = Signal()

    def __init__(self, parent: QWidget, at: QPoint, text: str, name: str) -> None:
        super().__init__(text, parent)
        self._is_over = False
        self._before = QApplication.focusWidget()
        if self._before is not None:
            self._before.destroyed.connect(self._forget)
        self.setAccessibleName(name)
        self.setPlaceholderText(name)
        self.setMaxLength(LONGEST)
        self.textChanged.connect(self._fit)
        self._at = at
        self._fit()
        self.selectAll()
        self.show()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit(self) -> None:
        metrics = QFontMetrics(self.font())
        wide = max(NARROWEST, metrics.horizontalAdvance(self.text()) + 32)
        room = self.parentWidget().rect()
        wide, high = min(wide, room.width() - 8), self.sizeHint().height()
        left = max(4, min(self._at.x(), room.right() - wide - 4))
        top = max(4, min(self._at.y() - high // 2, room.bottom() - high - 4))
        self.setGeometry(left, top, wide, high)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.give_up()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            event.accept()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.finish()

    def give_up(self) -> None:
        """Close without a word."""
        self._end()

    def _forget(self) -> None:
        """Where the keyboard came from is gone."""
        self._before = None

    def finish(self) -> None:
        """Close with what is written."""
        if not self._is_over:
            text = self.text().strip()
            self._end()
            self.written.emit(text)

    def _end(self) -> None:
        if self._is_over:
            return
        self._is_over = True
        self.over.emit()
        self.hide()
        self.deleteLater()
        if self._before is not None:
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)

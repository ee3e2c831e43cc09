"""One choice of a few short codes: a row of buttons that is one stop of the keyboard."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QSizePolicy, QToolButton

from app.ui.drop_down import DropDown

_STEPS: Final = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_CLEAR: Final = (Qt.Key.Key_Backspace, Qt.Key.Key_Delete)


class ListChoice(DropDown):
    """A list to choose from that the wheel scrolls past: nothing is said by turning it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ChoiceRow(QFrame):
    """Emits `chosen` with the code taken, or an empty string when the one that was on is taken back.

    With the keyboard: left and right, the code's own letter or digit (again for the next that begins
    with it: 4A, 4B, 4C), Backspace for none.

    Parameters
    ----------
    name
        What is chosen, for those who hear it.
    needed
        There is always one: the one that is on cannot be taken back.
    """

    chosen = Signal(str)

    def __init__(self, name: str, *, needed: bool = False) -> None:
        super().__init__()
        self._name, self._needed = name, needed
        self._codes: tuple[str, ...] = ()
        self.code = ""
        self.buttons: dict[str, QToolButton] = {}
        self.setProperty("role", "choice")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(1, 1, 1, 1)
        self._line.setSpacing(0)

    def offer(self, options: tuple[tuple[str, str], ...]) -> None:
        """Offer codes, each with the words that its tool tip says."""
        if tuple(code for code, _ in options) == self._codes:
            return
        for button in self.buttons.values():
            self._line.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._codes = tuple(code for code, _ in options)
        self.buttons = {code: self._button(code, words) for code, words in options}
        for button in self.buttons.values():
            self._line.addWidget(button)

    def present(self, code: str) -> None:
        """Show which is chosen, without answering back."""
        self.code = code
        for each, button in self.buttons.items():
            button.setChecked(each == code)
        self.setAccessibleName(f"{self._name}: {code or 'not stated'}")

    def _button(self, code: str, words: str) -> QToolButton:
        button = QToolButton()
        button.setText(code)
        button.setCheckable(True)
        button.setToolTip(words)
        button.setAccessibleName(f"{self._name} {code}: {words}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setFixedHeight(24)
        button.setMinimumWidth(20)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self._take(code))
        return button

    def _take(self, code: str) -> None:
        """Take a code; the one that is on is taken back."""
        wanted = code if code != self.code or self._needed else ""
        self.present(wanted)
        self.chosen.emit(wanted)

    def _starting(self, text: str) -> str:
        """Return the next code that begins with what was typed, after the one that is on."""
        found = [code for code in self._codes if text and code.lower().startswith(text.lower())]
        if not found:
            return ""
        return found[(found.index(self.code) + 1) % len(found)] if self.code in found else found[0]

    def _answers(self, event: QKeyEvent) -> bool:
        plain = event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
            Qt.KeyboardModifier.KeypadModifier,
        )
        return plain and (
            event.key() in _STEPS or event.key() in _CLEAR or bool(self._starting(event.text()))
        )

    def event(self, event: QEvent) -> bool:
        """Keep the keys that this row answers from the window's shortcuts."""
        is_asked = event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent)
        if is_asked and self.isEnabled() and self._answers(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, wanted = event.key(), self._starting(event.text())
        if not self._answers(event):
            super().keyPressEvent(event)
            return
        if key in _STEPS and self._codes:
            here = self._codes.index(self.code) if self.code in self._codes else -1 if _STEPS[key] > 0 else 0
            wanted = self._codes[(here + _STEPS[key]) % len(self._codes)]
        elif key in _CLEAR:
            wanted = self.code if self._needed else ""
        if wanted != self.code:
            self.present(wanted)
            self.chosen.emit(wanted)

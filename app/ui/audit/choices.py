"""A button with a menu of words of which several can be chosen; the menu stays open while they are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.ui import theme


class _StayingMenu(QMenu):
    """A menu that a choice does not close."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.activeAction()
        if action is not None and action.isCheckable():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)


class Choices(QToolButton):
    """Shows its name, or what is chosen; `chosen` (tuple of words) after each choice by hand."""

    chosen = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._words: tuple[str, ...] = ()
        self.setAccessibleName(f"Filter by {name.lower()}")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMenu(_StayingMenu(self))
        self.setStyleSheet(
            f"QToolButton {{ background: {theme.RAISED}; border: 1px solid {theme.LINE}; padding: 4px 8px; }}"
            f"QToolButton[on=true] {{ background: {theme.ACCENT_GROUND}; color: {theme.ACCENT_TEXT}; }}"
        )
        self._title()

    def offer(self, words: Sequence[str]) -> None:
        """Offer these words; a case without one is offered as “none”."""
        if tuple(words) == self._words:
            return
        self._words = tuple(words)
        self.menu().clear()
        for word in self._words:
            action = QAction(word or "none", self.menu())
            action.setCheckable(True)
            action.setData(word)
            action.triggered.connect(self._on_choice)
            self.menu().addAction(action)
        self.setVisible(len(self._words) > 1)

    @property
    def picked(self) -> tuple[str, ...]:
        """The words that are chosen, in the order they are offered."""
        return tuple(action.data() for action in self.menu().actions() if action.isChecked())

    def present(self, words: Sequence[str]) -> None:
        """Show that these are chosen."""
        for action in self.menu().actions():
            action.setChecked(action.data() in words)
        self._title()

    def _on_choice(self) -> None:
        self._title()
        self.chosen.emit(self.picked)

    def _title(self) -> None:
        picked = [word or "none" for word in self.picked]
        shown = ", ".join(picked[:2]) + (f" +{len(picked) - 2}" if len(picked) > 2 else "")
        self.setText(f"{self._name}: {shown}" if picked else self._name)
        self.setProperty("on", bool(picked))
        self.style().unpolish(self)
        self.style().polish(self)

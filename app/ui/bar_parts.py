"""What bars are made of: labels that shorten themselves, flat buttons, thin lines between groups."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QToolButton, QWidget

from app.ui.icons import SIZE


class Elided(QLabel):
    """A label that shortens its text with an ellipsis; the whole text is its tool tip.

    Parameters
    ----------
    kept
        Logical pixels of the text that are never given up.
    """

    def __init__(self, role: str = "", kept: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kept = kept
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._whole = ""

    @property
    def whole(self) -> str:
        """The text as it was written."""
        return self._whole

    def write(self, text: str) -> None:
        """Show a text, shortened where it must be."""
        if text != self._whole:
            self._whole = text
            self.setToolTip(text)
            self.setAccessibleName(text)
            self._fit()
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.font())
        return QSize(metrics.horizontalAdvance(self._whole) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._kept, self.sizeHint().width()), QFontMetrics(self.font()).height())

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics = QFontMetrics(self.font())
        self.setText(metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, max(0, self.width())))


def tool_button(action: QAction) -> QToolButton:
    """Return a flat icon button for an action; the keyboard reaches it by the action's key."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(SIZE, SIZE))
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setAccessibleName(action.text())
    return button


def gap() -> QFrame:
    """Return a thin vertical line between groups."""
    line = QFrame()
    line.setObjectName("gap")
    line.setFixedHeight(SIZE)
    return line

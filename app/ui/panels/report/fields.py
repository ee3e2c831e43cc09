"""Text that is kept when the reader leaves it or rests for a second: one step of undo each time."""

from __future__ import annotations

from typing import ClassVar, Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

REST_MS: Final = 1000
"""How long the hand must rest before what was typed is kept."""


class _Keeping:
    """What both fields share: what is kept, what is typed, and when one becomes the other."""

    committed: Signal
    BETWEEN: ClassVar[str] = " "
    """What stands between another window's text and what was typed here."""

    def _begin(self: QWidget, name: str) -> None:  # type: ignore[misc]
        self._kept = ""
        self._rest = QTimer(self, singleShot=True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.commit)
        self.setAccessibleName(name)

    @property
    def is_pending(self) -> bool:
        """Whether something was typed that is not kept yet."""
        return self._typed() != self._kept

    def present(self, text: str, *, anew: bool = False) -> None:
        """Show what is kept; what is being typed stays, unless it is of another report (`anew`).

        Where another window changed the text meanwhile both stand there, to be seen by who typed.
        """
        if anew or not self.is_pending:
            self._rest.stop()
            shown = text
        elif text in ("", self._kept, self._typed()):
            shown = self._typed()
        else:
            shown = f"{text}{self.BETWEEN}{self._typed()}"
        self._kept = text
        if self._typed() != shown:
            self._write(shown)

    def commit(self) -> None:
        """Give out what was typed, if it is other than what is kept; not while nothing can be kept."""
        self._rest.stop()
        if self.is_pending and not self.isReadOnly():
            self._kept = self._typed()
            self.committed.emit(self._kept)


class LineField(_Keeping, QLineEdit):
    """One line; `committed` carries its text."""

    committed = Signal(str)

    def __init__(self, name: str, hint: str = "") -> None:
        super().__init__()
        self._begin(name)
        self.setPlaceholderText(hint)
        self.textEdited.connect(lambda _: self._rest.start())
        self.returnPressed.connect(self.commit)

    def _typed(self) -> str:
        return self.text()

    def _write(self, text: str) -> None:
        self.setText(text)
        self.setCursorPosition(0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.commit()
        super().focusOutEvent(event)


class TextField(_Keeping, QPlainTextEdit):
    """Several lines; Tab goes on to the next control; grows from `lines` to three times that."""

    committed = Signal(str)
    BETWEEN = "\n"

    def __init__(self, name: str, hint: str = "", lines: int = 2) -> None:
        super().__init__()
        self._lines = lines
        self._begin(name)
        self.setPlaceholderText(hint)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.textChanged.connect(self._changed)
        self.document().documentLayout().documentSizeChanged.connect(lambda _: self._fit())
        self._fit()

    def _changed(self) -> None:
        if self.is_pending:
            self._rest.start()

    def _fit(self) -> None:
        shown = min(max(self.document().size().height(), self._lines), 3 * self._lines)
        self.setFixedHeight(round(shown * self.fontMetrics().lineSpacing()) + 12)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Make room for the lines that a narrower field needs."""
        super().resizeEvent(event)
        self._fit()

    def _typed(self) -> str:
        return self.toPlainText()

    def _write(self, text: str) -> None:
        self.setPlainText(text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.commit()
        super().focusOutEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(120, super().sizeHint().height())

"""What stands where no images are: what to do, and why the last try opened nothing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from app.ui import theme

WELCOME: Final = "Drop a folder here, or press Ctrl+O"
LOOKING: Final = "Looking for mammograms"
SIZE: Final = 16
"""Type of the first line, in logical pixels."""
BELOW: Final = 24
"""From the middle to the sentence below, in logical pixels."""


class Welcome:
    """Paints the empty state of a widget; what the session said last stays until images come.

    Attributes
    ----------
    why
        The last sentence said while nothing was open.
    """

    def __init__(self, session, widget: QWidget) -> None:
        self._session, self._widget = session, widget
        self.why = ""
        session.message.connect(self._told)
        session.screen_changed.connect(self._shown)

    def _told(self, sentence: str) -> None:
        if not self._session.screen.panes:
            self.why = sentence
            self._widget.update()

    def _shown(self, screen) -> None:
        if screen.panes:
            self.why = ""

    def paint(self, painter: QPainter, rect: QRect) -> None:
        """Paint it where no images are."""
        if self._session.screen.panes:
            return
        opening = self._session.library.opening
        painter.setFont(theme.font(SIZE))
        painter.setPen(QColor(theme.QUIET))
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), LOOKING if opening else WELCOME)
        if self.why and not opening:
            below = rect.adjusted(rect.width() // 8, rect.height() // 2 + BELOW, -rect.width() // 8, 0)
            painter.setFont(theme.font())
            painter.setPen(QColor(theme.WARNING))
            flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(below, int(flags), self.why)

"""Panels that take turns at one side of the window: one line of names, one panel below it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget


class SideTabs(QWidget):
    """Shows one of several panels; each has a `TITLE` and the signals `titled` (text) and `wanted`.

    Signals: `turned` (title) after another panel came to the front.
    """

    turned = Signal(str)

    def __init__(self, panels: Iterable[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = list(panels)
        self.bar = QTabBar()
        self.bar.setDrawBase(False)
        self.bar.setExpanding(False)
        self.bar.setUsesScrollButtons(False)
        self.bar.setElideMode(Qt.TextElideMode.ElideRight)
        self.bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.bar.setAccessibleName("Panels")
        self._stack = QStackedWidget()
        for number, panel in enumerate(self._panels):
            self.bar.addTab(panel.TITLE)
            self._stack.addWidget(panel)
            panel.titled.connect(lambda text, number=number: self.bar.setTabText(number, text))
            panel.wanted.connect(lambda panel=panel: self.bring(panel))
        self.bar.currentChanged.connect(self._turn)
        rule = QFrame()
        rule.setObjectName("rule")
        names = QHBoxLayout()
        names.setContentsMargins(4, 4, 4, 0)
        names.addWidget(self.bar)
        names.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(names)
        column.addWidget(rule)
        column.addWidget(self._stack, 1)

    @property
    def front(self) -> QWidget:
        """The panel that is shown."""
        return self._panels[self._stack.currentIndex()]

    def bring(self, panel: QWidget | None) -> None:
        """Show a panel; nothing where it is none of these."""
        if panel in self._panels:
            self.bar.setCurrentIndex(self._panels.index(panel))

    def _turn(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.turned.emit(self.bar.tabText(index))

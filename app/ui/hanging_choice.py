"""Which protocol hangs and at which stage: shown and chosen, in the bar of every window of images."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFontMetrics, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QToolButton,
    QWidget,
)

from app.services.state import ScreenState
from app.ui.bar_parts import tool_button
from app.ui.drop_down import DropDown

NARROW: Final = 164
WIDEST: Final = 172
"""Logical pixels that the protocol's title may take."""
FIGURE_SPACE: Final = "\u2007"
TITLE: Final = 196
"""Logical pixels of a stage's title, where there is room for it."""
COUNT: Final = 52
"""Logical pixels of the count of stages alone."""


class _Titles(DropDown):
    """A list whose closed face shortens a long title with an ellipsis; the open list shows it whole."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self).width()
        right = Qt.TextElideMode.ElideRight
        option.currentText = self.fontMetrics().elidedText(option.currentText, right, room - 4)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    closed = Signal()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + 32)
        super().showPopup()
        self.view().window().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell when the list is gone, however it was closed."""
        if event.type() == QEvent.Type.Hide and watched is not self.window():
            QTimer.singleShot(0, self, self.closed.emit)  # Qt gives the keyboard to the box first
        return super().eventFilter(watched, event)


class HangingChoice(QWidget):
    """The protocol as a list, the stage as ``3/11  CC pair`` with a menu of all stages, steps beside it.

    Signals: `protocol_chosen` (name), `stage_chosen` (0-based among the stages that find something), `left`
    when the list of protocols closed: keys are the images' again.
    """

    protocol_chosen = Signal(str)
    stage_chosen = Signal(int)
    left = Signal()

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._screen = ScreenState()
        self._roomy = True
        self.protocol = _Titles()
        self.protocol.setAccessibleName("Hanging protocol")
        self.protocol.setToolTip("Hanging protocol  (Ctrl+P)")
        self.protocol.setMinimumWidth(NARROW)
        self.protocol.setMaximumWidth(WIDEST)
        self.protocol.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.protocol.activated.connect(self._chosen)
        self.protocol.closed.connect(self.left)
        self.stage = QToolButton()
        self.stage.setObjectName("stage")
        self.stage.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stage.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.stage.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._stages = QMenu(self)
        self._stages.aboutToShow.connect(self._list_stages)
        self.stage.setMenu(self._stages)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.protocol)
        line.addWidget(tool_button(actions["previous_stage"]))
        line.addWidget(self.stage)
        line.addWidget(tool_button(actions["next_stage"]))
        self._write()

    def present(self, screen: ScreenState, protocols: tuple[tuple[str, str], ...]) -> None:
        """Show how a screen hangs; `protocols` are (name, title)."""
        if [self.protocol.itemData(i) for i in range(self.protocol.count())] != [n for n, _ in protocols]:
            self.protocol.clear()
            for name, title in protocols:
                self.protocol.addItem(title, name)
        index = self.protocol.findData(screen.protocol)
        if index >= 0 and index != self.protocol.currentIndex():
            self.protocol.setCurrentIndex(index)
        self.protocol.setEnabled(screen.study is not None)
        self._screen = screen
        self._write()

    def set_roomy(self, is_roomy: bool) -> None:
        """Say whether there is room for the stage's title beside its count."""
        if is_roomy != self._roomy:
            self._roomy = is_roomy
            self._write()

    def open_protocols(self) -> None:
        """Open the list of hanging protocols."""
        self.protocol.setFocus()
        self.protocol.showPopup()

    def _write(self) -> None:
        screen = self._screen
        is_open = screen.study is not None
        count = f"{screen.stage + 1}/{screen.stages}" if is_open else "–/–"
        whole = f"{count}  {screen.stage_title}".strip()
        width = TITLE if self._roomy else COUNT
        metrics = QFontMetrics(self.stage.font())
        text = metrics.elidedText(whole if self._roomy else count, Qt.TextElideMode.ElideRight, width - 16)
        self.stage.setFixedWidth(width)
        self.stage.setEnabled(is_open)
        self.stage.setText(text)
        self.stage.setToolTip(f"{whole}: choose a stage" if is_open else "")
        self.stage.setAccessibleName(f"Stage {whole}")

    def _list_stages(self) -> None:
        self._stages.clear()
        for number, title in enumerate(self._screen.stage_titles):
            place = str(number + 1).rjust(2, FIGURE_SPACE)
            entry = self._stages.addAction(f"{place}   {title}")
            entry.setCheckable(True)
            entry.setChecked(number == self._screen.stage)
            entry.triggered.connect(lambda _=False, number=number: self.stage_chosen.emit(number))

    def _chosen(self, index: int) -> None:
        self.protocol_chosen.emit(str(self.protocol.itemData(index)))

"""The one line above the images: who is read, how it hangs, the tools, the state of the second look."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QWidget

from app.core.reading.findings import SecondLook
from app.services.state import ScreenState
from app.ui import identity, theme, wording
from app.ui.actions import ACTIONS
from app.ui.bar_parts import Elided, gap, tool_button
from app.ui.hanging_choice import TITLE, HangingChoice
from app.ui.icons import SIZE, icon

WIDE: Final = 1240
"""Logical pixels from which on all buttons have room beside the patient's name."""
DATE: Final = 80
"""Logical pixels that the date of the visit takes."""
SPARE: Final = "Image"
"""Group whose buttons a narrower bar leaves out; menu and keys have them."""
MARKS: Final = "Marks"
"""Group of which the bar has one button, and a menu for the rest."""
SECOND_LOOK: Final = "Second look"
"""Group whose buttons stand at the right, beside the state of the models."""


class TopBar(QFrame):
    """Sends intentions (`hanging` has those of protocol and stage); shows the screen and the second look."""

    def __init__(self, actions: dict[str, QAction], menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bar")
        self.setFixedHeight(theme.BAR)
        self._menu = menu
        self._shown: tuple[object, ...] | None = None
        self._spare: list[QWidget] = []
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 12, 0)
        line.setSpacing(4)
        self._lay_patient(line)
        self._lay_hanging(line, actions)
        self._lay_tools(line, actions)
        line.addStretch(1)
        self._lay_second_look(line, actions)

    def _lay_patient(self, line: QHBoxLayout) -> None:
        self._menu_button = QToolButton()
        self._menu_button.setIcon(icon("list"))
        self._menu_button.setIconSize(QSize(SIZE, SIZE))
        self._menu_button.setToolTip("Menu  (F10)")
        self._menu_button.setAccessibleName("Menu")
        self._menu_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._menu_button.clicked.connect(self.open_menu)
        line.addWidget(self._menu_button)
        line.addSpacing(8)
        # Who is read must be readable at any width of the window.
        self._patient, self._facts = Elided("title", kept=240), Elided(kept=64)
        self._study = Elided("quiet")
        for label in (self._patient, self._facts):
            line.addWidget(label)
            line.addSpacing(8)
        # What the visit was for takes what room is left.
        self._study.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        line.addWidget(self._study, 4)
        line.addSpacing(8)

    def _lay_hanging(self, line: QHBoxLayout, actions: dict[str, QAction]) -> None:
        self.hanging = HangingChoice(actions)
        line.addWidget(self.hanging)

    def _lay_tools(self, line: QHBoxLayout, actions: dict[str, QAction]) -> None:
        group = ""
        for action in ACTIONS:
            if not action.bar or action.group == SECOND_LOOK:
                continue
            if action.group != group:
                group = action.group
                line.addSpacing(4)
                self._add(line, gap(), group)
                line.addSpacing(4)
            self._add(line, tool_button(actions[action.id]), group)
            if action.group == MARKS:
                self._add(line, self._more_marks(actions), group)

    def _more_marks(self, actions: dict[str, QAction]) -> QToolButton:
        """Return the button of all that draws and measures; it shows the tool in hand."""
        button, menu = QToolButton(), QMenu(self)
        for row in ACTIONS:
            if row.group == MARKS:
                action = actions[row.id]
                menu.addAction(action)
                if row.check and not row.bar and row.method == "draw":
                    action.toggled.connect(lambda _, actions=actions: _show_tool(button, actions))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setIconSize(QSize(SIZE, SIZE))
        button.setToolTip("Measure and mark: all tools")
        button.setAccessibleName("Measure and mark")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCheckable(True)
        _show_tool(button, actions)
        return button

    def _lay_second_look(self, line: QHBoxLayout, actions: dict[str, QAction]) -> None:
        for action in ACTIONS:
            if action.bar and action.group == SECOND_LOOK:
                line.addWidget(tool_button(actions[action.id]))
        self._ai = QLabel("AI off")
        self._ai.setProperty("role", "quiet")
        self._ai.setMinimumWidth(104)
        self._ai.setAccessibleName("State of the second look")
        line.addWidget(self._ai)

    def _add(self, line: QHBoxLayout, part: QWidget, group: str) -> None:
        line.addWidget(part)
        if group == SPARE:
            self._spare.append(part)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for part in self._spare:
            part.setVisible(self.width() >= WIDE)
        self.hanging.set_roomy(self.width() >= WIDE + TITLE)

    def present(
        self, screen: ScreenState, protocols: tuple[tuple[str, str], ...], *, masked: bool = False
    ) -> None:
        """Show who is on screen and how it hangs; `protocols` are (name, title); `masked`: without names."""
        study = screen.study
        shown = (study, screen.protocol, screen.stage, screen.stages, protocols, masked)
        if self._shown is not None and self._shown[0] is study and self._shown[1:] == shown[1:]:
            return
        self._shown = shown
        if study is None:
            for label in (self._patient, self._facts, self._study):
                label.write("")
        else:
            facts = study.patient
            ages = next((image.age for image in study.images if image.age), "")
            sex = facts.sex if facts.sex in ("F", "M", "O") else ""
            loose = wording.of_nobody(study)
            self._patient.write(identity.of_study(study, masked=masked))
            number = identity.number(facts, masked=masked)
            self._facts.write(
                "  ".join(x for x in (wording.age(ages), sex, f"ID {number}" if number else "") if x)
            )
            told = "" if loose else f"{wording.day(study.date)}  {study.description}"
            self._study.write(told.strip())
            self._study.setMinimumWidth(DATE if told.strip() else 0)
        self.hanging.present(screen, protocols)

    def present_looks(self, looks: tuple[SecondLook, ...]) -> None:
        """Show the state of the second look in words; a warning state is amber."""
        text = wording.short_state(looks)
        amber = text in ("AI failed", "AI partly failed", "AI outside domain")
        role = "warning" if amber else "quiet"
        self._ai.setText(text)
        if self._ai.property("role") != role:
            self._ai.setProperty("role", role)
            self._ai.style().unpolish(self._ai)
            self._ai.style().polish(self._ai)

    def open_menu(self) -> None:
        """Open the menu below its button."""
        self._menu.popup(self._menu_button.mapToGlobal(QPoint(0, self._menu_button.height() + 4)))

    def open_protocols(self) -> None:
        """Open the list of hanging protocols."""
        self.hanging.open_protocols()


def _show_tool(button: QToolButton, actions: dict[str, QAction]) -> None:
    """Show the drawing tool that is chosen and has no button of its own, else that there are more."""
    rows = (row for row in ACTIONS if row.group == MARKS and row.method == "draw" and not row.bar)
    chosen = next((actions[row.id] for row in rows if actions[row.id].isChecked()), None)
    button.setIcon(icon("caret-down") if chosen is None else chosen.icon())
    button.setChecked(chosen is not None)

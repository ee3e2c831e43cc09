"""What is to be said of the heat maps of the case on screen: one line for each model that draws one."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.services import maps
from app.services.audit.maps import CaseMap, MapsState
from app.ui.audit.wording import sentence
from app.ui.panels.second_look.panel import map_words
from app.ui.panels.second_look.tested_line import tested_words

MAKING = "The heat map is being made…"


class _Line(QWidget):
    """A model's line: what was measured of its map, why there is none, or that it is hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.text = QLabel()
        self.text.setProperty("role", "quiet")
        self.text.setWordWrap(True)
        self.button = QPushButton("Show anyway")
        self.button.setToolTip("Draw the heat map that failed its tests, over the images of this exam only")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.text, 1)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)

    def present(self, one: CaseMap, *, named: bool) -> None:
        """Say it; with two models each line names its own."""
        words, tip = map_line(one)
        self.text.setText(f"{one.model}: {words}" if named and one.model not in words else words)
        self.text.setToolTip(tip)
        self.button.setVisible(bool(maps.hidden(one.looks, one.asked)))


class MapLines(QWidget):
    """Lines below the image; `wanted` (model) where a map that failed its tests is to be drawn anyway."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._shown = MapsState()
        self.lines = [_Line() for _ in range(2)]
        for number, line in enumerate(self.lines):
            column.addWidget(line)
            line.button.clicked.connect(lambda _=False, number=number: self._ask(number))
        self.hide()

    def present(self, state: MapsState) -> None:
        """Show the lines of a state; nothing where no maps are wanted."""
        self._shown = state
        self.setVisible(bool(state.of))
        for number, line in enumerate(self.lines):
            line.setVisible(number < len(state.of))
            if number < len(state.of):
                line.present(state.of[number], named=len(state.of) > 1)

    def _ask(self, number: int) -> None:
        if number < len(self._shown.of):
            self.wanted.emit(self._shown.of[number].model)


def map_line(one: CaseMap) -> tuple[str, str]:
    """Return what is said of a model's map, and what its tool tip says: what kind of map it is."""
    if one.look is None:
        return MAKING, ""
    if one.failure:
        return f"No heat map: {sentence(one.failure)}", ""
    words = map_words(one.looks, one.asked)
    if maps.held_back(one.looks, one.asked) and words:
        return words, ""
    return tested_words(one.looks, one.asked), words

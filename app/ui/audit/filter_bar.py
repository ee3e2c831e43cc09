"""Which cases are listed: criteria that combine, filters kept by name, and in words what is listed now."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.audit.columns import texts
from app.core.audit.filters import (
    EVERY_CASE,
    Among,
    Between,
    CaseFilter,
    Criterion,
    Holds,
    Noted,
    Tagged,
    words,
)
from app.core.audit.outcomes import OUTCOMES
from app.services.audit.state import AuditState
from app.ui.audit.choices import Choices
from app.ui.bar_parts import Elided
from app.ui.drop_down import DropDown

COLUMNS: Final = ("outcome", "label", "laterality", "view", "density", "vendor", "verdict")
"""Columns of words that have a button of their own."""
RANGES: Final = ("score", "age", "loss", "uncertainty", "disagreement")
"""Columns of numbers of which a range can be asked for."""
TYPED_MS: Final = 250
"""How long the hand must rest before what was typed is looked for."""


class FilterBar(QWidget):
    """Signals: `filtered` (CaseFilter), `saved` (name), `deleted` (name), `next_asked`."""

    filtered = Signal(object)
    saved = Signal(str)
    deleted = Signal(str)
    next_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state = AuditState()
        self._presenting = False
        self.by = {name: Choices(name.capitalize(), self) for name in COLUMNS}
        self.noted = Choices("Note", self)
        self.noted.offer(("with a note", "without a note"))
        self.tagged = Choices("Tags", self)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Image, patient, note")
        self.search.setAccessibleName("Search in image, patient and note")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(200)
        self.column = DropDown()
        self.column.setAccessibleName("Number to filter by")
        for name in RANGES:
            self.column.addItem(name, name)
        self.low, self.high = QLineEdit(), QLineEdit()
        for line, word in ((self.low, "from"), (self.high, "to")):
            line.setPlaceholderText(word)
            line.setAccessibleName(f"Number {word}")
            line.setFixedWidth(60)
            line.editingFinished.connect(self._ask)
        self.said = Elided()
        self.clear = QPushButton("All cases")
        self.keep = QPushButton("Keep…")
        self.next = QPushButton("Read next…")
        self.next.setToolTip("Choose the cases that are worth reading next")
        self.kept = QPushButton("Kept filters")
        self.kept.setMenu(QMenu(self.kept))
        self._typed = QTimer(self, singleShot=True, interval=TYPED_MS)
        self._typed.timeout.connect(self._ask)
        self._build()

    def _build(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        for row in (first, second):
            row.setSpacing(4)
        for button in (*self.by.values(), self.noted, self.tagged):
            first.addWidget(button)
            button.chosen.connect(lambda _: self._ask())
        first.addStretch(1)
        self.search.setMinimumWidth(180)
        for part in (self.search, self.column, self.low, self.high):
            second.addWidget(part)
        second.addStretch(1)
        for part in (self.clear, self.keep, self.kept, self.next):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            second.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.said)
        self.search.textEdited.connect(lambda _: self._typed.start())
        self.column.activated.connect(lambda _: self._show_range())
        self.clear.clicked.connect(lambda: self.filtered.emit(EVERY_CASE))
        self.keep.clicked.connect(self._ask_name)
        self.next.clicked.connect(self.next_asked)

    # Showing

    def present(self, state: AuditState) -> None:
        """Show a filter, what it lists, and what can be chosen."""
        old, self._state = self._state, state
        sheet = state.sheet
        self.setEnabled(sheet is not None and state.blinded is None)
        if sheet is None:
            self.said.write("")
            return
        self._presenting = True
        if sheet.table is not old.table or sheet.said is not (old.sheet and old.sheet.said):
            self._offer(state)
        if state.filter != old.filter or sheet.table is not old.table:
            self._show_filter(state.filter)
        if state.saved != old.saved:
            self._show_kept(state)
        what = state.picked or words(state.filter)
        self.said.write(f"{len(state.queue)} of {len(sheet.table)} cases: {what}")
        self.clear.setVisible(bool(state.picked) or state.filter.criteria != ())
        self.keep.setVisible(not state.picked and state.filter.criteria != ())
        self.kept.setVisible(bool(state.saved))
        self._presenting = False

    def _offer(self, state: AuditState) -> None:
        sheet = state.sheet
        assert sheet is not None
        for name, button in self.by.items():
            if name == "outcome":
                button.offer(OUTCOMES)
                continue
            column = texts(sheet, name)
            button.offer(
                [column.words[code] for code in np.flatnonzero(np.bincount(column.codes, minlength=1))]
            )
        self.noted.setVisible(bool(sheet.said.of))
        self.tagged.offer(sorted({tag for own in sheet.said.tags.values() for tag in own}))
        self.tagged.setVisible(bool(sheet.said.tags))

    def _show_filter(self, wanted: CaseFilter) -> None:
        chosen = {each.column: each.words for each in wanted.criteria if isinstance(each, Among)}
        for name, button in self.by.items():
            button.present(chosen.get(name, ()))
        noted = [each.noted for each in wanted.criteria if isinstance(each, Noted)]
        self.noted.present(["with a note" if one else "without a note" for one in noted])
        self.tagged.present(
            [tag for each in wanted.criteria if isinstance(each, Tagged) for tag in each.tags]
        )
        held = [each.text for each in wanted.criteria if isinstance(each, Holds)]
        if not self.search.hasFocus():
            self.search.setText(held[0] if held else "")
        self._show_range()

    def _show_range(self) -> None:
        name = self.column.currentData()
        ranges = [each for each in self._state.filter.criteria if isinstance(each, Between)]
        own = next((each for each in ranges if each.column == name), Between(name))
        for line, value in ((self.low, own.low), (self.high, own.high)):
            line.setText("" if value is None else f"{value:g}")
            line.setModified(False)

    def _show_kept(self, state: AuditState) -> None:
        menu = self.kept.menu()
        menu.clear()
        for each in state.saved:
            menu.addAction(each.name, lambda each=each: self.filtered.emit(each)).setToolTip(words(each))
        forget = menu.addMenu("Forget")
        for each in state.saved:
            forget.addAction(each.name, lambda each=each: self.deleted.emit(each.name))

    # Asking

    def _ask(self) -> None:
        if not self._presenting and self._state.sheet is not None:
            wanted = CaseFilter(tuple(self._criteria()))
            if wanted.criteria != self._state.filter.criteria or self._state.picked:
                self.filtered.emit(wanted)

    def _criteria(self) -> list[Criterion]:
        found: list[Criterion] = [
            Among(name, button.picked) for name, button in self.by.items() if button.picked
        ]
        noted = self.noted.picked
        if len(noted) == 1:
            found.append(Noted(noted[0] == "with a note"))
        if self.tagged.picked:
            found.append(Tagged(self.tagged.picked))
        name = self.column.currentData()
        others = [each for each in self._state.filter.criteria if isinstance(each, Between)]
        found += [each for each in others if each.column != name]
        low, high = _number(self.low.text()), _number(self.high.text())
        if low is not None or high is not None:
            found.append(Between(name, low, high))
        if self.search.text().strip():
            found.append(Holds(self.search.text().strip()))
        return found

    def _ask_name(self) -> None:
        name, sure = QInputDialog.getText(self, "Keep filter", "Name", text=words(self._state.filter))
        if sure and name.strip():
            self.saved.emit(name.strip())


def _number(text: str) -> float | None:
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) != float("inf") and value == value else None

"""The dialog that asks which cases to read next, and how many."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QLabel, QRadioButton, QSpinBox, QWidget

from app.core.audit.next_case import STRATEGIES
from app.ui.dialog import Dialog

WIDTH: Final = 720
USUAL: Final = 20
MOST: Final = 1000
MEANINGS: Final = {
    "uncertainty": "scores nearest to the threshold",
    "disagreement": "cases that the two models rank farthest apart",
    "diversity": "least like what was read, by the model's own vectors; it looks at new images first",
    "random": "a lot: the control that shows what a strategy does to the set",
}
NOTE: Final = (
    "Cases that have a verdict or a blinded answer are not offered again, patients of a frozen test never. "
    "The choice goes on record with each case: what a strategy chose is no random sample."
)


class NextDialog(Dialog):
    """Asks; `chosen` (strategy, count).

    Parameters
    ----------
    models
        How many models are audited: with one there is no disagreement.
    """

    chosen = Signal(str, int)

    def __init__(self, parent: QWidget | None, models: int) -> None:
        super().__init__("Which cases next", parent)
        self.setMinimumWidth(WIDTH)
        self.strategies = {name: QRadioButton(name.capitalize()) for name in STRATEGIES}
        self._group = QButtonGroup(self)
        form = QGridLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        form.setColumnStretch(1, 1)
        for row, (name, button) in enumerate(self.strategies.items()):
            meaning = QLabel(MEANINGS[name])
            meaning.setProperty("role", "quiet")
            meaning.setBuddy(button)
            self._group.addButton(button)
            form.addWidget(button, row, 0)
            form.addWidget(meaning, row, 1)
        self.strategies["uncertainty"].setChecked(True)
        self.strategies["disagreement"].setEnabled(models > 1)
        if models < 2:
            self.strategies["disagreement"].setToolTip("It needs two models")
        self.count = QSpinBox()
        self.count.setAccessibleName("How many cases")
        self.count.setRange(1, MOST)
        self.count.setValue(USUAL)
        self.count.setFixedWidth(96)
        self.count.lineEdit().setTextMargins(6, 0, 6, 0)
        many = QLabel("Cases")
        many.setProperty("role", "quiet")
        many.setBuddy(self.count)
        form.addWidget(many, len(self.strategies), 0)
        form.addWidget(self.count, len(self.strategies), 1)
        self.body.addLayout(form)
        note = QLabel(NOTE)
        note.setProperty("role", "quiet")
        note.setWordWrap(True)
        self.body.addWidget(note)
        self.add_button("Cancel", self.close)
        self.list_button = self.add_button("List them", self._list, default=True)

    def _list(self) -> None:
        name = next(name for name, button in self.strategies.items() if button.isChecked())
        self.chosen.emit(name, self.count.value())
        self.close()

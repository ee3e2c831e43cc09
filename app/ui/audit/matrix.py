"""The confusion matrix at the threshold: each cell leads to its cases, each share has its interval."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.audit.outcomes import FN, FP, TN, TP, Matrix
from app.core.audit.units import PLURAL
from app.ui import theme
from app.ui.audit import wording

_CELLS: Final = ((TP, 1, 1), (FN, 1, 2), (FP, 2, 1), (TN, 2, 2))
"""Cell, its row and column in the grid."""
WIDTH: Final = 240
"""Logical pixels that it has at least."""
SHARES: Final = (
    ("sensitivity", "Sensitivity", "positives that are recalled"),
    ("specificity", "Specificity", "negatives that are not recalled"),
    ("predictive", "PPV", "positives among the recalled"),
    ("recalled", "Recalled", "of all that have score and truth"),
)


def _quiet(text: str = "") -> QLabel:
    made = QLabel(text)
    made.setProperty("role", "quiet")
    return made


class MatrixView(QWidget):
    """Shows a `Matrix`; `cell_chosen` (cell code)."""

    cell_chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(WIDTH)
        self.head = QLabel("Confusion matrix")
        self.head.setProperty("role", "section")
        self.cells = {cell: self._cell(cell) for cell, _, _ in _CELLS}
        self.shares = {name: QLabel() for name, _, _ in SHARES}
        self.without = _quiet()
        self.without.setWordWrap(True)
        grid = QGridLayout()
        grid.setSpacing(4)
        for column, word in ((1, "recalled"), (2, "not recalled")):
            grid.addWidget(_quiet(word), 0, column, Qt.AlignmentFlag.AlignHCenter)
        for row, word in ((1, "positive"), (2, "negative")):
            grid.addWidget(_quiet(word), row, 0)
        for cell, row, column in _CELLS:
            grid.addWidget(self.cells[cell], row, column)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        numbers = QGridLayout()
        numbers.setHorizontalSpacing(8)
        numbers.setVerticalSpacing(4)
        numbers.setColumnStretch(1, 1)
        for row, (name, word, meaning) in enumerate(SHARES):
            label = _quiet(word)
            label.setToolTip(f"{word}: {meaning}; 95 % interval of Wilson")
            numbers.addWidget(label, row, 0)
            numbers.addWidget(self.shares[name], row, 1, Qt.AlignmentFlag.AlignRight)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.head)
        column.addLayout(grid)
        column.addLayout(numbers)
        column.addWidget(self.without)
        column.addStretch(1)

    def _cell(self, cell: int) -> QPushButton:
        button = QPushButton()
        button.setMinimumHeight(36)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(f"{wording.MEANINGS[cell].capitalize()}: list these cases")
        button.setStyleSheet(
            f"QPushButton {{ color: {wording.COLOURS[cell]}; background: {theme.PANEL}; padding: 4px; }}"
        )
        button.clicked.connect(lambda: self.cell_chosen.emit(cell))
        return button

    def present(self, matrix: Matrix | None, why: str = "") -> None:
        """Show counts and shares; None: nothing is counted, and `why` says why."""
        self.setEnabled(matrix is not None)
        if matrix is None:
            self.head.setText("Confusion matrix")
            for part in self.shares.values():
                part.setText("")
            self.without.setText(why)
            for cell, button in self.cells.items():
                button.setText(wording.outcome(cell))
            return
        unit = PLURAL[matrix.unit]
        self.head.setText(f"Confusion matrix, {unit}, at {matrix.threshold:.3f}")
        for cell, count in ((TP, matrix.tp), (FP, matrix.fp), (FN, matrix.fn), (TN, matrix.tn)):
            self.cells[cell].setText(f"{wording.outcome(cell)}   {count}")
            self.cells[cell].setAccessibleName(f"{count} {unit}: {wording.MEANINGS[cell]}")
            self.cells[cell].setEnabled(count > 0)
        for name, label in self.shares.items():
            label.setText(wording.share(getattr(matrix, name)))
        lacks = [
            f"{wording.counted(count, matrix.unit, unit)} without {what}"
            for count, what in ((matrix.without_truth, "truth"), (matrix.without_score, "score"))
            if count
        ]
        self.without.setText(", ".join(lacks))

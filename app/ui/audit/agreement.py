"""What blinded readings show: each reader beside the model, and how far readers agree beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.core.audit.outcomes import Share
from app.core.audit.readings import Reading, said_kappa
from app.ui.audit import wording
from app.ui.dialog import Dialog
from app.ui.drop_down import DropDown

SIZE: Final = (960, 600)
READERS: Final = ("Reader", "Images", "Median time", "Sensitivity, of", "Specificity, of", "AUC")
PAIRS: Final = ("Readings", "Images", "Kappa of recall", "Kappa of assessment")
NOTE: Final = (
    "A recall is an assessment of 4 or 5; the model recalls from its threshold in force. Cohen's kappa: of "
    "assessments with quadratic weights, intervals by Fleiss, Cohen and Everitt. Fleiss' kappa: of recall, "
    "of all readers on the images that all of them answered; its interval holds where there is no agreement "
    "beyond chance. All intervals are of 95 % and take images for independent."
)


class AgreementDialog(Dialog):
    """Shows reader studies, one at a time; `saved` when the numbers are wanted as a table.

    Parameters
    ----------
    readings
        At least one.
    model
        The leading model's name.
    """

    saved = Signal()

    def __init__(self, parent: QWidget | None, readings: Sequence[Reading], model: str) -> None:
        super().__init__("Agreement of readers", parent)
        self.resize(*SIZE)
        self._readings, self._model = tuple(readings), model
        self.study = DropDown()
        self.study.setAccessibleName("Reader study")
        for reading in self._readings:
            self.study.addItem(reading.name)
        self.study.currentIndexChanged.connect(self.present)
        self.study.setVisible(len(self._readings) > 1)
        self.body.addWidget(self.study, 0, Qt.AlignmentFlag.AlignLeft)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.body.addWidget(self.area, 1)
        note = QLabel(NOTE)
        note.setProperty("role", "quiet")
        note.setWordWrap(True)
        self.body.addWidget(note)
        self.save_button = self.add_button("Save as CSV…", self.saved.emit)
        self.add_button("Close", self.close, default=True)
        self.present(0)

    def present(self, number: int) -> None:
        """Show a study by its place."""
        reading = self._readings[number]
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 16, 0)
        column.setSpacing(8)
        _section(column, f"“{reading.name}”: readers, and {self._model} on the same images")
        column.addLayout(_table(READERS, reader_rows(reading, self._model)))
        column.addSpacing(12)
        _section(column, "Agreement beyond chance")
        column.addLayout(_table(PAIRS, pair_rows(reading, self._model)))
        column.addStretch(1)
        self.area.setWidget(inside)


def reader_rows(reading: Reading, model: str) -> list[tuple[str, ...]]:
    """Return a row for each reader and arm, and below it the model on the same images."""
    rows = []
    for one in reading.results:
        shares = (_share(one.sensitivity), _share(one.specificity), _area(one.auc))
        rows.append((one.name, str(one.answered), f"{one.seconds:.0f} s", *shares))
        shares = (_share(one.model_sensitivity), _share(one.model_specificity), _area(one.model_auc))
        rows.append((f"   {model}", "", "", *shares))
    return rows


def pair_rows(reading: Reading, model: str) -> list[tuple[str, ...]]:
    """Return the agreements: of each two readers, of each with and without help, with the model, of all."""
    rows = [
        (
            f"{pair.one}, {pair.other}",
            str(pair.recall.n),
            said_kappa(pair.recall),
            said_kappa(pair.assessment),
        )
        for pair in reading.pairs
    ]
    rows += [
        (f"{one.name}, {model}", str(one.with_models.n), said_kappa(one.with_models), "")
        for one in reading.results
    ]
    if reading.fleiss is not None:
        words = f"{said_kappa(reading.fleiss)}, Fleiss"
        rows.append(("All readers without the model", str(reading.fleiss.n), words, ""))
    return rows


def _share(one: Share) -> str:
    return f"{wording.share(one)}, {one.n}" if one.n else "–"


def _area(area: float | None) -> str:
    return "–" if area is None else f"{area:.3f}"


def _section(column: QVBoxLayout, words: str) -> None:
    head = QLabel(words)
    head.setProperty("role", "section")
    column.addWidget(head)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(0, 1)
    for place, word in enumerate(heads):
        label = QLabel(word)
        label.setProperty("role", "quiet")
        grid.addWidget(label, 0, place)
    for number, row in enumerate(rows, start=1):
        for place, word in enumerate(row):
            label = QLabel(word)
            label.setProperty("role", "quiet" if row[0].startswith(" ") else "")
            grid.addWidget(label, number, place)
    return grid

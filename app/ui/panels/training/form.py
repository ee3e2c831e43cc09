"""What is asked of a new training: data, recipe, frozen test, budget."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.services.training.asked import Choices, Wish
from app.services.training.recipes import RecipeFacts
from app.ui.drop_down import DropDown
from app.ui.panels.training import words
from app.ui.panels.training.parts import add_row, label

WIDTH = 760
OTHER = "another recipe"


class Form(QWidget):
    """The choices of a new training.

    Signals: `begun` (Wish), `freeze_asked` (path of the manifest).
    """

    begun = Signal(object)
    freeze_asked = Signal(str)

    def __init__(self, device: str = "auto") -> None:
        super().__init__()
        self._choices = Choices()
        self._own_name = ""
        self._make_editors(device)
        table = QGridLayout()
        table.setHorizontalSpacing(16)
        table.setVerticalSpacing(8)
        table.setColumnStretch(1, 1)
        self._fill(table)
        head = label("New training", "title")
        told = label(
            "It runs by itself, goes on when this window is closed, and is measured on the frozen test, "
            "whose patients no training is shown.",
            "quiet",
        )
        self.problem = label(role="warning")
        self.problem.setVisible(False)
        self.start = QPushButton("Start")
        self.start.setDefault(True)
        self.start.clicked.connect(self._begin)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.start)
        page = QWidget()
        page.setMaximumWidth(WIDTH)
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(head)
        column.addWidget(told)
        column.addLayout(table)
        column.addWidget(self.problem)
        column.addLayout(foot)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)

    def _make_editors(self, device: str) -> None:
        self.manifest, self.splits = QLineEdit(), QLineEdit()
        self.manifest.setPlaceholderText("manifest.csv, of a data set or curated")
        self.splits.setPlaceholderText("none: divided as the frozen test is")
        self.recipe, self.frozen, self.against, self.device = (DropDown() for _ in range(4))
        self.recipe.currentIndexChanged.connect(lambda _: self._recipe_changed())
        self.recipe_file = QLineEdit()
        self.recipe_file.setPlaceholderText("a .toml file")
        self.name = QLineEdit()
        self.name.textEdited.connect(lambda text: setattr(self, "_own_name", text))
        self.epochs = QSpinBox()
        self.epochs.setRange(0, 100_000)
        self.hours = QDoubleSpinBox()
        self.hours.setRange(0.0, 10_000.0)
        self.hours.setDecimals(2)
        self.hours.setSuffix(" h")
        self.hours.setSpecialValueText("no limit")
        for spin in (self.epochs, self.hours):
            spin.lineEdit().setTextMargins(6, 0, 6, 0)
        self.changes = QLineEdit()
        self.changes.setPlaceholderText("none; for example lr=1e-3 size=512x320")
        for word in ("auto", "cpu", "cuda"):
            self.device.addItem(word, word)
        self.device.setCurrentText(device)
        self.choose = QPushButton("Choose once …")
        self.choose.clicked.connect(lambda: self.freeze_asked.emit(self.manifest.text().strip()))

    def _fill(self, table: QGridLayout) -> None:
        add_row(table, "Images", self.manifest, self._browse(self.manifest, "Manifest", "Manifests (*.csv)"))
        add_row(table, "Recipe", self.recipe)
        browse = self._browse(self.recipe_file, "Recipe", "Recipes (*.toml)")
        add_row(table, "Recipe file", self.recipe_file, browse)
        self._file_row = [table.itemAtPosition(table.rowCount() - 1, column).widget() for column in range(3)]
        add_row(table, "Frozen test", self.frozen, self.choose)
        add_row(table, "Splits", self.splits, self._browse(self.splits, "Splits", "Splits (*.json)"))
        add_row(table, "Name of the model", self.name)
        add_row(table, "Compare with", self.against)
        add_row(table, "Compute on", self.device)
        add_row(table, "Epochs", self.epochs)
        add_row(table, "At most", self.hours)
        add_row(table, "Changes to the recipe", self.changes)

    def _browse(self, editor: QLineEdit, what: str, kinds: str) -> QPushButton:
        button = QPushButton("Browse …")
        button.setAccessibleName(f"Browse for {what.lower()}")

        def ask() -> None:
            start = str(Path(editor.text()).parent) if editor.text() else ""
            name, _ = QFileDialog.getOpenFileName(self, what, start, kinds)
            if name:
                editor.setText(name)

        button.clicked.connect(ask)
        return button

    def present(self, choices: Choices) -> None:
        """Show what there is to choose from; what was chosen stays."""
        before, is_first = self._recipe, not self.recipe.count()
        self._choices = choices
        recipes = [(f"{one.name}  –  {one.title}", one.key) for one in choices.recipes]
        _offer(self.recipe, [*recipes, (OTHER, "")])
        kept = [
            (f"{one.name}  –  {len(one.patients)} patients, {len(one.files)} images", one.name)
            for one in choices.frozen
        ]
        _offer(self.frozen, kept or [("none yet: choose one", "")])
        _offer(self.against, [("nothing", ""), *((name, name) for name in choices.models)])
        self.start.setEnabled(not choices.problem)
        self.say(choices.problem)
        if is_first or self._recipe != before:
            self._recipe_changed()

    def say(self, sentence: str) -> None:
        """Say why a training cannot be started; "" says nothing."""
        self.problem.setText(words.sentence(sentence))
        self.problem.setVisible(bool(sentence))

    @property
    def _recipe(self) -> RecipeFacts | None:
        key = self.recipe.currentData()
        return next((one for one in self._choices.recipes if one.key == key), None)

    def _recipe_changed(self) -> None:
        chosen = self._recipe
        for part in self._file_row:
            part.setVisible(chosen is None)
        told = f"as the recipe says ({chosen.epochs})" if chosen and chosen.epochs else "as the recipe says"
        self.epochs.setSpecialValueText(told)
        if not self._own_name:
            self.name.setText(f"{chosen.name}-own"[-64:] if chosen else "")
        if chosen is not None:
            place = max(self.against.findData(self.name.text()), self.against.findData(chosen.name))
            self.against.setCurrentIndex(max(0, place))

    def _begin(self) -> None:
        self.epochs.interpretText()
        self.hours.interpretText()
        missing = self._missing()
        self.say(missing)
        if missing:
            return
        self.begun.emit(
            Wish(
                recipe=self.recipe.currentData() or self.recipe_file.text().strip(),
                manifest=self.manifest.text().strip(),
                frozen=self.frozen.currentData(),
                name=self.name.text().strip(),
                splits=self.splits.text().strip(),
                device=self.device.currentData(),
                epochs=self.epochs.value(),
                hours=self.hours.value(),
                against=self.against.currentData() or "",
                changes=tuple(shlex.split(self.changes.text())),
            )
        )

    def _missing(self) -> str:
        """Return what is still to be said, "" where nothing is missing."""
        if not self.manifest.text().strip():
            return "say which images: a manifest.csv"
        if not self.frozen.currentData():
            return "choose a frozen test first: the patients on whom every model is measured"
        if not (self.recipe.currentData() or self.recipe_file.text().strip()):
            return "say which recipe"
        try:
            changes = shlex.split(self.changes.text())
        except ValueError:
            return "a quotation mark is open in the changes to the recipe"
        wrong = [one for one in changes if not re.fullmatch(r"[\w.]+=.+", one)]
        return f"{wrong[0]}: a change has the form key=value" if wrong else ""


def _offer(box: DropDown, entries: list[tuple[str, str]]) -> None:
    """Fill a list; the entry that was chosen stays chosen if it is still there."""
    chosen = box.currentData()
    box.blockSignals(True)
    box.clear()
    for text, value in entries:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)) if chosen is not None else 0)
    box.blockSignals(False)

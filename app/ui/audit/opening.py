"""The dialog that asks what is audited: images, one or two models, prediction files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.ui.audit.wording import sentence
from app.ui.dialog import Dialog
from app.ui.drop_down import DropDown

WIDTH = 640
NONE = "none"


class OpenDialog(Dialog):
    """Asks; `chosen` (paths, models, prediction files) when it is enough to begin."""

    chosen = Signal(object, object, object)

    def __init__(self, parent: QWidget | None, models: Sequence[str] = ()) -> None:
        super().__init__("Audit predictions", parent)
        self.setMinimumWidth(WIDTH)
        self.images, self.predictions = QLineEdit(), QLineEdit()
        self.images.setPlaceholderText("A manifest (.csv) or a folder")
        self.predictions.setPlaceholderText("One or two files of mammoview predict, parted by ;")
        self.first, self.second = DropDown(), DropDown()
        for box in (self.first, self.second):
            box.addItem(NONE, "")
            for name in models:
                box.addItem(name, name)
        form = QGridLayout()
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        form.setColumnStretch(1, 1)
        self._add(
            form, "Images", self.images, ("Manifest…", self._ask_manifest), ("Folder…", self._ask_folder)
        )
        self._add(form, "Model", self.first)
        self._add(form, "Second model", self.second)
        self._add(form, "Predictions", self.predictions, ("Files…", self._ask_predictions))
        self.body.addLayout(form)
        self.said = QLabel(
            "Without images, those of the prediction file are meant. What a model has not looked at "
            "yet waits until you ask for it; answers stay on this machine."
        )
        self.said.setProperty("role", "quiet")
        self.said.setWordWrap(True)
        self.body.addWidget(self.said)
        self.add_button("Cancel", self.close)
        self.open_button = self.add_button("Open", self._open, default=True)

    @staticmethod
    def _add(form: QGridLayout, text: str, editor: QWidget, *more: tuple[str, object]) -> None:
        row = form.rowCount()
        name = QLabel(text)
        name.setProperty("role", "quiet")
        name.setBuddy(editor)
        editor.setAccessibleName(text)
        form.addWidget(name, row, 0)
        form.addWidget(editor, row, 1, 1, 3 - len(more))
        for number, (word, do) in enumerate(more):
            button = QPushButton(word)
            button.setAutoDefault(False)
            button.clicked.connect(do)
            form.addWidget(button, row, 4 - len(more) + number)

    def _ask_manifest(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Manifest", "", "Manifest (*.csv)")
        if name:
            self.images.setText(name)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Folder of images")
        if name:
            self.images.setText(name)

    def _ask_predictions(self) -> None:
        names, _ = QFileDialog.getOpenFileNames(self, "Prediction files", "", "Predictions (*.json)")
        if names:
            self.predictions.setText("; ".join(names))

    def _open(self) -> None:
        images = self.images.text().strip()
        files = [Path(part.strip()) for part in self.predictions.text().split(";") if part.strip()]
        models = [box.currentData() for box in (self.first, self.second) if box.currentData()]
        if not images and not files:
            self.say("Choose a manifest, a folder or a prediction file.")
        elif not models and not files:
            self.say("Choose a model, or a prediction file.")
        else:
            self.chosen.emit([Path(images)] if images else [], list(dict.fromkeys(models)), files)
            self.close()

    def say(self, text: str) -> None:
        """Say what is missing."""
        self.said.setProperty("role", "warning")
        self.said.setText(sentence(text))
        self.said.style().unpolish(self.said)
        self.said.style().polish(self.said)

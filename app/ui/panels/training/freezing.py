"""Choosing a frozen test: once, by name, for good."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QPushButton, QSpinBox, QWidget

from app.ui.dialog import Dialog
from app.ui.panels.training import words
from app.ui.panels.training.parts import add_row, label


class FreezeDialog(Dialog):
    """Asks for manifest, splits and fold; signal `chosen` (name, manifest, splits or None, fold)."""

    chosen = Signal(str, object, object, int)

    def __init__(self, parent: QWidget, manifest: str = "") -> None:
        super().__init__("Choose a frozen test", parent)
        told = label(
            "Its patients will measure every model and train none: a training that holds one of them is "
            "refused, by name. It is chosen once and cannot be changed."
        )
        self.name, self.manifest, self.splits = QLineEdit(), QLineEdit(manifest), QLineEdit()
        self.name.setPlaceholderText("for example mias")
        self.splits.setPlaceholderText("none: 15 of 100 patients, chosen by the trainer")
        self.fold = QSpinBox()
        self.fold.setRange(0, 99)
        self.fold.lineEdit().setTextMargins(6, 0, 6, 0)
        self.fold.setToolTip("The part 'test' of this fold of the splits, counted from 0")
        table = QGridLayout()
        table.setHorizontalSpacing(16)
        table.setVerticalSpacing(8)
        table.setColumnStretch(1, 1)
        add_row(table, "Name", self.name)
        add_row(table, "Images", self.manifest, self._browse(self.manifest, "Manifests (*.csv)"))
        add_row(table, "Splits", self.splits, self._browse(self.splits, "Splits (*.json)"))
        add_row(table, "Fold", self.fold)
        self.warning = label(role="warning")
        self.warning.setVisible(False)
        self.body.addWidget(told)
        self.body.addLayout(table)
        self.body.addWidget(self.warning)
        self.setFixedWidth(560)
        self.add_button("Cancel", self.close)
        self.freeze = self.add_button("Choose for good", self._choose, default=True)

    def _browse(self, editor: QLineEdit, kinds: str) -> QPushButton:
        button = QPushButton("Browse …")
        button.setAccessibleName(f"Browse for {kinds.partition(' ')[0].lower()}")
        button.setAutoDefault(False)

        def ask() -> None:
            name, _ = QFileDialog.getOpenFileName(self, "Open", "", kinds)
            if name:
                editor.setText(name)

        button.clicked.connect(ask)
        return button

    def say(self, sentence: str) -> None:
        """Say why it could not be chosen."""
        self.warning.setText(words.sentence(sentence))
        self.warning.setVisible(True)
        self.freeze.setEnabled(True)

    def _choose(self) -> None:
        splits = self.splits.text().strip()
        if not self.manifest.text().strip():
            self.say("say which images: a manifest.csv")
            return
        self.freeze.setEnabled(False)  # the trainer may need a moment
        manifest = Path(self.manifest.text().strip())
        self.chosen.emit(
            self.name.text().strip(), manifest, Path(splits) if splits else None, self.fold.value()
        )

"""What a model sees at a place: its strongest feature maps there, and the training cases most alike."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.core.reading.inside import InsidePlace, LikeCase
from app.ui import wording
from app.ui.drop_down import DropDown
from app.ui.panels.inside.tiles import CaseLine, ChannelTile

ACROSS: Final = 4
ROWS: Final = 3
CASES: Final = 6
SIDE: Final = 256


class InsideWindow(QWidget):
    """A window beside the images; the next place asked about is shown in the same one.

    Signals: `wanted` (model, layer or None) where the reader chose another; `manifest_chosen` (path).
    """

    wanted = Signal(str, object)
    manifest_chosen = Signal(str)

    def __init__(self, models: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("Mammoview: what the model sees here")
        self.setWindowIcon(QIcon("icons:mammoview.svg"))
        self.setObjectName("inside")
        self.models, self.layers = DropDown(), DropDown()
        self.models.setAccessibleName("Model")
        self.layers.setAccessibleName("Layer")
        self.models.addItems(list(models))
        self.models.activated.connect(lambda _: self.wanted.emit(self.models.currentText(), None))
        self.layers.activated.connect(lambda at: self.wanted.emit(self.models.currentText(), at))
        self.state = _words("")
        self.tiles = [ChannelTile() for _ in range(ACROSS * ROWS)]
        self.cases = [CaseLine() for _ in range(CASES)]
        self.note = _words("")
        self.find = QPushButton("Find pictures...")
        self.find.setToolTip("Choose the manifest of the data set, to see its images from your own copy")
        self.find.clicked.connect(self._choose)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 16, 16, 12)
        whole.setSpacing(12)
        whole.addLayout(self._head())
        whole.addWidget(self.state)
        middle = QHBoxLayout()
        middle.setSpacing(24)
        middle.addLayout(self._maps())
        middle.addLayout(self._alike())
        whole.addLayout(middle, 1)
        whole.addWidget(
            _words(f"{wording.RESEARCH}. Feature maps are no findings; a bright place is no lesion.")
        )
        self._shown: InsidePlace | None = None
        self.wait()

    def _head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(12)
        for words, part in (("Model", self.models), ("Layer", self.layers)):
            line.addWidget(_words(words))
            line.addWidget(part)
        line.addStretch(1)
        return line

    def _maps(self) -> QVBoxLayout:
        column, grid = QVBoxLayout(), QGridLayout()
        grid.setSpacing(8)
        for number, tile in enumerate(self.tiles):
            grid.addWidget(tile, number // ACROSS, number % ACROSS)
        column.setSpacing(8)
        column.addWidget(_words("Feature maps that stand out at the place", "section"))
        column.addLayout(grid)
        column.addStretch(1)
        return column

    def _alike(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        title = _words("Looks like", "section")
        title.setFixedWidth(SIDE)
        column.addWidget(title)
        for case in self.cases:
            column.addWidget(case)
        column.addWidget(self.note)
        column.addWidget(self.find, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        return column

    def wait(self) -> None:
        """Say that the model is looking; what is shown stays until it has."""
        self.state.setText("Looking...")

    def fail(self, sentence: str) -> None:
        """Say why there is nothing to show."""
        self.state.setText(sentence)
        self._show_parts(None)

    @Slot(object)
    def present(self, answer: InsidePlace) -> None:
        """Show an answer."""
        row, col = answer.place
        self.state.setText(
            f"At row {row:.0f}, column {col:.0f} of the image; the network sees it as shown here."
        )
        self.models.setCurrentText(answer.model)
        if [self.layers.itemText(number) for number in range(self.layers.count())] != list(answer.layers):
            self.layers.clear()
            self.layers.addItems(list(answer.layers))
        self.layers.setCurrentIndex(answer.layer)
        self._show_parts(answer)

    @property
    def alike(self) -> tuple[LikeCase, ...]:
        """The training cases that are shown."""
        return () if self._shown is None else self._shown.alike

    def present_pictures(self, pictures: dict) -> None:
        """Show pictures of the cases, by case; those of an answer before are passed over."""
        if self._shown is None:
            return
        for line, case in zip(self.cases, self._shown.alike, strict=False):
            line.present(case, pictures.get(case))
        self.find.setVisible(bool(self._shown.alike) and not pictures)

    def _show_parts(self, answer: InsidePlace | None) -> None:
        self._shown = answer
        channels = () if answer is None else answer.channels
        alike: tuple[LikeCase, ...] = () if answer is None else answer.alike
        for number, tile in enumerate(self.tiles):
            tile.setVisible(number < len(channels))
            if answer is not None and number < len(channels):
                tile.present(channels[number], answer.cell)
        for number, line in enumerate(self.cases):
            line.setVisible(number < len(alike))
            if number < len(alike):
                line.present(alike[number], None)
        self.note.setText("" if answer is None else answer.note)
        self.find.setVisible(bool(alike))

    def _choose(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Manifest of the data set", str(Path.home()), "Manifest (*.csv)"
        )
        if path:
            self.manifest_chosen.emit(path)


def _words(text: str, role: str = "quiet") -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(role == "quiet" and len(text) != 5)
    return label

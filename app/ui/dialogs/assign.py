"""What the reader says of an image: laterality and view; of one whose file is silent, source and spacing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QLabel, QWidget

from app.core.imaging.image import Image
from app.services.assign import COARSEST_MM, SOURCE_WORDS, alike, lacks_source, lacks_spacing
from app.ui.dialog import Dialog
from app.ui.drop_down import DropDown

LATERALITIES: Final = ((None, "not known"), ("R", "Right"), ("L", "Left"), ("B", "Both"))
VIEWS: Final = ("CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN")


class AssignDialog(Dialog):
    """Offers what the image has now; sends the reader's choice to the session.

    What the file itself says of source and spacing is shown and cannot be changed.
    """

    NAME = "assign"

    def __init__(self, window, image: Image) -> None:
        super().__init__("About this image", window)
        self._session, self._image = window.session, image
        self.laterality, self.view = _choice(LATERALITIES), _choice(_views())
        self.laterality.setCurrentIndex(max(0, self.laterality.findData(image.laterality)))
        self.view.setCurrentIndex(max(0, self.view.findData(image.view)))
        self.source = _choice(tuple(SOURCE_WORDS.items()))
        if self.source.findData(image.source) < 0:
            self.source.addItem(image.source, image.source)
        self.source.setCurrentIndex(self.source.findData(image.source))
        self.source.setEnabled(lacks_source(image))
        self.spacing = _spacing(image)
        others = alike(self._session.collection, image)
        self.folder = QCheckBox(f"Origin and pixel size also for the other {len(others)} of this folder")
        self.folder.setVisible(bool(others))
        file = "" if self._session.settings.mask_names else image.path.name
        name = QLabel("   ".join(text for text in (image.label, file) if text))
        name.setProperty("role", "quiet")
        self.body.addWidget(name)
        self.body.addLayout(
            _table(
                ("Breast", self.laterality),
                ("View", self.view),
                ("Origin", self.source),
                ("Pixel size", self.spacing),
            )
        )
        self.body.addWidget(self.folder)
        self.setFixedWidth(400)
        self.add_button("Cancel", self.close)
        self.add_button("Assign", self.assign, default=True)

    def assign(self) -> None:
        """Send the choice, with what is still being typed, and close."""
        self.spacing.interpretText()
        self._session.describe(
            self._image,
            self.laterality.currentData(),
            self.view.currentData(),
            self.source.currentData(),
            self.spacing.value() or None,
            folder=self.folder.isChecked(),
        )
        self.close()


def _views() -> tuple[tuple[str | None, str], ...]:
    return ((None, "not known"), *((view, view) for view in VIEWS))


def _choice(entries) -> QComboBox:
    box = DropDown()
    for value, text in entries:
        box.addItem(text, value)
    return box


def _spacing(image: Image) -> QDoubleSpinBox:
    """Return the editor of the distance between pixels; its least value reads "not known"."""
    spin = _Millimetres()
    spin.lineEdit().setTextMargins(6, 0, 6, 0)
    spin.setRange(0.0, COARSEST_MM)
    spin.setDecimals(4)
    spin.setSingleStep(0.01)
    spin.setSpecialValueText("not known")
    spin.setSuffix(" mm")
    spin.setValue(image.spacing.row_mm if image.spacing else 0.0)
    spin.setEnabled(lacks_spacing(image))
    return spin


class _Millimetres(QDoubleSpinBox):
    """Writes 0.2, not 0.2000, in any country; reads 0.2 and 0,2 alike."""

    def __init__(self) -> None:
        super().__init__()
        # Written and read in one language: where the comma is the decimal mark "0.2" would be read as 2.
        self.setLocale(QLocale.c())

    def textFromValue(self, value: float) -> str:
        return f"{value:g}"

    def validate(self, text: str, pos: int) -> object:
        return super().validate(text.replace(",", "."), pos)


def _table(*rows: tuple[str, QWidget]) -> QGridLayout:
    table = QGridLayout()
    table.setHorizontalSpacing(16)
    table.setVerticalSpacing(8)
    for number, (text, editor) in enumerate(rows):
        label = QLabel(text)
        label.setProperty("role", "quiet")
        label.setBuddy(editor)
        editor.setAccessibleName(text)
        table.addWidget(label, number, 0)
        table.addWidget(editor, number, 1)
    table.setColumnStretch(1, 1)
    return table

"""Laterality and view of an image, said by hand."""

from __future__ import annotations

from typing import Final

from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel

from app.core.imaging.image import Image
from app.ui import wording
from app.ui.dialog import Dialog

LATERALITIES: Final = ((None, "not known"), ("R", "Right"), ("L", "Left"), ("B", "Both"))
VIEWS: Final = ("CC", "MLO", "ML", "LM", "LMO", "SIO", "ISO", "XCC", "XCCL", "XCCM", "FB", "SPECIMEN")


class AssignDialog(Dialog):
    """Offers what the image has now; sends the reader's choice to the session."""

    NAME = "assign"

    def __init__(self, window, image: Image) -> None:
        super().__init__("Laterality and view", window)
        self._session, self._image = window.session, image
        table = QGridLayout()
        table.setHorizontalSpacing(16)
        table.setVerticalSpacing(8)
        self.laterality, self.view = QComboBox(), QComboBox()
        for value, text in LATERALITIES:
            self.laterality.addItem(text, value)
        self.view.addItem("not known", None)
        for value in VIEWS:
            self.view.addItem(value, value)
        self.laterality.setCurrentIndex(max(0, self.laterality.findData(image.laterality)))
        self.view.setCurrentIndex(max(0, self.view.findData(image.view)))
        for row, (text, box) in enumerate((("Breast", self.laterality), ("View", self.view))):
            label = QLabel(text)
            label.setProperty("role", "quiet")
            label.setBuddy(box)
            box.setAccessibleName(text)
            table.addWidget(label, row, 0)
            table.addWidget(box, row, 1)
        table.setColumnStretch(1, 1)
        name = QLabel(f"{wording.label(image)}   {image.path.name}")
        name.setProperty("role", "quiet")
        self.body.addWidget(name)
        self.body.addLayout(table)
        self.setFixedWidth(360)
        self.add_button("Cancel", self.close)
        self.add_button("Assign", self.assign, default=True)

    def assign(self) -> None:
        """Send the choice and close."""
        self._session.assign(self._image, self.laterality.currentData(), self.view.currentData())
        self.close()

"""A list to choose one of, that shows by keyboard too which entry the choice would be."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QStyledItemDelegate, QWidget


class DropDown(QComboBox):
    """A combo box whose list the style sheet dresses, row height and chosen row included.

    Qt's own delegate for it paints like a menu: there the row that arrow keys reached cannot be told
    from the others in a dark theme.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(QStyledItemDelegate(self))

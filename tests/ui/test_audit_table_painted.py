"""The table of cases is painted as Qt's own style would paint it, beside which its pixels are held."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QStyledItemDelegate

from app.ui.audit.table_model import COLUMNS

STYLED = "QTableView::item { padding: 0 5px; border: none; }"
NARROW = 48
"""Logical pixels in which no image's id and hardly a word has room."""


def pixels(table) -> np.ndarray:
    """The table as painted now, uint8 (rows, columns, 3)."""
    image = table.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


@pytest.mark.parametrize("width", [0, NARROW])
def test_words_stand_where_the_style_would_write_them(room, qtbot, width: int) -> None:
    table = room.table
    for number, column in enumerate(COLUMNS):
        if width and column.key != "picture":
            table.setColumnWidth(number, width)
    room.go(2)  # a selected row among the others
    table.viewport().grab()
    qtbot.waitUntil(lambda: all(room.audit.thumbnail(row) is not None for row in range(8)))
    ours = pixels(table)
    picture = table.itemDelegateForColumn(0)
    table.setItemDelegate(QStyledItemDelegate(table))
    table.setItemDelegateForColumn(0, picture)
    table.setStyleSheet(STYLED)
    styled = pixels(table)
    assert len(np.unique(styled.reshape(-1, 3), axis=0)) > 50  # words in their colours are there
    assert np.array_equal(ours, styled)

"""The table of cases: rows of one height, small pictures asked for only when they are painted."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QTableView,
)

from app.core.audit.columns import NUMBERS
from app.services.audit.audit import Audit
from app.services.audit.state import AuditState
from app.services.kept import Kept
from app.ui import theme
from app.ui.audit.table_model import CASE, COLUMNS, PICTURE, CaseModel

ROW: Final = 40
"""Logical pixels of a row."""
PICTURES: Final = 600
"""Most small pictures held as pixmaps."""
MARGIN: Final = 8
"""Logical pixels between the edges of a cell and its words."""
_PLACES: Final = {column.key: number for number, column in enumerate(COLUMNS)}


class _PictureCell(QStyledItemDelegate):
    """Paints the small picture of a case; it is asked for when its row comes into sight."""

    def __init__(self, audit: Audit, parent: QTableView) -> None:
        super().__init__(parent)
        self._audit = audit
        self._made: Kept[int, QPixmap] = Kept(PICTURES)
        self._rows: object = None

    def paint(self, painter: QPainter, option, index) -> None:
        table = self._audit.state.table
        rows = None if table is None else table.rows  # the same while models answer
        if rows is not self._rows:
            self._rows, self._made = rows, Kept(PICTURES)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(theme.ACCENT_GROUND))
        cell = option.rect.adjusted(4, 2, -4, -2)
        painter.fillRect(cell, QColor(theme.BLACK))
        row = int(index.data(CASE))
        picture = self._made.get(row)
        if picture is None:
            pixels = self._audit.thumbnail(row)
            if pixels is None:
                return
            picture = self._made.put(row, _pixmap(pixels))
        size = picture.size().scaled(cell.size(), Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (cell.width() - size.width()) // 2, (cell.height() - size.height()) // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        place = QRect(cell.left() + left, cell.top() + top, size.width(), size.height())
        painter.drawPixmap(place, picture)


class _WordCell(QStyledItemDelegate):
    """Paints words as the style would, in half the time.

    The style asks the model seven things of each cell, and each time waits for the interpreter while
    headers are read beside it; here the model is asked once.
    """

    def __init__(self, cases: CaseModel, parent: QTableView) -> None:
        super().__init__(parent)
        self._cases = cases
        self._text, self._ground = QColor(theme.TEXT), QColor(theme.ACCENT_GROUND)

    def paint(self, painter: QPainter, option, index) -> None:
        words, colour, alignment = self._cases.cell(index.row(), index.column())
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, self._ground)
        if not words:
            return
        place, metrics = option.rect.adjusted(MARGIN, 0, -MARGIN, 0), option.fontMetrics
        if metrics.horizontalAdvance(words) > place.width():
            words = metrics.elidedText(words, option.textElideMode, place.width())
        painter.setPen(self._text if selected or colour is None else colour)
        painter.drawText(place, alignment | Qt.TextFlag.TextSingleLine, words)


def _pixmap(pixels: npt.NDArray[np.uint8]) -> QPixmap:
    height, width = pixels.shape
    data = pixels.tobytes()
    return QPixmap.fromImage(QImage(data, width, height, width, QImage.Format.Format_Grayscale8))


class CaseList(QTableView):
    """Shows the queue of an audit; `chosen` (row of the case table) when the reader goes to a case."""

    chosen = Signal(int)
    sorting_asked = Signal(str, bool)

    def __init__(self, audit: Audit) -> None:
        super().__init__()
        self._audit = audit
        self._state = AuditState()
        self._presenting = False
        self.cases = CaseModel()
        self.setModel(self.cases)
        self.setAccessibleName("Cases")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        # Names of images begin alike and differ at their ends.
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW)
        rows.setMinimumSectionSize(ROW)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setSectionsClickable(True)
        head.setMinimumSectionSize(40)
        head.setStretchLastSection(True)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for number, column in enumerate(COLUMNS):
            self.setColumnWidth(number, column.width)
        head.sectionClicked.connect(self._on_head)
        self.setItemDelegate(_WordCell(self.cases, self))
        self.setItemDelegateForColumn(_PLACES[PICTURE], _PictureCell(audit, self))
        self.selectionModel().currentRowChanged.connect(self._on_current)
        audit.thumbnail_ready.connect(self._on_thumbnail)

    def present(self, state: AuditState) -> None:
        """Show a state: its queue, and the case on screen in sight."""
        old, self._state = self._state, state
        self._presenting = True
        others = self.cases.present(state)
        if state.table is not old.table:
            shown = self.cases.shown_columns()
            for number, column in enumerate(COLUMNS):
                self.setColumnHidden(number, column.key not in shown)
        if others or state.current != old.current:
            self._show_current()
        self._presenting = False

    def dataChanged(self, first: QModelIndex, last: QModelIndex, roles=()) -> None:
        """Paint anew only the columns that changed; Qt itself would paint all that is in sight."""
        if not self.isVisible() or first.row() == last.row():
            super().dataChanged(first, last, roles)
            return
        left = self.columnViewportPosition(first.column())
        right = self.columnViewportPosition(last.column()) + self.columnWidth(last.column())
        self.viewport().update(left, 0, right - left, self.viewport().height())

    def _show_current(self) -> None:
        place = self._state.place
        if place is None:
            self.selectionModel().clear()
        else:
            index = self.cases.index(place, 0)
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        if index.isValid() and not self._presenting:
            self.chosen.emit(self.cases.case(index))

    def _on_head(self, section: int) -> None:
        """Sort by a column: the way first clicked, the other way round, then as the manifest has it."""
        column, now = COLUMNS[section], self._state.sorting
        if self._state.blinded is not None:
            return  # the order would tell what is hidden
        if column.key == "image":
            self.sorting_asked.emit("", False)
        elif column.sortable:
            first = column.key in NUMBERS  # the largest are looked at first, words from A on
            if now.column != column.key:
                self.sorting_asked.emit(column.key, first)
            elif now.falling == first:
                self.sorting_asked.emit(column.key, not first)
            else:
                self.sorting_asked.emit("", False)

    def _on_thumbnail(self, row: int) -> None:
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        last = self.cases.rowCount() - 1 if last < 0 else last
        for number in range(max(first, 0), last + 1):
            index = self.cases.index(number, _PLACES[PICTURE])
            if self.cases.case(index) == row:
                self.viewport().update(self.visualRect(index))

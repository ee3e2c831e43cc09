"""How a row of the study list is painted."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.core.imaging.image import Image
from app.ui import theme
from app.ui.icons import draw
from app.ui.panels.studies.rows import Index, Row, StudyRows
from app.ui.thumbnails import Thumbnails

HEADING: Final = 32
STUDY: Final = 96
COMPACT: Final = 64
CELL: Final = QSize(44, 56)
LEFT: Final = 16
_VIEWS: Final = {"CC": 0, "MLO": 1}
_SIDES: Final = {"R": 0, "L": 1}
NUMBER: Final = 56
"""Logical pixels of a patient's number that a long name leaves."""


class StudyDelegate(QStyledItemDelegate):
    """Paints headings and studies; the panel sets `open_key`, `open_image`, `read`, `several` (selected)."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self.open_key = ""
        self.open_image: tuple[str, str] | None = None
        self.read: frozenset[str] = frozenset()
        self.several = False

    def is_open(self, row: Row) -> bool:
        """Tell whether a row is the open study, or of loose pictures the one in the active pane."""
        if row.study is None or row.study.key != self.open_key:
            return False
        return row.image is None or row.image.key == self.open_image

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = index.data(StudyRows.ROW)
        if row.study is None:
            return QSize(120, HEADING)
        return QSize(120, COMPACT if row.image else STUDY)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(StudyRows.ROW)
        painter.save()
        if row.study is None:
            self._heading(painter, option.rect, row)
        else:
            self._study(painter, option, row)
        painter.restore()

    def _heading(self, painter: QPainter, rect: QRect, row: Row) -> None:
        name, quiet = row.heading
        strong, small = theme.font(theme.TITLE, strong=True), theme.font(theme.SMALL)
        box = rect.adjusted(LEFT, 8, -12, 0)
        # The name gets what it needs first; the number, whose end tells patients apart, keeps some.
        needed = QFontMetrics(strong).horizontalAdvance(name) + 12
        width = min(QFontMetrics(small).horizontalAdvance(quiet) + 4, max(NUMBER, box.width() - needed))
        painter.setFont(small)
        painter.setPen(QColor(theme.QUIET))
        number = QFontMetrics(small).elidedText(quiet, Qt.TextElideMode.ElideMiddle, width)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), number)
        painter.setFont(strong)
        painter.setPen(QColor(theme.TEXT))
        room = box.width() - width - 8
        name = QFontMetrics(strong).elidedText(name, Qt.TextElideMode.ElideRight, room)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), name)

    def _study(self, painter: QPainter, option: QStyleOptionViewItem, row: Row) -> None:
        study, rect = row.study, option.rect
        assert study is not None
        is_open, is_read = self.is_open(row), study.key in self.read
        chosen = self.several and bool(option.state & QStyle.StateFlag.State_Selected)
        if is_open or chosen:
            painter.fillRect(rect, QColor(theme.ACCENT_GROUND if chosen else theme.RAISED))
        if is_open:
            painter.fillRect(QRect(rect.left(), rect.top(), 2, rect.height()), QColor(theme.ACCENT))
        elif not chosen and option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.HOVER))
        if option.state & QStyle.StateFlag.State_HasFocus and option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QColor(theme.DISABLED))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        indent = LEFT + (CELL.width() + 12 if row.image else 0)
        top = rect.top() + (22 if row.image else 8)
        line = QRect(rect.left() + indent, top, rect.width() - indent - 12, 20)
        base, small = theme.font(theme.BASE), theme.font(theme.SMALL)
        painter.setFont(base)
        painter.setPen(QColor(theme.QUIET if is_read and not is_open else theme.TEXT))
        title, text = row.texts
        title = QFontMetrics(base).elidedText(title, Qt.TextElideMode.ElideMiddle, line.width() - 24)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(line, middle, title)
        used = QFontMetrics(base).horizontalAdvance(title) + 8
        painter.setFont(small)
        painter.setPen(QColor(theme.QUIET))
        room = line.width() - used - 24
        text = QFontMetrics(small).elidedText(text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(line.adjusted(used, 0, 0, 0), middle, text)
        if is_read:
            draw(painter, QRect(line.right() - 14, line.top() + 3, 14, 14).toRectF(), "check", theme.QUIET)
        self._pictures(painter, rect, row)

    def _pictures(self, painter: QPainter, rect: QRect, row: Row) -> None:
        images = (row.image,) if row.image else sorted(row.study.images, key=_as_hung) if row.study else ()
        step = CELL.width() + 4
        room = max(1, (rect.width() - LEFT - 12 + 4) // step)
        shown = len(images) if len(images) <= room else room - 1
        top = rect.top() + (4 if row.image else 32)
        for number, image in enumerate(images[:shown]):
            cell = QRect(rect.left() + LEFT + number * step, top, CELL.width(), CELL.height())
            self._thumbnails.paint(painter, image, cell)
        if shown < len(images):
            cell = QRect(rect.left() + LEFT + shown * step, top, CELL.width(), CELL.height())
            painter.setFont(theme.font(theme.SMALL))
            painter.setPen(QColor(theme.QUIET))
            painter.drawText(cell, int(Qt.AlignmentFlag.AlignCenter), f"+{len(images) - shown}")


def _as_hung(image: Image) -> tuple[int, int]:
    """Order pictures as they hang, RCC LCC RMLO LMLO, whatever order the files came in."""
    return _VIEWS.get(image.view or "", len(_VIEWS)), _SIDES.get(image.laterality or "", len(_SIDES))

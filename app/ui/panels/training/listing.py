"""The list of all trainings, the newest first, each with how it stands."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QFrame, QListWidget, QListWidgetItem, QStyle, QStyledItemDelegate

from app.services.training.look import Broken, JobView
from app.ui import theme
from app.ui.panels.training import words

HEIGHT = 48
_ID, _QUIET, _COLOUR, _DONE = (Qt.ItemDataRole.UserRole + number for number in range(4))


class _Delegate(QStyledItemDelegate):
    """Draws two lines and, below them, how far it is."""

    def sizeHint(self, option, index) -> QSize:
        return QSize(120, HEIGHT)

    def paint(self, painter: QPainter, option, index) -> None:
        rect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.ACCENT_GROUND))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.HOVER))
        inner = rect.adjusted(12, 6, -12, -8)
        half = inner.height() // 2
        for number, (role, colour) in enumerate(
            ((Qt.ItemDataRole.DisplayRole, theme.TEXT), (_QUIET, index.data(_COLOUR) or theme.QUIET))
        ):
            line = QRect(inner.left(), inner.top() + number * half, inner.width(), half)
            font = theme.font(theme.SMALL if number else theme.BASE)
            painter.setFont(font)
            painter.setPen(QColor(colour))
            metrics = painter.fontMetrics()
            text = metrics.elidedText(str(index.data(role)), Qt.TextElideMode.ElideRight, line.width())
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        done = index.data(_DONE)
        if done is not None:
            painter.fillRect(inner.left(), rect.bottom() - 3, inner.width(), 2, QColor(theme.LINE))
            painter.fillRect(
                inner.left(), rect.bottom() - 3, round(inner.width() * done), 2, QColor(theme.ACCENT)
            )


class Listing(QListWidget):
    """Shows `JobView`s and `Broken`s; signal `chosen` (id)."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Trainings")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setItemDelegate(_Delegate(self))
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentItemChanged.connect(self._chose)

    def _chose(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is not None:
            self.chosen.emit(item.data(_ID))

    @property
    def current(self) -> str:
        """Id of the training that is chosen, or ""."""
        item = self.currentItem()
        return item.data(_ID) if item is not None else ""

    def choose(self, name: str) -> None:
        """Choose a training by its id; "" chooses none."""
        for number in range(self.count()):
            if self.item(number).data(_ID) == name:
                self.setCurrentRow(number)
                return
        self.setCurrentRow(-1)
        self.clearSelection()

    def present(self, views: tuple[JobView | Broken, ...]) -> None:
        """Show all trainings; the chosen one stays chosen."""
        ids = [one.id if isinstance(one, Broken) else one.job.id for one in views]
        if ids != [self.item(number).data(_ID) for number in range(self.count())]:
            chosen = self.current
            self.blockSignals(True)
            self.clear()
            for name in ids:
                item = QListWidgetItem()
                item.setData(_ID, name)
                self.addItem(item)
            self.choose(chosen)
            self.blockSignals(False)
        for number, one in enumerate(views):
            self._write(self.item(number), one)

    @staticmethod
    def _write(item: QListWidgetItem, one: JobView | Broken) -> None:
        if isinstance(one, Broken):
            facts = {_QUIET: "record damaged", _COLOUR: theme.WARNING, _DONE: None}
            title, tip = one.id, one.sentence
        else:
            failed = one.status in ("failed",)
            done = one.progress.fraction if one.is_busy else None
            facts = {
                _QUIET: words.standing(one),
                _COLOUR: theme.WARNING if failed else theme.QUIET,
                _DONE: done,
            }
            title, tip = f"{one.job.name} {one.job.version}", one.sentence
        if item.text() != title:
            item.setText(title)
        if item.toolTip() != tip:
            item.setToolTip(tip)
        for role, value in facts.items():
            if item.data(role) != value:
                item.setData(role, value)

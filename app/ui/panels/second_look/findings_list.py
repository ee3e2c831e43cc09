"""The findings of all models by view; a click or Enter jumps to one."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.core.reading.findings import Finding, SecondLook
from app.ui import theme

_ENTRY = int(Qt.ItemDataRole.UserRole)


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading (no finding) or a finding of one view."""

    view: str
    model: str = ""
    key: tuple[str, str] = ("", "")
    finding: Finding | None = None
    text: str = ""


def entries_of(looks: tuple[SecondLook, ...], threshold: float = 0.0) -> tuple[Entry, ...]:
    """Return headings and findings by view, right before left, best score first; others say why not."""
    order: dict[str, list[Entry]] = {}
    for look in looks:
        for view in look.views:
            found = [f for f in view.findings if f.score >= threshold]
            under = order.setdefault(view.label or view.key[0], [])
            under += [Entry(view.label, look.model.name, view.key, finding) for finding in found]
            if view.status != "scored" and look.state in ("findings", "partly failed"):
                # Where nothing is listed, the amber words on the card say it all.
                under.append(Entry(view.label, look.model.name, text=f"{view.status}: {view.reason}"))
    rows: list[Entry] = []
    for label, entries in sorted(order.items(), key=lambda item: (item[0][1:], item[0][:1] != "R")):
        if entries:
            rows.append(Entry(label))
            rows += sorted(entries, key=lambda e: -(e.finding.score if e.finding else -1.0))
    return tuple(rows)


class FindingsList(QListWidget):
    """Emits `chosen` with (key, finding)."""

    chosen = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Findings by view")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setItemDelegate(_Row())
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self._entries: tuple[Entry, ...] = ()
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    def present(self, looks: tuple[SecondLook, ...], threshold: float) -> None:
        """List the findings at or above `threshold`."""
        entries = entries_of(looks, threshold)
        if entries == self._entries:
            return
        self._entries = entries
        self.clear()
        for entry in entries:
            finding = entry.finding
            item = QListWidgetItem(f"{finding.label} {finding.score:.2f}" if finding else entry.view)
            item.setData(_ENTRY, entry)
            if finding is None:
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            else:
                item.setToolTip(f"{entry.view}: {finding.label}, {_score_words(finding)}, by {entry.model}")
            self.addItem(item)
        self.setFixedHeight(sum(_Row.height(entry) for entry in entries))

    def step(self, by: int) -> None:
        """Choose the next or previous finding."""
        places = [i for i in range(self.count()) if self.item(i).data(_ENTRY).finding is not None]
        if not places:
            return
        here = self.currentRow()
        ahead = [i for i in places if i > here] if by > 0 else [i for i in reversed(places) if i < here]
        row = (ahead or (places if by > 0 else places[::-1]))[0]
        self.setCurrentRow(row)
        self._choose(self.item(row))

    def _choose(self, item: QListWidgetItem) -> None:
        entry: Entry = item.data(_ENTRY)
        if entry.finding is not None:
            self.chosen.emit(entry.key, entry.finding)


def _score_words(finding: Finding) -> str:
    return f"{'probability' if finding.calibrated else 'score'} {finding.score:.2f}"


class _Row(QStyledItemDelegate):
    @staticmethod
    def height(entry: Entry) -> int:
        if entry.text:
            return 40
        return 24 if entry.finding else 28

    def sizeHint(self, option: QStyleOptionViewItem, index) -> QSize:
        return QSize(100, self.height(index.data(_ENTRY)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index) -> None:
        entry: Entry = index.data(_ENTRY)
        rect = option.rect
        line = rect.adjusted(16, 0, -16, 0)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.save()
        if entry.finding is None:
            painter.setFont(theme.font(theme.SMALL, strong=not entry.text))
            painter.setPen(QColor(theme.WARNING if entry.text else theme.QUIET))
            flags = middle | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(line.adjusted(0, 0 if entry.text else 4, 0, 0), flags, entry.text or entry.view)
        else:
            if option.state & QStyle.StateFlag.State_Selected:
                painter.fillRect(rect, QColor(theme.ACCENT_GROUND))
            elif option.state & QStyle.StateFlag.State_MouseOver:
                painter.fillRect(rect, QColor(theme.HOVER))
            painter.setPen(QPen(QColor(theme.WARNING), 1.5))
            painter.drawRect(QRect(line.left() + 1, rect.center().y() - 4, 9, 9))
            painter.setFont(theme.font())
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(line.adjusted(20, 0, 0, 0), middle, entry.finding.label)
            flags = middle | int(Qt.AlignmentFlag.AlignRight)
            painter.drawText(line, flags, f"{entry.finding.score:.2f}")
        painter.restore()

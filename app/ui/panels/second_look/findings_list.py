"""The findings of all models by view, with the reader's answers; a click or Enter jumps to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.core.reading.findings import Finding, SecondLook
from app.ui import theme
from app.ui.icons import icon

_ENTRY = int(Qt.ItemDataRole.UserRole)

ANSWERS: Final = (
    ("accepted", "Accept", "check"),
    ("corrected", "Correct", "pencil-line"),
    ("rejected", "Reject", "prohibit"),
)
"""What the reader may make of a finding: decision, words, icon."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading (no finding) or a finding of one view, with what the reader decided, or nothing."""

    view: str
    model: str = ""
    key: tuple[str, str] = ("", "")
    finding: Finding | None = None
    text: str = ""
    version: str = ""
    decision: str = ""


Decided = Callable[[tuple[str, str], Finding, str, str], str]
"""(image key, finding, model, version) -> the reader's decision, or empty."""


def entries_of(
    looks: tuple[SecondLook, ...], threshold: float = 0.0, decided: Decided = lambda *_: ""
) -> tuple[Entry, ...]:
    """Return headings and findings by view, right before left, best score first; others say why not.

    A finding that was answered is listed whatever its score.
    """
    order: dict[str, list[Entry]] = {}
    for look in looks:
        for view in look.views:
            name, version = look.model.name, look.model.version
            found = [(f, decided(view.key, f, name, version)) for f in view.findings]
            under = order.setdefault(view.label or view.key[0], [])
            under += [
                Entry(view.label, name, view.key, finding, version=version, decision=decision)
                for finding, decision in found
                if decision or finding.score >= threshold
            ]
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
    """Emits `chosen` (key, finding), and `answered` (entry, decision; empty: taken back)."""

    chosen = Signal(object, object)
    answered = Signal(object, str)

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
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._offer)
        self._entries: tuple[Entry, ...] = ()
        self.itemClicked.connect(self._choose)
        self.itemActivated.connect(self._choose)

    @property
    def current(self) -> Entry | None:
        """The finding that keys act on, or None."""
        item = self.currentItem()
        entry: Entry | None = item.data(_ENTRY) if item is not None else None
        return entry if entry is not None and entry.finding is not None else None

    def present(
        self, looks: tuple[SecondLook, ...], threshold: float, decided: Decided = lambda *_: ""
    ) -> None:
        """List the findings at or above `threshold`; the one that was chosen stays so."""
        entries = entries_of(looks, threshold, decided)
        if entries == self._entries:
            return
        self._entries, before = entries, self.current
        self.clear()
        for entry in entries:
            finding = entry.finding
            item = QListWidgetItem(f"{finding.label} {finding.score:.2f}" if finding else entry.view)
            item.setData(_ENTRY, entry)
            if finding is None:
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
            else:
                words = f"{entry.view}: {finding.label}, {_score_words(finding)}, by {entry.model}"
                item.setToolTip(", ".join(part for part in (words, entry.decision) if part))
            self.addItem(item)
            if before is not None and (entry.key, finding, entry.model) == (
                before.key,
                before.finding,
                before.model,
            ):
                self.setCurrentItem(item)
        self.setFixedHeight(sum(_Row.height(entry) for entry in entries))

    def choose(self, key: tuple[str, str], finding: Finding) -> bool:
        """Make a finding the current one; tell whether it is listed."""
        for row in range(self.count()):
            entry: Entry = self.item(row).data(_ENTRY)
            if (entry.key, entry.finding) == (key, finding):
                self.setCurrentRow(row)
                return True
        return False

    def step(self, by: int) -> bool:
        """Choose the next or previous finding; tell whether there is any."""
        places = [i for i in range(self.count()) if self.item(i).data(_ENTRY).finding is not None]
        if not places:
            return False
        here = self.currentRow()
        ahead = [i for i in places if i > here] if by > 0 else [i for i in reversed(places) if i < here]
        row = (ahead or (places if by > 0 else places[::-1]))[0]
        self.setCurrentRow(row)
        self._choose(self.item(row))
        return True

    def menu(self) -> QMenu:
        """Return what the reader may make of the current finding."""
        menu = QMenu(self)
        entry = self.current
        if entry is not None:
            for decision, words, name in ANSWERS:
                menu.addAction(icon(name), words, lambda d=decision: self.answered.emit(entry, d))
            if entry.decision:
                menu.addSeparator()
                menu.addAction("Take the answer back", lambda: self.answered.emit(entry, ""))
        return menu

    def _offer(self, at: QPoint) -> None:
        self.setCurrentItem(self.itemAt(at))
        menu = self.menu()
        if menu.actions():
            menu.popup(self.viewport().mapToGlobal(at))

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
            rejected = entry.decision == "rejected"
            colour = theme.QUIET if rejected else theme.ACCENT if entry.decision else theme.WARNING
            pen = QPen(QColor(colour), 1.5)
            if rejected:
                pen.setDashPattern([1.0, 2.0])
            painter.setPen(pen)
            painter.drawRect(QRect(line.left() + 1, rect.center().y() - 4, 9, 9))
            painter.setFont(theme.font())
            painter.setPen(QColor(theme.QUIET if rejected else theme.TEXT))
            painter.drawText(line.adjusted(20, 0, 0, 0), middle, entry.finding.label)
            flags = middle | int(Qt.AlignmentFlag.AlignRight)
            painter.drawText(line, flags, f"{entry.finding.score:.2f}")
            painter.setPen(QColor(colour))
            painter.drawText(line.adjusted(0, 0, -40, 0), flags, entry.decision)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(theme.DISABLED))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()

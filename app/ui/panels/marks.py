"""The marks of the study and its priors by view: a click jumps, a double click renames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.hanging.hang import reading_order
from app.core.imaging.image import Image
from app.core.reading.annotations import Annotation
from app.core.reading.handles import identity
from app.core.reading.work import WorkState
from app.ui import identity as named
from app.ui import theme
from app.ui.fold import Fold
from app.ui.icons import draw
from app.ui.inline_editor import InlineEditor
from app.ui.mark_words import ICONS, NAMES, list_words
from app.ui.thumbnails import Thumbnails

ROW: Final = 24
MOST: Final = 5
"""Rows that are shown before the list scrolls."""
_ENTRY = int(Qt.ItemDataRole.UserRole)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a mark, or (no annotation) a key image; `when` is the age of a prior."""

    image: Image
    frame: int
    annotation: Annotation | None = None
    words: str = ""
    when: str = ""
    masked: bool = False

    @property
    def view(self) -> str:
        """The view label, with the frame where there are several."""
        label = named.label(self.image, masked=self.masked)
        return f"{label} {self.frame + 1}" if self.image.frames > 1 else label


def entries_of(
    state: WorkState, images: tuple[Image, ...], prior_of=lambda image: "", *, masked: bool = False
) -> tuple[Entry, ...]:
    """Return key images and marks, image by image in the order given, each as it was made."""
    rows: list[Entry] = []
    for image in images:
        known, when = identity(image), prior_of(image)
        keys = [
            frame for work in (state.work, *state.priors) for uid, frame in work.key_images if uid == known
        ]
        rows += [Entry(image, frame, None, "Key image", when, masked) for frame in sorted(keys)]
        rows += [
            Entry(image, each.frame, each, list_words(each, image), when, masked)
            for each in state.of_image(known)
        ]
    return tuple(rows)


class MarksPanel(QWidget):
    """Not there while there is nothing to list."""

    SIDE = "right"
    STRETCH = 0

    def __init__(self, session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self._entries: tuple[Entry, ...] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        rule = QFrame()
        rule.setObjectName("rule")
        column.addWidget(rule)
        self.list = _List()
        self.list.itemClicked.connect(self._jump)
        self.list.itemActivated.connect(self._jump)
        self.list.itemDoubleClicked.connect(lambda item: self._rename(item))
        self.fold = Fold("Marks", self.list, is_open=True)
        column.addWidget(self.fold)
        self.hide()
        session.work.changed.connect(lambda _: self.refresh())
        session.screen_changed.connect(lambda _: self.refresh())
        session.collection_changed.connect(lambda _: self.refresh())
        session.settings_changed.connect(lambda _: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """List what there is, and choose what is selected on the images."""
        state: WorkState = self._session.work.state
        masked = self._session.settings.mask_names
        images = self._images(state) if _is_any(state) else ()
        entries = entries_of(state, images, self._session.prior_of, masked=masked)
        if entries != self._entries:
            self._entries = entries
            self._fill(entries)
        selected = [
            i
            for i, entry in enumerate(entries)
            if entry.annotation and entry.annotation.uid == state.selected
        ]
        row = selected[0] if selected else -1
        current = self.list.currentRow()
        if row != current and (row >= 0 or (current >= 0 and entries[current].annotation is not None)):
            self.list.setCurrentRow(row)

    def rename(self, uid: str) -> None:
        """Ask for other words of a mark, in the list."""
        for row, entry in enumerate(self._entries):
            if entry.annotation is not None and entry.annotation.uid == uid:
                self._rename(self.list.item(row))

    def _fill(self, entries: tuple[Entry, ...]) -> None:
        self.list.clear()
        for entry in entries:
            item = QListWidgetItem(f"{entry.words}, {entry.view}")
            item.setData(_ENTRY, entry)
            kind = NAMES[entry.annotation.kind] if entry.annotation is not None else "Key image"
            item.setToolTip(", ".join(x for x in (kind, entry.words, entry.view, entry.when) if x))
            self.list.addItem(item)
        self.list.setFixedHeight(ROW * min(len(entries), MOST))
        self.fold.title(f"Marks  {len(entries)}")
        self.setVisible(bool(entries))

    def _images(self, state: WorkState) -> tuple[Image, ...]:
        """Return the images of the study in reading order, then those of the priors on screen."""
        session = self._session
        study = session.screen.study
        if study is None:
            return ()
        protocol = next((each for each in session.protocols if each.name == session.screen.protocol), None)
        ordered = [image for part in reading_order(study, protocol)[:2] for image in part] if protocol else []
        keys = {work.study for work in state.priors}
        priors = [image for each in session.studies if each.key in keys for image in each.images]
        every = {
            image.key: session.library.image(image.key) or image
            for image in (*ordered, *study.images, *priors)
        }
        return tuple(every.values())

    def _jump(self, item: QListWidgetItem) -> None:
        entry: Entry = item.data(_ENTRY)
        annotation = entry.annotation
        box = (
            annotation.box if annotation else (0.0, 0.0, float(entry.image.rows), float(entry.image.columns))
        )
        if annotation is not None:
            self._session.set_overlay(marks=True)
            self._session.work.select(annotation.uid)
        self._session.jump_to(entry.image.key, box, entry.frame)

    def _rename(self, item: QListWidgetItem) -> None:
        entry: Entry = item.data(_ENTRY)
        annotation = entry.annotation
        if annotation is None:
            return
        place = self.list.visualItemRect(item)
        editor = InlineEditor(self.list.viewport(), place.topLeft(), annotation.text, "Name")
        editor.setGeometry(place.adjusted(32, -1, -8, 1))
        editor.written.connect(lambda text: self._session.marking.rename(annotation.uid, text))


class _List(QListWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Marks by view")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setItemDelegate(_Row())
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)


class _Row(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index) -> QSize:
        return QSize(100, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index) -> None:
        entry: Entry = index.data(_ENTRY)
        annotation = entry.annotation
        rejected = annotation is not None and annotation.decision == "rejected"
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.ACCENT_GROUND))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.HOVER))
        colour = theme.QUIET if rejected else theme.ACCENT
        name = ICONS[annotation.kind] if annotation is not None else "star"
        draw(painter, QRectF(rect.left() + 16, rect.center().y() - 7, 14, 14), name, colour)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        line = rect.adjusted(38, 0, -16, 0)
        painter.setFont(theme.font())
        view = f"{entry.view}  {entry.when}" if entry.when else entry.view
        metrics = painter.fontMetrics()
        wide = metrics.horizontalAdvance(view)
        painter.setPen(QColor(theme.QUIET))
        painter.drawText(line, middle | int(Qt.AlignmentFlag.AlignRight), view)
        painter.setPen(QColor(theme.QUIET if rejected else theme.TEXT))
        words = metrics.elidedText(entry.words, Qt.TextElideMode.ElideRight, line.width() - wide - 12)
        painter.drawText(line, middle, words)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QColor(theme.DISABLED))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        painter.restore()


def _is_any(state: WorkState) -> bool:
    return any(work.annotations or work.key_images for work in (state.work, *state.priors))

"""Images of the open study that no pane asked for: never hidden, shown on a double click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QMimeData, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.core.imaging.image import Image
from app.core.reading.handles import identity as identity_of
from app.services.state import ScreenState
from app.ui import identity, theme, wording
from app.ui.carrying import FORMAT, carried
from app.ui.fold import Fold
from app.ui.thumbnails import Thumbnails

_IMAGE = int(Qt.ItemDataRole.UserRole)
_KEY = _IMAGE + 1
HINT: Final = "Drag it into a pane, or double click to show it in the active one"


class TrayPanel(QWidget):
    """A list that opens by itself when a study leaves something in it."""

    SIDE = "left"
    STRETCH = 0
    assign_asked = Signal(object)

    def __init__(self, session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self._images: tuple[Image, ...] = ()
        self._masked = False
        self.list = _Images()
        self.list.setAccessibleName("Images that no pane asked for")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setItemDelegate(_Row(thumbnails, session.prior_of))
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.customContextMenuRequested.connect(self._menu)
        self.list.itemActivated.connect(self._show)
        thumbnails.changed.connect(self.list.viewport().update)
        self.fold = Fold("Tray", self.list, is_open=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fold)
        session.screen_changed.connect(self.present)
        session.work.changed.connect(lambda _: self._badge())
        session.settings_changed.connect(lambda _: self.present(session.screen))
        self.present(session.screen)

    def present(self, screen: ScreenState) -> None:
        """List the images of the tray."""
        self.setVisible(bool(screen.tray))
        masked = self._session.settings.mask_names
        if (screen.tray, masked) == (self._images, self._masked):
            return
        self._images, self._masked = screen.tray, masked
        self.fold.title(f"Tray ({len(screen.tray)})")
        self.list.clear()
        for image in screen.tray:
            item = QListWidgetItem(identity.label(image, masked=masked))
            item.setData(_IMAGE, image)
            place = [] if masked else [str(image.path)]
            item.setToolTip("\n".join([*place, HINT]))
            self.list.addItem(item)
        self.list.setFixedHeight(min(4, len(screen.tray)) * _Row.HEIGHT + 4)
        self._badge()

    def _badge(self) -> None:
        """Show which of the images go with the report."""
        chosen = {uid for uid, _ in self._session.work.state.work.key_images}
        for row, image in enumerate(self._images):
            self.list.item(row).setData(_KEY, identity_of(image) in chosen)

    def _show(self, item: QListWidgetItem) -> None:
        self._session.show_in(self._session.screen.active, item.data(_IMAGE))

    def _menu(self, where: QPoint) -> None:
        item = self.list.itemAt(where)
        if item is None:
            return
        menu = QMenu(self)
        menu.addAction("Show in the active pane", lambda: self._show(item))
        menu.addAction("About this image…", lambda: self.assign_asked.emit(item.data(_IMAGE)))
        menu.popup(self.list.viewport().mapToGlobal(where))


class _Images(QListWidget):
    """Images that can be dragged into a pane."""

    def __init__(self) -> None:
        super().__init__()
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)

    def mimeTypes(self) -> list[str]:
        return [FORMAT]

    def mimeData(self, items: Sequence[QListWidgetItem]) -> QMimeData:
        return carried(items[0].data(_IMAGE)) if items else QMimeData()

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction


class _Row(QStyledItemDelegate):
    """A thumbnail, the label, and when it was taken; of a prior its age, in the accent as in a pane."""

    HEIGHT = 56

    def __init__(self, thumbnails: Thumbnails, prior_of: Callable[[Image], str]) -> None:
        super().__init__()
        self._thumbnails = thumbnails
        self._prior_of = prior_of

    def sizeHint(self, option: QStyleOptionViewItem, index) -> QSize:
        return QSize(120, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index) -> None:
        image: Image = index.data(_IMAGE)
        rect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.RAISED))
        self._thumbnails.paint(painter, image, QRect(rect.left() + 16, rect.top() + 4, 36, 48))
        text = rect.adjusted(64, 8, -12, -8)
        painter.setFont(theme.font())
        painter.setPen(QColor(theme.TEXT))
        metrics = painter.fontMetrics()
        name = metrics.elidedText(str(index.data()), Qt.TextElideMode.ElideMiddle, text.width())
        painter.drawText(text, int(Qt.AlignmentFlag.AlignTop), name)
        painter.setFont(theme.font(theme.SMALL))
        prior = self._prior_of(image)
        painter.setPen(QColor(theme.ACCENT if prior else theme.QUIET))
        told = ", ".join(part for part in (prior, _kind(image)) if part) or wording.moment(image.acquired)
        painter.drawText(text, int(Qt.AlignmentFlag.AlignBottom), told)
        if index.data(_KEY):
            painter.setPen(QColor(theme.ACCENT))
            painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter), "KEY IMAGE")
        painter.restore()


def _kind(image: Image) -> str:
    """Return what makes an image no plain view, in few words."""
    kinds = (
        ("for processing", image.intent == "processing"),
        ("partial", bool(image.partial)),
        ("tomosynthesis", image.source == "dbt"),
    )
    return ", ".join(words for words, holds in kinds if holds)

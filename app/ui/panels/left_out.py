"""Which files were found and not opened, and why."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.core.imaging.image import Collection
from app.ui.fold import Fold
from app.ui.thumbnails import Thumbnails


class LeftOutPanel(QWidget):
    """A folded list at the foot of the left side; hidden while nothing was left out."""

    SIDE = "left"
    STRETCH = 0
    HEIGHT = 160

    def __init__(self, session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self.list = QListWidget()
        self.list.setAccessibleName("Files left out")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setWordWrap(True)
        self.list.setFixedHeight(self.HEIGHT)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setStyleSheet("QListWidget::item { padding: 4px 12px; }")
        self.fold = Fold("Left out", self.list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.fold)
        session.collection_changed.connect(self.present)
        session.settings_changed.connect(lambda _: self.present(session.collection))
        self.present(session.collection)

    def present(self, collection: Collection) -> None:
        """List the files with their reasons."""
        self.setVisible(bool(collection.left_out))
        self.fold.title(f"Left out ({len(collection.left_out)})")
        self.list.clear()
        if self._session.settings.mask_names:
            self.list.addItem("The names of files are masked.")
            return
        for left in collection.left_out:
            item = QListWidgetItem(f"{left.path.name}: {left.reason}")
            item.setToolTip(str(left.path))
            self.list.addItem(item)

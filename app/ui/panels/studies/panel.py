"""The study list with its search field."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from app.core.imaging.image import Collection, Study
from app.services.state import ScreenState
from app.ui import theme
from app.ui.icons import icon
from app.ui.panels.studies.delegate import StudyDelegate
from app.ui.panels.studies.rows import Index, Row, StudyRows, rows_of, studies_in
from app.ui.thumbnails import Thumbnails

CHOOSING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
"""Keys with which a click selects and opens nothing."""
ONLY = QItemSelectionModel.SelectionFlag.ClearAndSelect


class SearchField(QLineEdit):
    """Esc empties it and gives the keyboard back: `left`."""

    left = Signal()

    def event(self, event: QEvent) -> bool:
        """Take Esc before the action that owns the key."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.clear()
                self.left.emit()
            event.accept()
            return True
        return super().event(event)


class StudiesPanel(QWidget):
    """Patients and studies; a click or Enter opens a study, Ctrl or Shift and a click choose several.

    Signals: `left` when the reader leaves the search with Esc; `choice_changed` when `choice` is another.
    """

    left = Signal()
    choice_changed = Signal()

    SIDE = "left"
    STRETCH = 1

    def __init__(self, session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 8, 0, 0)
        column.setSpacing(4)
        self.search = SearchField()
        self.search.setPlaceholderText("Search")
        self.search.setAccessibleName("Search studies")
        self.search.setClearButtonEnabled(False)
        self.search.addAction(
            QAction(icon("magnifying-glass", theme.QUIET), "", self.search),
            QLineEdit.ActionPosition.LeadingPosition,
        )
        self.search.textChanged.connect(lambda _: self._fill())
        self.search.returnPressed.connect(self._open_first)
        self.search.left.connect(self.left)
        row = QVBoxLayout()
        row.setContentsMargins(12, 0, 12, 0)
        row.addWidget(self.search)
        column.addLayout(row)
        self.nothing = QLabel("No study has these words.")
        self.nothing.setProperty("role", "quiet")
        self.nothing.setContentsMargins(16, 8, 12, 0)
        self.nothing.setVisible(False)
        column.addWidget(self.nothing)
        self._build_list(thumbnails)
        column.addWidget(self.list, 1)
        thumbnails.changed.connect(self.list.viewport().update)
        session.collection_changed.connect(self._collected)
        session.screen_changed.connect(self._screened)
        session.reads_changed.connect(self._marked)
        session.settings_changed.connect(lambda _: self._fill())
        self._marked(session.reads)
        self._collected(session.collection)
        self._screened(session.screen)

    def _build_list(self, thumbnails: Thumbnails) -> None:
        self.rows = StudyRows()
        self._delegate = StudyDelegate(thumbnails)
        self.list = QListView()
        self.list.setAccessibleName("Studies")
        self.list.setModel(self.rows)
        self.list.setItemDelegate(self._delegate)
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.verticalScrollBar().setSingleStep(24)
        self.list.setTabKeyNavigation(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.selectionModel().selectionChanged.connect(self._chose)
        self.list.clicked.connect(self._clicked)
        self.list.activated.connect(self._open)

    @property
    def choice(self) -> tuple[tuple[Study, ...], bool]:
        """The studies meant by a command for many, and whether they were selected here one by one.

        Those selected where they are several (the open study is always), else all that are listed.
        """
        places = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        if len(places) > 1:
            return studies_in(self.rows.rows[place] for place in places), True
        return studies_in(self.rows.rows), False

    def _collected(self, _collection: Collection) -> None:
        self._fill()

    def _fill(self) -> None:
        masked = self._session.settings.mask_names
        rows = rows_of(self._session.collection, self.search.text(), masked=masked)
        self.nothing.setVisible(bool(self._session.collection.patients) and not rows)
        if rows != self.rows.rows:  # else what was selected stays
            self.rows.put(rows)
            self._select()
            self._chose()

    def _screened(self, screen: ScreenState) -> None:
        key = screen.study.key if screen.study else ""
        shown = screen.panes[screen.active].viewport.image if screen.panes else None
        image = shown.key if shown else None
        if (key, image) != (self._delegate.open_key, self._delegate.open_image):
            self._delegate.open_key, self._delegate.open_image = key, image
            self._select()
            self.list.viewport().update()

    def _marked(self, reads: frozenset[str]) -> None:
        self._delegate.read = reads
        self.list.viewport().update()

    def _select(self) -> None:
        for number, row in enumerate(self.rows.rows):
            if self._delegate.is_open(row):
                index = self.rows.index(number)
                # Not the list's own: that would ask which keys are held, and add or span with some of them.
                self.list.selectionModel().setCurrentIndex(index, ONLY)
                self.list.scrollTo(index)

    def _chose(self) -> None:
        several = len(self.list.selectionModel().selectedIndexes()) > 1
        if several != self._delegate.several:
            self._delegate.several = several
            self.list.viewport().update()
        self.choice_changed.emit()

    def _clicked(self, index: Index) -> None:
        if not QApplication.keyboardModifiers() & CHOOSING:
            self._open(index)

    def _open(self, index: Index) -> None:
        row = index.data(StudyRows.ROW)
        if row is not None and row.study is not None and not self._delegate.is_open(row):
            self._go(row)

    def _go(self, row: Row) -> None:
        """Open a row's study if it is not open; a loose picture is shown in the active pane."""
        assert row.study is not None
        if row.study.key != self._delegate.open_key:
            self._session.open_study(row.study.key)
        if row.image is not None:
            self._session.show_in(self._session.screen.active, row.image)

    def _open_first(self) -> None:
        first = next((row for row in self.rows.rows if row.study), None)
        if first is not None:
            self._go(first)
            self.list.setFocus()

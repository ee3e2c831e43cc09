"""The window of trainings, opened from the menu alone: the reading room stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QIcon, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.services.training.asked import Choices, Wish
from app.services.training.history import Entry, promotions
from app.services.training.look import Broken, JobView
from app.services.training.service import Training
from app.ui.panels.training import words
from app.ui.panels.training.form import Form
from app.ui.panels.training.freezing import FreezeDialog
from app.ui.panels.training.listing import Listing
from app.ui.panels.training.parts import label
from app.ui.panels.training.past import PastPage
from app.ui.panels.training.running import RunningPage

START: Final = (1120, 760)
SIDE: Final = 248


class TrainingWindow(QWidget):
    """Lists trainings beside the one chosen, the form of a new one, or the history.

    Closed, it is destroyed; the trainings go on and are found again.

    Signals: `models_changed` after a model was promoted or demoted.

    Parameters
    ----------
    session
        Whose settings name reader, device and reading set.
    service
        What is asked of; it goes on when this window is closed.
    main
        The workstation's window, which remembers where this one stood.
    """

    models_changed = Signal()

    def __init__(self, session, service: Training, main: QWidget) -> None:
        super().__init__(main, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Mammoview: training")
        self.setWindowIcon(QIcon("icons:mammoview.svg"))
        self.setObjectName("training")
        self.setMinimumSize(800, 520)
        self.resize(*START)
        self._session = session
        self._choices = Choices()
        self._views: tuple[JobView | Broken, ...] = ()
        self._asked_new = False
        self._wanted = ""
        self.service = service
        self.form = Form(session.settings.device)
        self.page, self.past, self.broken = RunningPage(), PastPage(), _broken_page()
        self.listing = Listing()
        self._freezing: FreezeDialog | None = None
        self._build()
        self._connect()
        self.service.list_choices()
        self.present(service.views)

    def _build(self) -> None:
        self.new = QPushButton("New training")
        self.history = QPushButton("History")
        side = QFrame()
        side.setObjectName("left")
        side.setFixedWidth(SIDE)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for button, margins in ((self.new, (12, 12, 12, 0)), (self.history, (12, 0, 12, 12))):
            row = QHBoxLayout()
            row.setContentsMargins(*margins)
            row.addWidget(button)
            column.addLayout(row)
        column.insertWidget(1, self.listing, 1)
        self.said = label(role="banner")
        self.said.setVisible(False)
        self.stack = QStackedWidget()
        for page in (self.form, self.page, self.past, self.broken):
            self.stack.addWidget(page)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.said)
        right.addWidget(self.stack, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(side)
        whole.addLayout(right, 1)

    def _connect(self) -> None:
        service = self.service
        service.changed.connect(self.present)
        service.choices_changed.connect(self._take_choices)
        service.began.connect(self._began)
        service.exchanged.connect(self._exchanged)
        service.failed.connect(self._failed)
        self.new.clicked.connect(self.show_form)
        self.history.clicked.connect(self.show_history)
        self.listing.chosen.connect(lambda _: self._show_chosen())
        self.form.begun.connect(self._begin)
        self.form.freeze_asked.connect(self._ask_freeze)
        self.page.paused.connect(service.pause)
        self.page.resumed.connect(service.go_on)
        self.page.stopped.connect(service.stop)
        self.page.outcome.promoted.connect(self._promote)
        self.page.outcome.declined.connect(self._decline)
        self.page.outcome.demoted.connect(self._demote)

    # Showing

    @Slot(object)
    def present(self, views: tuple[JobView | Broken, ...]) -> None:
        """Show how all trainings stand; at first the newest of them, if there is any."""
        is_first = not self._views
        self._views = views
        self.listing.present(views)
        if self._wanted in map(_id, views):
            wanted, self._wanted = self._wanted, ""
            self.listing.choose(wanted)
        elif is_first and views and not self._asked_new:
            self.listing.setCurrentRow(0)
        elif self.stack.currentWidget() in (self.page, self.broken):
            self._show_chosen()

    def show_form(self) -> None:
        """Show the form of a new training."""
        self._asked_new = True
        self.listing.choose("")
        self._say("")
        self.service.list_choices()
        self.stack.setCurrentWidget(self.form)
        self.form.manifest.setFocus()

    def show_history(self) -> None:
        """Show what was in use when."""
        self.listing.choose("")
        self._say("")
        self.service.list_choices()
        self.stack.setCurrentWidget(self.past)

    def _show_chosen(self) -> None:
        name = self.listing.current
        view = next((one for one in self._views if _id(one) == name), None)
        if isinstance(view, Broken):
            self.broken.setText(f"{words.sentence(view.sentence)}\nNothing of it was changed or deleted.")
            self.stack.setCurrentWidget(self.broken)
        elif view is not None:
            self.page.present(view, self._decided(view), self._in_use(view))
            self.stack.setCurrentWidget(self.page)

    def _decided(self, view: JobView) -> Entry | None:
        own = [one for one in self._choices.history.entries if one.job == view.job.id]
        return own[-1] if own else None

    def _in_use(self, view: JobView) -> bool:
        held = promotions(self._choices.history.entries, view.job.name)
        return bool(held) and held[-1].job == view.job.id

    @Slot(object)
    def _take_choices(self, choices: Choices) -> None:
        self._choices = choices
        self.form.present(choices)
        self.past.present(choices.history)
        if self.stack.currentWidget() is self.page:
            self._show_chosen()
        asked = self._freezing.name.text().strip() if self._freezing is not None else ""
        if self._freezing is not None and asked in [one.name for one in choices.frozen]:
            self.form.frozen.setCurrentIndex(self.form.frozen.findData(asked))
            self._freezing.close()

    def _say(self, sentence: str) -> None:
        self.said.setText(words.sentence(sentence))
        self.said.setVisible(bool(sentence))

    @Slot(str)
    def _failed(self, sentence: str) -> None:
        self.form.start.setEnabled(not self._choices.problem)
        if self._freezing is not None:
            self._freezing.say(sentence)
        elif self.stack.currentWidget() is self.form:
            self.form.say(sentence)
        else:
            self._say(sentence)

    # Asking

    def _begin(self, wish: Wish) -> None:
        self.form.start.setEnabled(False)  # checking 50,000 rows takes a moment
        self.service.begin(wish)

    @Slot(str)
    def _began(self, name: str) -> None:
        self.form.start.setEnabled(True)
        self._wanted = name
        self.service.look()

    def _ask_freeze(self, manifest: str) -> None:
        self._freezing = FreezeDialog(self, manifest)
        who = self._session.settings.reader
        self._freezing.chosen.connect(
            lambda name, images, splits, fold: self.service.freeze(name, images, splits, fold, who)
        )
        self._freezing.destroyed.connect(lambda: setattr(self, "_freezing", None))
        self._freezing.open()

    def _promote(self, why: str) -> None:
        view = self._chosen()
        if view is not None:
            who = self._session.settings.reader
            self.service.promote(view.job.id, why, who, compared=view.was_compared)

    def _decline(self, why: str) -> None:
        view = self._chosen()
        if view is not None:
            self.service.decline(view.job.id, why, self._session.settings.reader)

    def _demote(self, why: str) -> None:
        view = self._chosen()
        if view is not None:
            self.service.demote(view.job.name, why, self._session.settings.reader)

    def _chosen(self) -> JobView | None:
        found = next((one for one in self._views if _id(one) == self.listing.current), None)
        return found if isinstance(found, JobView) else None

    @Slot(object)
    def _exchanged(self, entry: Entry) -> None:
        """Read with what was promoted, or again with what was before."""
        settings = self._session.settings
        self._say("")
        if settings.models != entry.reading_set:
            self._session.set_settings(replace(settings, models=entry.reading_set))
        self.page.outcome.why.clear()
        self.models_changed.emit()

    # Events

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.service.follow(True)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.service.follow(False)
        self.parent().places.keep(self.objectName(), self)
        super().closeEvent(event)


def _id(one: JobView | Broken) -> str:
    return one.id if isinstance(one, Broken) else one.job.id


def _broken_page() -> QWidget:
    made = label(role="warning")
    made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    made.setContentsMargins(16, 16, 16, 16)
    return made


def open_training(window) -> TrainingWindow:
    """Show the window of trainings of a main window; there is one of them at a time."""
    window = getattr(window, "main", window)  # a second window has none of its own
    found = window.findChild(TrainingWindow, "training")
    if found is None:
        service = window.findChild(Training) or Training(window)
        found = TrainingWindow(window.session, service, window)
        found.models_changed.connect(window.models_wanted)
        window.places.restore(found.objectName(), found)
    found.show()
    found.raise_()
    found.activateWindow()
    return found

"""One training: how it stands, what can be done with it, its curves, its log, its results."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from app.services.training import alive
from app.services.training.history import Entry
from app.services.training.look import JobView
from app.ui import theme
from app.ui.panels.training import words
from app.ui.panels.training.curves import Curves
from app.ui.panels.training.outcome import Outcome
from app.ui.panels.training.parts import label, rule

TABS = ("Curves", "Log", "Results")


class RunningPage(QWidget):
    """Shows a `JobView`; signals: `paused`, `resumed`, `stopped` (id of the training)."""

    paused = Signal(str)
    resumed = Signal(str)
    stopped = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._view: JobView | None = None
        self.title, self.state = QLabel(), label(role="quiet")
        self.title.setProperty("role", "title")
        self.warning = label(role="warning")
        self.line = QLabel()
        self.line.setProperty("role", "quiet")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName("Progress of the training")
        self.pause = self._button("Pause", lambda name: self.paused.emit(name))
        self.resume = self._button("Resume", lambda name: self.resumed.emit(name))
        self.stop = self._button("Stop", lambda name: self.stopped.emit(name))
        self.curves, self.outcome = Curves(), Outcome()
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setAccessibleName("Log of the training")
        self.log.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.log.setStyleSheet(f"border: none; color: {theme.QUIET};")
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setAccessibleName("What is shown of the training")
        self._stack = QStackedWidget()
        for name, page in zip(TABS, (self.curves, self.log, self.outcome), strict=True):
            self.tabs.addTab(name)
            self._stack.addWidget(page)
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._lay_out()

    def _button(self, text: str, do) -> QPushButton:
        made = QPushButton(text)
        made.clicked.connect(lambda: do(self._view.job.id) if self._view else None)
        return made

    def _lay_out(self) -> None:
        said = QVBoxLayout()
        said.setSpacing(4)
        for part in (self.title, self.state, self.warning):
            said.addWidget(part)
        head = QHBoxLayout()
        head.setContentsMargins(16, 12, 16, 8)
        head.setSpacing(8)
        head.addLayout(said, 1)
        for part in (self.line, self.pause, self.resume, self.stop):
            head.addWidget(part, 0, Qt.AlignmentFlag.AlignTop)
        self.line.setContentsMargins(0, 6, 8, 0)
        names = QHBoxLayout()
        names.setContentsMargins(8, 0, 8, 0)
        names.addWidget(self.tabs)
        names.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addLayout(names)
        column.addWidget(rule())
        column.addWidget(self._stack, 1)

    def present(self, view: JobView, decided: Entry | None, in_use: bool) -> None:
        """Show how a training stands."""
        before, self._view = self._view, view
        is_other = before is None or before.job.id != view.job.id
        self.title.setText(f"{view.job.name} {view.job.version}")
        self.state.setText(view.sentence or "All steps are done.")
        role = "warning" if view.status == "failed" else "quiet"
        if role != self.state.property("role"):
            self.state.setProperty("role", role)
            self.state.style().unpolish(self.state)
            self.state.style().polish(self.state)
        said = list(dict.fromkeys(reversed(view.progress.warnings)))[:2]
        self.warning.setText("\n".join(words.sentence(one) for one in said))
        self.warning.setVisible(bool(view.progress.warnings))
        self.line.setText(words.progress_line(view))
        self.bar.setValue(round(1000 * view.progress.fraction))
        self.pause.setVisible(view.status == "running" and alive.CAN_PAUSE)
        self.resume.setVisible(view.status == "paused" or view.resumable)
        self.stop.setVisible(view.status in ("starting", "running", "paused"))
        self.curves.present(view.progress)
        self._present_log(view.log)
        self.outcome.present(view, decided, in_use)
        self.tabs.setTabEnabled(2, view.results is not None)
        came_to_results = view.results is not None and (is_other or before.results is None)
        if came_to_results:
            self.tabs.setCurrentIndex(2)
        elif is_other:
            self.tabs.setCurrentIndex(0)

    def _present_log(self, text: str) -> None:
        if text == self.log.toPlainText():
            return
        bar = self.log.verticalScrollBar()
        at_end, place = bar.value() >= bar.maximum() - 2, bar.value()
        self.log.setPlainText(text)
        bar.setValue(bar.maximum() if at_end else place)

"""The report beside the images: what a screening exam needs first, the rest below it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.core.reading.assessment import derived, overall
from app.core.reading.handles import identity
from app.core.reading.report_text import signed
from app.core.reading.work import WorkState
from app.services.reporting import Reporting, ReportState
from app.ui.panels.report.choices import ChoiceRow, ListChoice
from app.ui.panels.report.fields import TextField
from app.ui.panels.report.findings import Findings

TEXTS: Final = (
    ("indication", "Indication", "why she came", 1),
    ("technique", "Technique", "views made", 1),
    ("comparison", "Comparison", "earlier exams", 1),
    ("remarks", "Remarks", "anything else", 2),
)


class ReportPanel(QWidget):
    """Shows the state of `reporting`; every change is one step of undo.

    Signals: `left`, the keyboard goes back to the images; `wanted`, to be brought to the front; `titled`, its
    name with what the report says so far; `save_asked`.
    """

    SIDE = "right"
    STRETCH = 2
    TITLE = "Report"
    left = Signal()
    wanted = Signal()
    titled = Signal(str)
    save_asked = Signal()

    def __init__(self, session, thumbnails=None) -> None:
        super().__init__()
        self._session = session
        self._study = ""
        self._stops: tuple[QWidget, ...] = ()
        self._calculators = None
        self.reporting = Reporting(session, self)
        self.reporting.message.connect(session.message)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._build())
        self.reporting.changed.connect(self.present)
        session.work.changed.connect(self._worked)
        session.leaving.connect(self.commit)
        self.present(self.reporting.state)
        self._worked(session.work.state)

    # Building

    def _build(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        self.refused = _label("banner")
        self.warnings = _label("warning")
        self.findings = Findings()
        self.suggest = ListChoice("Suggested recommendations")
        self.recommendation = TextField("Recommendation", "what is to be done")
        self.fields = {name: TextField(title, hint, lines) for name, title, hint, lines in TEXTS}
        self.key_images, self.signature = _label("quiet"), _label("quiet")
        column.addWidget(self.refused)
        column.addLayout(self._head())
        column.addLayout(self._choices())
        column.addWidget(self.warnings)
        column.addWidget(_label("section", "Findings"))
        column.addWidget(self.findings)
        column.addWidget(_label("section", "Recommendation"))
        column.addWidget(self.recommendation)
        column.addWidget(self.suggest)
        for name, title, _, _ in TEXTS:
            column.addWidget(_label("section", title))
            column.addWidget(self.fields[name])
        column.addWidget(self.key_images)
        column.addWidget(self.signature)
        column.addStretch(1)
        self._listen()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self.area = area
        return area

    def _head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(4)
        self.normal = QPushButton("Normal")
        self.normal.setToolTip("Category 1 for the breasts imaged, in one step")
        self.save = QPushButton("Save as…")
        self.save.setToolTip("Write the report as PDF or HTML, with the key images")
        for button in (self.normal, self.save):
            line.addWidget(button, 1)
        return line

    def _choices(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self.exam = ChoiceRow("Kind of exam", needed=True)
        self.exam.offer((("screening", "without complaint"), ("diagnostic", "to work something up")))
        self.density = ChoiceRow("Breast density")
        self.right, self.left_breast = ChoiceRow("Right breast"), ChoiceRow("Left breast")
        self.overall = ChoiceRow("Overall")
        self.known = QCheckBox("Cancer known from a biopsy")
        rows = (
            ("Exam", self.exam),
            ("Density", self.density),
            ("Right", self.right),
            ("Left", self.left_breast),
            ("Overall", self.overall),
        )
        for number, (name, row) in enumerate(rows):
            grid.addWidget(_label("quiet", name, wrap=False), number, 0)
            grid.addWidget(row, number, 1)
        self.follows = _label("quiet")
        grid.addWidget(self.follows, len(rows), 1)
        grid.addWidget(self.known, len(rows) + 1, 1)
        return grid

    def _listen(self) -> None:
        doing = self.reporting
        self.normal.clicked.connect(doing.normal)
        self.save.clicked.connect(self.save_asked)
        self.exam.chosen.connect(lambda code: doing.change("report: kind of exam", exam=code))
        self.density.chosen.connect(lambda code: doing.change("report: density", density=code))
        for where, row in (("right", self.right), ("left", self.left_breast), ("overall", self.overall)):
            row.chosen.connect(lambda code, where=where: doing.assess(where, code))
        self.known.clicked.connect(lambda on: doing.change("report: known cancer", known_cancer=on))
        self.recommendation.committed.connect(
            lambda text: doing.change("report: recommendation", recommendation=text)
        )
        self.suggest.activated.connect(lambda _: self._suggested(self.suggest.currentData()))
        for name, field in self.fields.items():
            field.committed.connect(lambda text, name=name: doing.change(f"report: {name}", **{name: text}))
        self.findings.add.connect(self.add_finding)
        self.findings.opened.connect(self._order)
        editor = self.findings.editor
        editor.changed.connect(doing.put)
        editor.wrong.connect(doing.message)
        editor.link.connect(doing.link_mark)
        editor.jump.connect(self._jump)
        editor.removed.connect(doing.remove)

    # Showing

    def present(self, state: ReportState) -> None:
        """Show a report; what is being typed stays while it is the same study's."""
        key = state.study.key if state.study else ""
        anew, self._study = key != self._study, key
        report, lexicon = state.report, state.lexicon
        self.refused.setText(state.refused)
        self.refused.setVisible(bool(state.refused))
        for part in (self.normal, self.save, self.findings, self.suggest, self.known):
            part.setEnabled(state.study is not None and (part is self.save or not state.refused))
        for row in (self.exam, self.density, self.right, self.left_breast, self.overall):
            row.setEnabled(state.study is not None and not state.refused)
        for field in (self.recommendation, *self.fields.values()):
            field.setReadOnly(state.study is None or bool(state.refused))
        grades = tuple(
            (each.code, each.text) for each in sorted(lexicon.assessments, key=lambda each: each.code)
        )
        self.density.offer(tuple((term.code, term.text) for term in lexicon.density))
        for row in (self.right, self.left_breast, self.overall):
            row.offer(grades)
        self.exam.present(report.exam)
        self.density.present(report.density)
        self.right.present(report.right)
        self.left_breast.present(report.left)
        self.overall.present(overall(report, lexicon))
        self.follows.setText("as set by hand" if report.overall else "follows from the breasts")
        self.follows.setVisible(bool(derived(report, lexicon) or report.overall))
        self.known.setChecked(report.known_cancer)
        self.recommendation.present(report.recommendation, anew=anew)
        for name, field in self.fields.items():
            field.present(getattr(report, name), anew=anew)
        self._offer(lexicon.recommendations)
        self.findings.present(state)
        self._weigh()
        self.warnings.setText("\n".join(each.sentence for each in state.contradictions))
        self.warnings.setVisible(bool(state.contradictions))
        self.signature.setText(signed(report) if report.changed else "")
        self.signature.setVisible(bool(report.changed))
        self.titled.emit(_title(state))
        self._order()

    def _order(self) -> None:
        """Let the keyboard go from top to bottom, through the finding that is open."""
        first = (self.normal, self.save, self.exam, self.density, self.right, self.left_breast, self.overall)
        last = (self.recommendation, self.suggest, *self.fields.values())
        stops = (*first, self.known, *self.findings.stops, *last)
        if stops != self._stops:
            self._stops = stops
            for one, other in pairwise(stops):
                QWidget.setTabOrder(one, other)

    def _offer(self, sentences: tuple[str, ...]) -> None:
        if self.suggest.count() != len(sentences) + 1:
            self.suggest.clear()
            self.suggest.addItem("Add a usual sentence", "")
            for each in sentences:
                self.suggest.addItem(each, each)
        self.suggest.setCurrentIndex(0)

    def _worked(self, work: WorkState) -> None:
        """Say which key images go with the report, and whether a mark can be taken."""
        chosen = work.work.key_images
        studies = self._session.studies if chosen else ()
        images = {identity(each): each for study in studies for each in study.images}  # of priors too
        named = [images[uid] for uid, _ in chosen if uid in images]
        ages = [self._session.prior_of(image) for image in named]
        names = [
            " ".join(part for part in (image.label or "no view", age) if part)
            for image, age in zip(named, ages, strict=True)
        ]
        self.key_images.setText(f"Key images: {', '.join(names)}")
        self.key_images.setVisible(bool(names))
        self.findings.from_mark.setEnabled(self.reporting.selected is not None)

    # The calculator

    def advise(self, calculators) -> None:
        """Take the descriptor models; the calculator shows below a finding from now on."""
        self._calculators = calculators
        calculators.ready.connect(self._weigh)
        self.findings.calculator.asked.connect(self._weigh)
        self.findings.opened.connect(self._weigh)
        self._weigh()

    def _weigh(self) -> None:
        """Let the model for the open finding say what it makes of its descriptors."""
        view, report = self.findings.calculator, self.reporting.state.report
        finding = report.find(self.findings.open_uid)
        view.setVisible(self._calculators is not None and finding is not None)
        if self._calculators is None or finding is None or not view.is_open:
            return
        breast = report.right if finding.laterality == "R" else report.left
        assessment = breast if view.with_assessment.isChecked() else ""
        asked = (finding, report.density, assessment, view.prevalence)
        view.present(self._calculators.opinion(*asked))

    # Doing

    def commit(self) -> None:
        """Keep what is being typed, now."""
        for field in (self.recommendation, *self.fields.values()):
            field.commit()
        self.findings.editor.commit()

    def add_finding(self, from_mark: bool) -> None:
        """Add a finding and open its editor."""
        doing = self.reporting
        side = doing.state.report
        breast = "R" if side.right and not side.left else "L" if side.left and not side.right else ""
        uid = doing.add_from_mark() if from_mark else doing.add_finding(breast)
        if uid:
            self.wanted.emit()
            self.findings.open(uid)

    def link_mark(self) -> None:
        """Give the selected mark to the finding whose editor is open, or to the only one."""
        findings = self.reporting.state.report.findings
        only = findings[0].uid if len(findings) == 1 else ""
        self.reporting.link_mark(self.findings.open_uid or only)

    def write(self) -> None:
        """Come to the front and take the keyboard."""
        self.wanted.emit()
        self.density.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _suggested(self, sentence: str) -> None:
        self.suggest.setCurrentIndex(0)
        self.recommendation.commit()
        old = self.reporting.state.report.recommendation.strip()
        if sentence and sentence not in old:
            self.reporting.change("report: recommendation", recommendation=f"{old} {sentence}".strip())

    def _jump(self, uid: str) -> None:
        """Show the first mark of a finding that is still there, and select it."""
        finding, marks = self.reporting.state.report.find(uid), self.reporting.marks
        mark = next((marks[each] for each in finding.marks if each in marks), None) if finding else None
        if mark is None:
            self.reporting.message.emit("That finding has no mark.")
            return
        self._session.work.select(mark.annotation.uid)
        self._session.jump_to(mark.image.key, mark.annotation.box, mark.annotation.frame)

    def event(self, event: QEvent) -> bool:
        """Tab goes from control to control in here; Escape gives the keyboard back to the images."""
        if isinstance(event, QKeyEvent) and event.modifiers() in (
            Qt.KeyboardModifier.NoModifier,
            Qt.KeyboardModifier.ShiftModifier,
        ):
            if event.type() == QEvent.Type.ShortcutOverride and event.key() in _OWN:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
                self.commit()
                self.left.emit()
                return True
        return super().event(event)


_OWN: Final = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Escape)


def _title(state: ReportState) -> str:
    """Return the panel's name, the overall category, and in brackets how much is to be settled."""
    if not state.is_begun:
        return "Report"
    code = overall(state.report, state.lexicon)
    parts = [code] if code else []
    parts += [f"({len(state.contradictions)})"] if state.contradictions else []
    return "  ".join(("Report", *parts))


def _label(role: str, text: str = "", *, wrap: bool = True) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", role)
    label.setWordWrap(wrap)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label

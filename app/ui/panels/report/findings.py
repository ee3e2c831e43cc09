"""The findings of the report: one line each, and the editor of the one that is open."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.core.reading.lexicon import Lexicon, text_of
from app.core.reading.report import ReportFinding
from app.core.reading.report_text import finding_text
from app.services.reporting import ReportState
from app.ui.panels.report.calculator import CalculatorView
from app.ui.panels.report.finding_editor import FindingEditor


class Findings(QWidget):
    """Lines and editor; emits `add` (with True for one from the selected mark), and `opened` after the
    editor turned to another finding.
    """

    add = Signal(bool)
    opened = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.open_uid = ""
        self._state = ReportState()
        self.lines: dict[str, QPushButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        self.from_mark = QPushButton("From mark")
        self.from_mark.setToolTip("Add a finding with what the selected mark tells")
        self.from_mark.clicked.connect(lambda: self.add.emit(True))
        self.empty = QPushButton("Add")
        self.empty.setToolTip("Add an empty finding")
        self.empty.setAccessibleName("Add an empty finding")
        self.empty.clicked.connect(lambda: self.add.emit(False))
        buttons.addWidget(self.from_mark, 1)
        buttons.addWidget(self.empty, 1)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.editor = FindingEditor()
        column.addLayout(self._list)
        column.addWidget(self.editor)
        self.calculator = CalculatorView()
        column.addWidget(self.calculator)
        column.addLayout(buttons)
        self.editor.hide()

    def present(self, state: ReportState) -> None:
        """Show the findings of a report."""
        self._state = state
        findings = {each.uid: each for each in state.report.findings}
        for uid in [uid for uid in self.lines if uid not in findings]:
            line = self.lines.pop(uid)
            self._list.removeWidget(line)
            line.hide()
            line.deleteLater()
        for number, (uid, finding) in enumerate(findings.items(), start=1):
            if uid not in self.lines:
                self.lines[uid] = self._line(uid)
                self._list.addWidget(self.lines[uid])
            text = f"{number}  {headline(finding, state.lexicon)}"
            self.lines[uid].setText(text)
            self.lines[uid].setAccessibleName(f"Finding {text}")
            self.lines[uid].setToolTip(finding_text(finding, state.lexicon))
        self._open(self.open_uid if self.open_uid in findings else "")

    def open(self, uid: str) -> None:
        """Open the editor on a finding; empty, or the one that is open: close it."""
        self.editor.commit()
        self._open(uid)
        self.opened.emit()

    def _open(self, uid: str) -> None:
        self.open_uid = uid
        finding = self._state.report.find(uid)
        for each, line in self.lines.items():
            line.setChecked(each == uid)
        self.editor.setVisible(finding is not None)
        if finding is not None:
            self.editor.present(finding, self._state.lexicon)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Where the keyboard stops, from top to bottom."""
        editor = self.editor.stops if self.open_uid else ()
        return (*self.lines.values(), *editor, self.from_mark, self.empty)

    def _line(self, uid: str) -> QPushButton:
        line = QPushButton()
        line.setCheckable(True)
        line.setProperty("role", "line")
        line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        line.clicked.connect(lambda _=False: self.open("" if self.open_uid == uid else uid))
        return line


def headline(finding: ReportFinding, lexicon: Lexicon) -> str:
    """Return a finding in a few words: breast, kind, size, place."""
    kind = lexicon.kind(finding.kind)
    parts = [f"{finding.laterality or '?'} {kind.text if kind else finding.kind}"]
    if finding.size_mm is not None:
        parts.append(f"{finding.size_mm:.0f} mm")
    if finding.clock is not None:
        parts.append(f"{finding.clock} o'clock")
    elif finding.region:
        parts.append(text_of(lexicon.regions, finding.region))
    return ", ".join(parts)

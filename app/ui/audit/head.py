"""The bar of the audit: what is audited, by which model, counted how, at which threshold."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.core.audit.columns import texts
from app.core.audit.filters import EVERY_CASE, Among, CaseFilter, words
from app.core.audit.matching import RULES
from app.core.audit.units import PLURAL, UNITS
from app.services.audit.state import AuditState
from app.services.audit.table import threshold_of
from app.ui.audit import wording
from app.ui.bar_parts import Elided
from app.ui.drop_down import DropDown

GROUPS: Final = ("density", "view", "laterality", "vendor", "label", "source")
"""Columns whose words are offered as subgroups."""
MOST_WORDS: Final = 12
"""A column of more words makes no subgroups."""


class Head(QFrame):
    """Signals name what the reader wants; `csv_asked` says whether answers of readers are meant."""

    open_asked = Signal()
    predict_asked = Signal()
    place_asked = Signal()
    cancel_asked = Signal()
    lead_chosen = Signal(int)
    unit_chosen = Signal(str)
    subgroup_chosen = Signal(object)
    threshold_chosen = Signal(float)
    report_asked = Signal()
    agreement_asked = Signal()
    csv_asked = Signal(bool)
    blinded_asked = Signal(bool)
    end_asked = Signal()
    rule_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("bar")
        self._state = AuditState()
        self._presenting = False
        self._where, self._missing = "", 0
        self.open = QPushButton("Open…")
        self.title, self.standing = Elided("title", 120), Elided("quiet")
        # A warning that is cut off warns of nothing: each has a line of its own, and wraps.
        self.notes = QLabel()
        self.notes.setProperty("role", "warning")
        self.notes.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(120)
        self.running = QLabel()
        self.running.setProperty("role", "quiet")
        self.predict, self.cancel = QPushButton("Predict"), QPushButton("Stop")
        self.end = QPushButton("End blinded reading")
        self.more = QPushButton("More")
        self.lead, self.unit, self.group = DropDown(), DropDown(), DropDown()
        self.threshold = QDoubleSpinBox()
        self.usual = QPushButton("Operating point")
        self._build()
        self._connect()

    def _build(self) -> None:
        for box, name in ((self.lead, "Model"), (self.unit, "Unit counted"), (self.group, "Subgroup")):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(DropDown.SizeAdjustPolicy.AdjustToContents)
            box.setMaximumWidth(280)
        for unit in UNITS:
            self.unit.addItem(PLURAL[unit], unit)
        self.threshold.setAccessibleName("Threshold on the score")
        self.threshold.setDecimals(3)
        self.threshold.setRange(0.0, 1.0)
        self.threshold.setSingleStep(0.01)
        self.threshold.setFixedWidth(72)
        self.threshold.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._build_menu()
        for button in (self.open, self.predict, self.cancel, self.end, self.more, self.usual):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        first, second = QHBoxLayout(), QHBoxLayout()
        for part in (self.open, self.title, self.standing):
            first.addWidget(part)
        first.setStretch(2, 1)
        for part in (self.running, self.progress, self.cancel, self.predict, self.end, self.more):
            first.addWidget(part)
        self._label(second, "Model", self.lead)
        self._label(second, "Count", self.unit)
        self._label(second, "of", self.group)
        second.addStretch(1)
        self._label(second, "Recalled from score", self.threshold)
        second.addWidget(self.usual)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(8)
        for row in (first, second):
            row.setSpacing(8)
        second.setContentsMargins(0, 0, 0, 0)
        self.counting = QWidget()
        self.counting.setLayout(second)
        column.addLayout(first)
        column.addWidget(self.counting)
        column.addWidget(self.notes)

    def _build_menu(self) -> None:
        menu = QMenu(self.more)
        self.report = menu.addAction("Report…", self.report_asked.emit)
        self.csv = menu.addAction("Listed cases as CSV…", lambda: self.csv_asked.emit(False))
        self.answers = menu.addAction(
            "Answers of blinded readings as CSV…", lambda: self.csv_asked.emit(True)
        )
        self.agreement = menu.addAction("Agreement of readers…", self.agreement_asked.emit)
        menu.addSeparator()
        self.rules = menu.addMenu("A box hits a lesion when …")
        for rule, meaning in RULES.items():
            action = self.rules.addAction(meaning)
            action.setCheckable(True)
            action.setData(rule)
            action.triggered.connect(lambda _=False, rule=rule: self.rule_chosen.emit(rule))
        menu.addSeparator()
        self.place = menu.addAction("Where models run…", self.place_asked.emit)
        menu.addSeparator()
        self.blind = menu.addAction(
            "Blinded reading of the listed cases…", lambda: self.blinded_asked.emit(False)
        )
        self.helped = menu.addAction("The same, with the model shown…", lambda: self.blinded_asked.emit(True))
        self.more.setMenu(menu)

    @staticmethod
    def _label(row: QHBoxLayout, text: str, editor) -> None:
        name = QLabel(text)
        name.setProperty("role", "quiet")
        row.addWidget(name)
        row.addWidget(editor)

    def _connect(self) -> None:
        self.open.clicked.connect(self.open_asked)
        self.predict.clicked.connect(self.predict_asked)
        self.cancel.clicked.connect(self.cancel_asked)
        self.end.clicked.connect(self.end_asked)
        self.lead.activated.connect(self.lead_chosen)
        self.unit.activated.connect(lambda _: self.unit_chosen.emit(self.unit.currentData()))
        self.group.activated.connect(lambda _: self.subgroup_chosen.emit(self.group.currentData()))
        self.threshold.valueChanged.connect(self._on_threshold)
        self.usual.clicked.connect(self._on_usual)

    def _on_threshold(self, value: float) -> None:
        if not self._presenting:
            self.threshold_chosen.emit(value)

    def _on_usual(self) -> None:
        answers = self._state.answers
        if answers is not None:
            self.threshold_chosen.emit(threshold_of(answers.model))

    # Showing

    def present(self, state: AuditState, missing: int) -> None:
        """Show what is audited; `missing` answers (images times models) could be asked for."""
        old, self._state = self._state, state
        sheet, running = state.sheet, state.predicting
        self._presenting = True
        self.title.write(state.title or ("Opening…" if state.loading else "Nothing is open"))
        is_open = sheet is not None
        self.counting.setVisible(is_open)
        lines = list(state.notes)
        if state.refused:  # stands for as long as it is so
            lines.append(f"What you say of these cases is not saved: {state.refused}.")
        self.notes.setText("\n".join(lines))
        self.notes.setVisible(bool(lines))
        for part in (self.lead, self.unit, self.group, self.threshold, self.usual, self.more):
            part.setEnabled(is_open)
        if sheet is not None:
            if state.table is not old.table or state.filter != old.filter or state.subgroup != old.subgroup:
                self._offer(state)
            self.lead.setCurrentIndex(sheet.lead)
            self.unit.setCurrentIndex(self.unit.findData(state.unit))
            if abs(self.threshold.value() - sheet.threshold) >= 0.0005:
                self.threshold.setValue(sheet.threshold)
            self._stand(state)
        self.predict.setVisible(is_open and running is None and missing > 0)
        self.predict.setText(f"Predict {missing}")
        self._missing = missing
        self.say_where(self._where)
        for part in (self.running, self.progress, self.cancel):
            part.setVisible(running is not None)
        if running is not None:
            failed = f", {running.failed} failed" if running.failed else ""
            left = wording.seconds(running.seconds_left)
            self.running.setText(f"{running.done} of {running.total}{failed}" + (f", {left}" if left else ""))
            self.progress.setRange(0, max(running.total, 1))
            self.progress.setValue(running.done)
        for action in self.rules.actions():
            action.setChecked(action.data() == state.rule)
        blinded = state.blinded is not None
        self.end.setVisible(blinded)
        for action in (self.report, self.csv, self.answers, self.agreement, self.blind, self.helped):
            action.setEnabled(not blinded)
        for part in (self.threshold, self.usual, self.lead, self.unit, self.group):
            part.setEnabled(is_open and not blinded)
        self._presenting = False

    def say_where(self, where: str) -> None:
        """Say where models run, as a clause."""
        self._where = where
        self.predict.setToolTip(
            f"Ask for {self._missing} answers (images times models) that are missing, {where}"
        )

    def _stand(self, state: AuditState) -> None:
        sheet = state.sheet
        assert sheet is not None
        model = sheet.answers.model
        meaning = f"operating point: {model.threshold_means}" if model.threshold_means else ""
        self.usual.setToolTip(meaning or "The model has no operating point: 0.5")
        parts = [f"{len(sheet.table)} images", f"{model.name} {model.version}".strip()]
        if model.score_of:
            parts.append(f"score: {model.score_of}")
        self.standing.write(",  ".join(parts))

    def _offer(self, state: AuditState) -> None:
        sheet = state.sheet
        assert sheet is not None
        names = [answers.model.name for answers in sheet.table.answers]
        if [self.lead.itemText(number) for number in range(self.lead.count())] != names:
            self.lead.clear()
            self.lead.addItems(names)
        groups = [("all cases", EVERY_CASE)]
        if state.filter.criteria:
            groups.append((f"the filter: {words(state.filter)}", state.filter))
        for column in GROUPS:
            own = texts(sheet, column)
            present = np.flatnonzero(np.bincount(own.codes, minlength=1)).tolist()
            if 1 < len(present) <= MOST_WORDS:
                for code in present:
                    word = own.words[code]
                    groups.append((f"{column} {word or 'none'}", CaseFilter((Among(column, (word,)),))))
        if state.subgroup not in [one for _, one in groups]:
            groups.insert(1, (words(state.subgroup), state.subgroup))
        self.group.clear()
        for text, one in groups:
            self.group.addItem(text, one)
        self.group.setCurrentIndex([one for _, one in groups].index(state.subgroup))

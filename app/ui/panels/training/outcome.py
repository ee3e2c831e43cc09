"""What a training came to: its numbers, how it stands beside the model in use, and whether it is promoted."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.core.metrics.delong import p_words
from app.services.training.history import Entry
from app.services.training.look import JobView
from app.services.training.results import Difference, Results
from app.ui import theme
from app.ui.panels.training import words
from app.ui.panels.training.parts import Table, label, rule

MAIN = (
    "auc.",
    "sens_at_spec90.",
    "pf1.breast",
    "brier.image",
    "ece.image",
    "froc.centre@1",
    "map50",
    "density.",
)
"""Beginnings of the names of metrics that are always listed; of a comparison whatever is shown is, too."""
_DIFFERENCE = ("in use", "new", "new − in use", "95 % interval", "p", "n", "")


class Outcome(QWidget):
    """Tables of a training's results over a line with the decision.

    Signals: `promoted` (why), `declined` (why), `demoted` (why).
    """

    promoted = Signal(str)
    declined = Signal(str)
    demoted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._view: JobView | None = None
        self._shown: tuple[Results | None, Entry | None, bool] | None = None
        self._build_tables()
        self._build_decision()
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        for part in (
            self.verdict,
            self.worse,
            self.problems,
            self.compared,
            self.differences,
            self.groups_title,
            self.groups,
            self.measured,
            self.protocol,
            self.numbers,
            self.more,
            self.notes,
        ):
            column.addWidget(part)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(page)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(scroll, 1)
        whole.addWidget(rule())
        whole.addWidget(self.decision)

    def _build_tables(self) -> None:
        self.verdict, self.worse = label(role="strong"), label()
        self.worse.setStyleSheet(f"color: {theme.WORSE};")
        self.problems = label(role="warning")
        self.compared, self.groups_title = label(role="section"), label(role="section")
        self.measured, self.protocol, self.notes = (
            label(role="section"),
            label(role="quiet"),
            label(role="quiet"),
        )
        self.more = label(role="quiet")
        self.differences = Table("Differences", ("metric", *_DIFFERENCE))
        self.groups = Table("Subgroups", ("AUC per image, by subgroup", *_DIFFERENCE))
        self.numbers = Table("Numbers", ("metric", "value", "95 % interval", "trivial guess", "n"))

    def _build_decision(self) -> None:
        self.why = QLineEdit()
        self.why.setAccessibleName("Why, in one line")
        self.why.setPlaceholderText("Why, in one line: it is kept in the history")
        self.decided = label(role="quiet")
        self.card, self.report = QPushButton("Model card"), QPushButton("Report")
        self.decline = QPushButton("Not now")
        self.promote = QPushButton("Promote")
        self.demote = QPushButton("Bring back the old one")
        self.promote.setDefault(True)
        self.card.clicked.connect(lambda: self._open(f"bundles/{self._name}/MODEL_CARD.md"))
        self.report.clicked.connect(self._open_report)
        self.promote.clicked.connect(lambda: self.promoted.emit(self.why.text()))
        self.decline.clicked.connect(lambda: self.declined.emit(self.why.text()))
        self.demote.clicked.connect(lambda: self.demoted.emit(self.why.text()))
        self.why.textChanged.connect(lambda _: self._enable())
        self.decision = QWidget()
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.why, 1)
        for button in (self.card, self.report, self.decline, self.demote, self.promote):
            row.addWidget(button)
        column = QVBoxLayout(self.decision)
        column.setContentsMargins(16, 8, 16, 12)
        column.setSpacing(4)
        column.addWidget(self.decided)
        column.addLayout(row)

    def present(self, view: JobView, decided: Entry | None, in_use: bool) -> None:
        """Show the results of a training.

        Parameters
        ----------
        decided
            What was decided of its model last, or None.
        in_use
            Whether it is its model that is in use under its name.
        """
        if self._view is None or self._view.job.id != view.job.id:
            self.why.clear()
        self._view = view
        shown = (view.results, decided, in_use)
        if shown == self._shown:
            return
        self._shown = shown
        self._present_results(view.results or Results(), view.job.against)
        self.decision.setVisible(view.has_model)
        text = ""
        if decided is not None:
            who = f" by {decided.who}" if decided.who else ""
            text = f"{words.decision(decided).capitalize()} {words.when(decided)} UTC{who}: {decided.why}"
        self.decided.setText(text)
        self.decided.setVisible(bool(text))
        self.promote.setVisible(not in_use)
        self.decline.setVisible(not in_use)
        self.demote.setVisible(in_use)
        self._enable()

    def _enable(self) -> None:
        said = bool(self.why.text().strip())
        for button in (self.promote, self.demote):
            button.setEnabled(said)
            button.setToolTip("" if said else "Say why first")

    def _present_results(self, results: Results, against: str) -> None:
        self.verdict.setText(words.verdict(results.verdict))
        worse = [f"{one.kind} {one.value}" for one in results.worse]
        self.worse.setText(f"Shown to be worse in: {', '.join(worse)}" if worse else "")
        self.problems.setText("\n".join(results.problems))
        self.compared.setText(f"BESIDE {results.a or against}".upper() if results.differences else "")
        beside = [one for one in results.differences if one.shown or one.name.startswith(MAIN)]
        self.differences.fill([_row(one.name, one) for one in beside])
        count = len(results.subgroups)
        by_chance = f"about {count / 20:.0f}" if count >= 20 else "fewer than one"
        chance = f"of {count} {by_chance} would differ by chance"
        self.groups_title.setText(f"SUBGROUPS ({chance})" if count else "")
        groups = sorted(results.subgroups, key=lambda one: not one.difference.got_worse)
        self.groups.fill([_row(f"{one.kind} {one.value}", one.difference) for one in groups])
        self.measured.setText("ON THE FROZEN TEST" if results.numbers else "")
        self.protocol.setText(results.protocol)
        self.notes.setText("\n".join(results.notes))
        numbers = [one for one in results.numbers if one.name.startswith(MAIN)] or results.numbers
        left = len(results.differences) - len(beside) + len(results.numbers) - len(numbers)
        self.more.setText(f"{left} further numbers stand in the report." if left else "")
        self.numbers.fill(
            [
                (
                    (
                        one.name,
                        words.number(one.value),
                        words.interval(one.low, one.high),
                        words.number(one.baseline),
                        f"{one.n} {one.unit}s",
                    ),
                    None,
                )
                for one in numbers
            ]
        )
        for text in (self.verdict, self.worse, self.problems, self.compared, self.groups_title):
            text.setVisible(bool(text.text()))
        for text in (self.measured, self.protocol, self.notes, self.more):
            text.setVisible(bool(text.text()))
        for table in (self.differences, self.groups, self.numbers):
            table.setVisible(table.rowCount() > 0)
            table.fit_rows()

    @property
    def _name(self) -> str:
        return self._view.job.name if self._view is not None else ""

    def _open_report(self) -> None:
        compared = self._view is not None and self._view.was_compared
        self._open("comparison/index.html" if compared else "report/index.html")

    def _open(self, name: str) -> None:
        if self._view is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._view.job.folder / name)))


def _row(name: str, one: Difference) -> tuple[tuple[str, ...], str | None]:
    texts = (
        name,
        words.number(one.a),
        words.number(one.b),
        words.number(one.difference, signed=True),
        words.interval(one.low, one.high, signed=True),
        words.NONE if one.p is None else p_words(one.p),
        f"{one.n}",
        words.said_of(one),
    )
    return texts, theme.WORSE if one.got_worse else None

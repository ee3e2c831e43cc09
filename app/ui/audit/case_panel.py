"""Below the image: what is known of the case, the reader's verdict and note, going from case to case."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.core.audit.blinded import ASSESSMENT_WORDS
from app.core.audit.columns import TRUTHS
from app.core.audit.verdicts import VERDICTS, CaseVerdict
from app.services.audit.maps import MapsState
from app.services.audit.state import AuditState
from app.ui import theme
from app.ui.actions.audit import VERDICT_ACTIONS
from app.ui.audit import wording
from app.ui.audit.map_lines import MapLines
from app.ui.bar_parts import Elided
from app.ui.bindings import Bindings
from app.ui.drop_down import DropDown

SHORT: Final = {"unusable image": "Unusable"}


def facts_of(state: AuditState, row: int) -> tuple[str, str]:
    """Return two lines on a case: what it is, and what model and data set say of it."""
    sheet = state.sheet
    assert sheet is not None
    table, answers = sheet.table, sheet.answers
    facts = table.rows[row]
    view = f"{facts.laterality} {facts.view}".strip()
    density = f"density {facts.density}" if facts.density else ""
    age = f"{table.age[row]:.0f} years" if table.age[row] == table.age[row] else ""
    first = "   ".join(part for part in (view, density, age, facts.vendor, facts.source) if part)
    said = []
    if state.model_hidden(row):
        said.append("model hidden until you have answered")
    else:
        score = float(answers.score[row])
        known = (
            f"score {score:.3f}" if score == score else wording.sentence(answers.reason(row)) or "no score"
        )
        said.append(known)
    if state.hidden(row):
        said.append("truth hidden until you have answered")
    else:
        truth = TRUTHS[int(table.truth[row]) + 1]
        label = f" ({facts.label})" if facts.label else ""
        said.append(f"truth {truth}{label}" if truth != "no truth" else "no truth known")
        chosen = state.chosen.get(row)
        if chosen is not None:
            said.append(f"chosen by {chosen.strategy}, {chosen.rank} of {chosen.of}")
    return first, "   ".join(said)


class CasePanel(QFrame):
    """Signals name what the reader wants.

    `judged` (verdict, corrected label), `noted` (text), `tagged` (text, by commas), `assessed` (1 to 5),
    `went` (-1 or 1), `undone`, `redone`, `reading_asked`, `marks_cleared`, `map_asked`.
    """

    judged = Signal(str, str)
    noted = Signal(str)
    tagged = Signal(str)
    assessed = Signal(int)
    went = Signal(int)
    undone = Signal()
    redone = Signal()
    reading_asked = Signal()
    marks_cleared = Signal()
    map_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("case")
        self.setStyleSheet(
            f"QFrame#case {{ background: {theme.PANEL}; border-top: 1px solid {theme.LINE}; }}"
        )
        self._row: int | None = None
        self._answer_keys = ""
        self._offered: tuple[str, ...] | None = None
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.outcome = QLabel()
        self.place = QLabel()
        self.place.setProperty("role", "quiet")
        self.facts, self.said = Elided("quiet"), Elided()
        self.verdicts = {name: self._verdict_button(name) for name in VERDICTS}
        self.answers = {number: self._answer_button(number) for number in ASSESSMENT_WORDS}
        self.label = DropDown()
        self.label.setAccessibleName("What the label should be")
        self.note, self.tags = QLineEdit(), QLineEdit()
        self.note.setAccessibleName("Note")
        self.tags.setPlaceholderText("Tags, by commas")
        self.tags.setAccessibleName("Tags")
        self._build()
        self._connect()

    def _verdict_button(self, name: str) -> QPushButton:
        button = QPushButton()
        button.setCheckable(True)
        button.setProperty("role", "line")
        button.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        button.setAccessibleName(f"Verdict: {name}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.judged.emit(name, self.corrected(name)))
        return button

    def _answer_button(self, number: int) -> QPushButton:
        button = QPushButton()
        button.setProperty("role", "line")
        button.setAccessibleName(f"Answer {number}: {ASSESSMENT_WORDS[number]}")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.assessed.emit(number))
        return button

    def _build(self) -> None:
        self.back, self.forth = _small("‹", "Previous case"), _small("›", "Next case")
        self.undo, self.redo = _small("Undo", "Nothing to undo"), _small("Redo", "Nothing to do again")
        self.read = _small("Read", "Open this exam in the reading window, with all its views")
        self.heat = _small("Heat map", "The model's own map over the image")
        self.heat.setCheckable(True)
        self.heat.setProperty("role", "line")
        self.maps = MapLines()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 12)
        column.setSpacing(8)
        column.addLayout(_row(self.title, self.outcome, None, self.place, self.back, self.forth))
        column.addLayout(_row(self.facts, self.heat, self.undo, self.redo, self.read, stretch=0))
        column.addWidget(self.said)
        column.addWidget(self.maps)
        judging, answering = QWidget(), QWidget()
        lines = QVBoxLayout(judging)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        lines.addLayout(_row(*self.verdicts.values(), None))
        self.label.setMinimumWidth(120)
        line = _row(self.note, self.tags, self.label)
        line.setStretch(0, 2)
        line.setStretch(1, 1)
        lines.addLayout(line)
        self.blind = QLabel()
        self.blind.setProperty("role", "quiet")
        self.clear = _small("Clear marks", "Forget the marks drawn on this image")
        lines = QVBoxLayout(answering)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(8)
        lines.addLayout(_row(*self.answers.values(), None))
        lines.addLayout(_row(self.blind, None, self.clear))
        self.stack = QStackedWidget()
        self.stack.addWidget(judging)
        self.stack.addWidget(answering)
        self.stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        column.addWidget(self.stack)

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self.went.emit(-1))
        self.forth.clicked.connect(lambda: self.went.emit(1))
        self.undo.clicked.connect(self.undone)
        self.redo.clicked.connect(self.redone)
        self.read.clicked.connect(self.reading_asked)
        self.clear.clicked.connect(self.marks_cleared)
        self.heat.clicked.connect(self.map_asked)
        self.label.activated.connect(lambda _: self._relabel())
        for line, said in ((self.note, self.noted), (self.tags, self.tagged)):
            line.editingFinished.connect(lambda line=line, said=said: self._written(line, said))
            line.installEventFilter(self)

    def _written(self, line: QLineEdit, said) -> None:
        if line.isModified():
            line.setModified(False)
            said.emit(line.text())

    def finish_writing(self) -> None:
        """Keep what is written and not yet kept: the reader goes to another case."""
        self._written(self.note, self.noted)
        self._written(self.tags, self.tagged)

    def eventFilter(self, line, event) -> bool:
        """Give the keys back to the window with Enter or Esc."""
        if event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key == Qt.Key.Key_Escape:
                line.undo()
                line.setModified(False)
            if key in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.finish_writing()
                self.back.parentWidget().setFocus()
                return True
        return super().eventFilter(line, event)

    def offer_labels(self) -> None:
        """Open the list of what the label should be, for the arrow keys and Enter."""
        if self.label.isVisible():
            self.label.showPopup()

    def corrected(self, verdict: str) -> str:
        """Return the label that goes with a verdict: of a wrong one what is chosen, else empty."""
        return self.label.currentData() or "" if verdict == "label wrong" else ""

    def _relabel(self) -> None:
        if self.label.currentData():
            self.judged.emit("label wrong", self.label.currentData())

    # Showing

    def name_keys(self, bindings: Bindings) -> None:
        """Write the keys of the window's actions beside what they do."""
        for name, button in self.verdicts.items():
            key = bindings.first(VERDICT_ACTIONS[name])
            button.setText(f"{SHORT.get(name, name.capitalize())}   {key}".rstrip())
            button.setToolTip(f"{name.capitalize()}{_in_brackets(key)}; once more takes it back")
        keys = {number: bindings.first(f"audit_answer_{number}") for number in self.answers}
        for number, button in self.answers.items():
            own = "" if keys[number] == str(number) else f"   {keys[number]}"
            button.setText(f"{number}   {ASSESSMENT_WORDS[number].capitalize()}{own}".rstrip())
        self._answer_keys = " ".join(key for key in keys.values() if key)
        for button, words, name in (
            (self.back, "Previous case", "back"),
            (self.forth, "Next case", "next"),
            (self.heat, "The model's own map over the image", "map"),
        ):
            button.setToolTip(words + _in_brackets(bindings.first(f"audit_{name}")))
        self.note.setPlaceholderText(f"Note {_in_brackets(bindings.first('audit_note'))}".rstrip())
        key = _in_brackets(bindings.first("audit_relabel"))
        self.label.setToolTip(
            f"With “label wrong”: what it should be{key}; the data set's label stays as it is"
        )

    def present(self, state: AuditState, own: CaseVerdict | None) -> None:
        """Show the case on screen and what this reader said of it."""
        row, sheet = state.current, state.sheet
        self.setEnabled(row is not None and sheet is not None)
        if row is None or sheet is None:
            self.title.setText("No case")
            for part in (self.outcome, self.place):
                part.setText("")
            self.facts.write("")
            self.said.write("")
            return
        given = "" if state.hidden(row) else sheet.table.rows[row].label
        self._offer_labels(tuple(word for word in sheet.table.label.words if word != given))
        self.title.setText(sheet.table.rows[row].image_id)
        code = int(sheet.outcome[row])
        hides = state.hidden(row)
        self.outcome.setText("" if hides else wording.outcome(code))
        self.outcome.setToolTip("" if hides else wording.MEANINGS[code])
        colour = f"color: {wording.COLOURS[code]};"
        if self.outcome.styleSheet() != colour:
            self.outcome.setStyleSheet(colour)
        place = "not in the list" if state.place is None else f"{state.place + 1} of {len(state.queue)}"
        self.place.setText(place)
        for part, text in zip((self.facts, self.said), facts_of(state, row), strict=True):
            part.write(text)
        self._present_words(row, own)
        for button, what in ((self.undo, state.undo), (self.redo, state.redo)):
            button.setEnabled(bool(what))
            button.setToolTip(what or "Nothing")
        self._present_blinded(state, row)

    def present_maps(self, state: MapsState) -> None:
        """Say what is to be said of heat maps, and whether they are on."""
        self.heat.setChecked(state.wanted and not state.waits)
        self.maps.present(state)

    def _present_words(self, row: int, own: CaseVerdict | None) -> None:
        for name, button in self.verdicts.items():
            button.setChecked(own is not None and own.verdict == name)
        corrected = own.label if own is not None else ""
        self.label.setCurrentIndex(max(0, self.label.findData(corrected)))
        for line, text in (
            (self.note, own.note if own else ""),
            (self.tags, ", ".join(own.tags) if own else ""),
        ):
            if row != self._row or not line.isModified():
                if line.text() != text:
                    line.setText(text)
                line.setModified(False)
        self._row = row

    def _present_blinded(self, state: AuditState, row: int) -> None:
        blinded = state.blinded
        waits = blinded is not None and state.hidden(row)
        self.stack.setCurrentIndex(1 if waits else 0)
        self.read.setVisible(blinded is None)
        if blinded is not None:
            done = len(blinded.rows) - len(blinded.left)
            keys = f"Keys {self._answer_keys}; d" if self._answer_keys else "D"
            self.blind.setText(
                f"{done} of {len(blinded.rows)} answered. {keys}raw a mark with the left button."
            )

    def _offer_labels(self, words: tuple[str, ...]) -> None:
        """Offer these labels; the list stays as it is, maybe open, where they are the same."""
        if words == self._offered:
            return
        self._offered = words
        self.label.clear()
        self.label.addItem("should be …", "")
        for word in words:
            if word:
                self.label.addItem(word, word)


def _in_brackets(key: str) -> str:
    return f" ({key})" if key else ""


def _small(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAccessibleName(tip if len(text) < 2 else text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _row(*parts: QWidget | None, stretch: int | None = None) -> QHBoxLayout:
    """Return a row of widgets; None is the room between, and `stretch` the part that takes what is left."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    if stretch is not None:
        row.setStretch(stretch, 1)
    return row

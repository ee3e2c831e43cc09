"""What is said of one finding: breast, kind, descriptors, size, place, words."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QMenu, QPushButton, QWidget

from app.core.reading.lexicon import Lexicon, Term, text_of
from app.core.reading.report import ReportFinding
from app.ui.panels.report.choices import ChoiceRow, ListChoice
from app.ui.panels.report.fields import LineField

NONE: Final = "–"
"""Stands for nothing said in a list of choices."""


class FindingEditor(QWidget):
    """Emits `changed` with the finding and what was changed; `link`, `jump` and `removed` with its uid."""

    changed = Signal(object, str)
    wrong = Signal(str)
    link = Signal(str)
    jump = Signal(str)
    removed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._finding = ReportFinding("")
        self._lexicon: Lexicon | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.breast = ChoiceRow("Breast of the finding")
        self.breast.offer((("R", "right breast"), ("L", "left breast")))
        self.breast.chosen.connect(lambda code: self._set("breast", laterality=code))
        self.kind = self._combo("Kind of finding", lambda code: self._set("kind", kind=code, descriptors=()))
        self.groups: dict[str, QComboBox] = {}
        self._labels: list[QWidget] = []
        self.stops: tuple[QWidget, ...] = ()
        self.associated = QPushButton(NONE)
        self.associated.setAccessibleName("Associated features")
        self.associated.setProperty("role", "list")
        self._features = QMenu(self.associated)
        self.associated.setMenu(self._features)
        self.size = LineField("Size in millimetres", "mm")
        self.size.committed.connect(lambda text: self._number("size", text))
        self.depth = self._combo("Depth", lambda code: self._set("depth", depth=code))
        self.nipple = LineField("Distance to the nipple in millimetres", "mm")
        self.nipple.committed.connect(lambda text: self._number("nipple", text))
        self.region = self._combo(
            "Quadrant", lambda code: self._set("quadrant", region=code, estimated=False)
        )
        self.clock = self._combo("Clock face", self._hour)
        self.text = LineField("Own words on the finding", "own words")
        self.text.committed.connect(lambda text: self._set("words", text=text))
        self.note = QLabel()
        self.note.setProperty("role", "quiet")
        self.note.setWordWrap(True)
        self._lay()

    def _lay(self) -> None:
        self._fixed: list[tuple[str, QWidget]] = [
            ("Breast", self.breast),
            ("Kind", self.kind),
            ("With", self.associated),
            ("Size, mm", self.size),
            ("Depth", self.depth),
            ("Nipple, mm", self.nipple),
            ("Quadrant", self.region),
            ("Clock", self.clock),
            ("Words", self.text),
        ]
        self.buttons = QWidget()
        line = QHBoxLayout(self.buttons)
        line.setContentsMargins(0, 4, 0, 0)
        line.setSpacing(4)
        for text, tip, signal in (
            (
                "Link mark",
                "Give the selected mark to this finding (CC and MLO make the quadrant), or read it anew",
                self.link,
            ),
            ("Show", "Show the finding's mark", self.jump),
            ("Remove", "Take the finding out of the report; its marks stay", self.removed),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self._finding.uid))
            line.addWidget(button)

    def _combo(self, name: str, taken) -> QComboBox:
        box = ListChoice(name)
        box.activated.connect(lambda _: taken(box.currentData()))
        return box

    def present(self, finding: ReportFinding, lexicon: Lexicon) -> None:
        """Show a finding in the words of a lexicon."""
        anew = finding.uid != self._finding.uid
        before, self._finding = self._finding, finding
        if lexicon is not self._lexicon or before.kind != finding.kind or not self.groups:
            self._lexicon = lexicon
            self._rebuild(finding, lexicon)
        self.breast.present(finding.laterality)
        _choose(self.kind, finding.kind)
        for code, box in self.groups.items():
            _choose(box, finding.term(code))
        for action in self._features.actions():
            action.setChecked(action.data() in finding.associated)
        words = [text_of(lexicon.associated, code) for code in finding.associated]
        self.associated.setText(", ".join(words) or NONE)
        self.size.present(_millimetres(finding.size_mm), anew=anew)
        self.nipple.present(_millimetres(finding.nipple_mm), anew=anew)
        self.text.present(finding.text, anew=anew)
        _choose(self.depth, finding.depth)
        _choose(self.region, finding.region)
        _choose(self.clock, finding.clock)
        self.note.setText(_note(finding))
        self.note.setVisible(bool(self.note.text()))

    def commit(self) -> None:
        """Keep what is being typed."""
        for each in (self.size, self.nipple, self.text):
            each.commit()

    def _rebuild(self, finding: ReportFinding, lexicon: Lexicon) -> None:
        """Lay the rows out anew: another kind has other descriptors."""
        for old in (*self._labels, *self.groups.values()):
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        kind = lexicon.kind(finding.kind)
        self.groups = {}
        for group in kind.groups if kind else ():
            box = self._combo(
                f"{kind.text}: {group.text}", lambda term, code=group.code: self._say(code, term)
            )
            _fill(box, group.terms)
            self.groups[group.code] = box
        extra = [
            (group.text.capitalize(), self.groups[group.code]) for group in (kind.groups if kind else ())
        ]
        _fill(self.kind, tuple(Term(each.code, each.text) for each in lexicon.kinds), needed=True)
        _fill(self.depth, lexicon.depths)
        _fill(self.region, lexicon.regions)
        self.clock.clear()
        self.clock.addItem(NONE, None)
        for hour in range(1, 13):
            self.clock.addItem(f"{hour} o'clock", hour)
        self._features.clear()
        for term in lexicon.associated:
            action = self._features.addAction(term.text)
            action.setCheckable(True)
            action.setData(term.code)
            action.triggered.connect(lambda _=False, code=term.code: self._toggle(code))
        rows = [*self._fixed[:2], *extra, *self._fixed[2:]]
        self._labels = []
        buttons = self.buttons.findChildren(QPushButton)
        self.stops = (*(widget for _, widget in rows), *buttons)
        for number, (name, widget) in enumerate(rows):
            label = QLabel(name)
            label.setProperty("role", "quiet")
            label.setBuddy(widget)
            self._labels.append(label)
            self._grid.addWidget(label, number, 0)
            self._grid.addWidget(widget, number, 1)
        self._grid.addWidget(self.note, len(rows), 0, 1, 2)
        self._grid.addWidget(self.buttons, len(rows) + 1, 0, 1, 2)

    # What the reader says

    def _set(self, what: str, **fields: object) -> None:
        self.changed.emit(replace(self._finding, **fields), f"report: {what}")  # type: ignore[arg-type]

    def _say(self, group: str, term: str) -> None:
        self.changed.emit(self._finding.described(group, term), f"report: {group}")

    def _toggle(self, code: str) -> None:
        old = self._finding.associated
        news = tuple(each for each in old if each != code) if code in old else (*old, code)
        self._set("associated features", associated=news)

    def _hour(self, hour: int | None) -> None:
        self._set("clock face", clock=hour, estimated=False)

    def _number(self, which: str, text: str) -> None:
        """Keep a length written by hand; what is no number goes back, with a sentence."""
        words = text.lower().removesuffix("mm").strip().replace(",", ".")
        try:
            value = float(words) if words else None
        except ValueError:
            value = -1.0
        if value is not None and not 0 <= value < 1000:
            self.wrong.emit(f"{text!r} is no length in millimetres.")
            field = self.size if which == "size" else self.nipple
            old = self._finding.size_mm if which == "size" else self._finding.nipple_mm
            field.present(_millimetres(old), anew=True)
        elif which == "size":
            self._set("size", size_mm=value, size_basis="", size_of="")
        else:
            self._set("distance to the nipple", nipple_mm=value, nipple_basis="")


def _fill(box: QComboBox, terms: tuple[Term, ...], *, needed: bool = False) -> None:
    box.clear()
    if not needed:
        box.addItem(NONE, "")
    for term in terms:
        box.addItem(term.text, term.code)


def _choose(box: QComboBox, code: object) -> None:
    """Show a code; one that the lexicon lacks is added, never dropped."""
    found = next((row for row in range(box.count()) if box.itemData(row) == code), -1)
    if found < 0:
        box.addItem(str(code), code)
        found = box.count() - 1
    box.setCurrentIndex(found)


def _millimetres(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}".removesuffix(".0")


def _note(finding: ReportFinding) -> str:
    """Return where the numbers come from: the plane of the millimetres, and what is only estimated."""
    parts = []
    if finding.size_basis:
        parts.append(f"size {finding.size_basis}")
    if finding.nipple_basis:
        parts.append(f"nipple {finding.nipple_basis}")
    if finding.estimated:
        parts.append("quadrant and clock estimated from two views" if finding.clock else "half of one view")
    return "; ".join(parts)

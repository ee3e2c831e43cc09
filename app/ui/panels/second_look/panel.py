"""The right panel: model cards, findings by view, what is drawn over the image."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.core.reading.findings import Evidence, Finding, ModelFacts, SecondLook
from app.services import maps
from app.services.marking import answer_to
from app.services.state import OverlayState, ScreenState
from app.ui import wording
from app.ui.panels.second_look.answer_line import AnswerLine
from app.ui.panels.second_look.findings_list import Entry, FindingsList
from app.ui.panels.second_look.map_controls import MapControls
from app.ui.panels.second_look.model_card import ModelCard
from app.ui.panels.second_look.tested_line import TestedLine
from app.ui.thumbnails import Thumbnails

ROOM: Final = 168
"""Logical pixels that answers and findings keep however much stands below them."""


class SecondLookPanel(QWidget):
    """Always says which models, the state of each, and that this is for research.

    Signals: `wanted`, to be brought to the front; `titled`, its name with the number of findings.
    """

    SIDE = "right"
    STRETCH = 1
    TITLE = "Second look"
    wanted = Signal()
    titled = Signal(str)

    def __init__(self, session, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self._cards: list[ModelCard] = []
        self._models: tuple[ModelFacts, ...] = ()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 12, 0, 8)
        outer.setSpacing(8)
        outer.addLayout(self._head())
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setMinimumHeight(ROOM)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        self._title = _padded(QLabel("Findings by view"), "section")
        self.findings = FindingsList()
        self.findings.chosen.connect(lambda key, finding: session.jump_to(key, finding.box))
        listed = QVBoxLayout()
        listed.setSpacing(4)
        listed.addWidget(self._title)
        listed.addWidget(self.findings)
        self.answers = AnswerLine()
        self.answers.chosen.connect(self.answer)
        self.findings.answered.connect(self._answered)
        self.findings.currentItemChanged.connect(lambda *_: self._offer_answers())
        listed.addWidget(self.answers)
        column.addLayout(listed)  # what there is to look at comes before what the models are
        self._column = QVBoxLayout()
        self._column.setSpacing(20)
        column.addLayout(self._column)
        column.addStretch(1)
        area.setWidget(inside)
        self._area, self._inside = area, inside
        outer.addWidget(area, 1)
        rule = QFrame()
        rule.setObjectName("rule")
        outer.addWidget(rule)
        self.controls = MapControls()
        self.controls.changed.connect(lambda name, value: session.set_overlay(**{name: value}))
        self.controls.owner_chosen.connect(lambda model: session.show_heat_map(True, model))
        outer.addWidget(self.controls)
        self.native = _padded(QLabel(), "quiet")
        outer.addWidget(self.native)
        self.tested = TestedLine()
        self.tested.wanted.connect(lambda model: session.show_heat_map(True, model))
        outer.addWidget(self.tested)
        outer.addWidget(_padded(QLabel(f"{wording.RESEARCH}. Not for diagnosis."), "quiet"))
        session.looks_changed.connect(self.present)
        session.screen_changed.connect(self._screened)
        session.overlay_changed.connect(self._overlaid)
        session.work.changed.connect(lambda _: self._list(session.looks))
        self._overlaid(session.overlay)
        self.present(session.looks)

    def _head(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setContentsMargins(16, 0, 16, 0)
        self.empty = QLabel("Not run. Run asks the reading set about this study.")
        self.empty.setProperty("role", "quiet")
        self.empty.setWordWrap(True)
        self.run = QPushButton("Run")
        self.run.setToolTip("Run the reading set on this study")
        self.run.clicked.connect(lambda: self._session.analyse())
        self.stop = QPushButton("Cancel")
        self.stop.clicked.connect(lambda: self._session.cancel_analysis())
        line.addWidget(self.empty, 1)
        line.addWidget(self.run)
        line.addWidget(self.stop)
        return line

    def present_models(self, models: tuple[ModelFacts, ...]) -> None:
        """Say which models would be asked, before any of them is."""
        self._models = models
        self.present(self._session.looks)

    def present(self, looks: tuple[SecondLook, ...]) -> None:
        """Show the answers of the reading set."""
        looks = _answers_first(looks) or tuple(SecondLook("", model, "not run") for model in self._models)
        while len(self._cards) < len(looks):
            card = ModelCard()
            self._cards.append(card)
            self._column.addWidget(card)
        for number, card in enumerate(self._cards):
            card.setVisible(number < len(looks))
            if number < len(looks):
                card.present(looks[number], self._session.overlay.score_threshold)
        running = any(look.state == "running" for look in looks)
        fresh = all(look.state == "not run" for look in looks)
        self.empty.setVisible(fresh)
        self.stop.setVisible(running)
        self.run.setVisible(all(look.state in ("not run", "failed") for look in looks))
        self.run.setEnabled(self._session.screen.study is not None)
        self._list(looks)
        for part in (self._title, self.findings):
            part.setVisible(self.findings.count() > 0)
        count = sum(len(look.findings) for look in looks)
        self.titled.emit(f"{self.TITLE}  {count}" if count else self.TITLE)
        self._tell_of_maps(looks)

    def _list(self, looks: tuple[SecondLook, ...]) -> None:
        self.findings.present(looks, self._session.overlay.score_threshold, self._decided)
        self._offer_answers()

    def _decided(self, key: tuple[str, str], finding: Finding, model: str, version: str) -> str:
        image = self._session.library.image(key)
        state = self._session.work.state
        found = answer_to(state, image, finding, model, version) if image is not None else None
        return found.decision or "" if found is not None else ""

    def _offer_answers(self) -> None:
        entry = self.findings.current
        self.answers.present(entry.decision if entry is not None else None)

    def answer(self, decision: str) -> bool:
        """Answer the finding that is chosen; tell whether one is."""
        entry = self.findings.current
        if entry is not None:
            self._answered(entry, decision)
        return entry is not None

    def _answered(self, entry: Entry, decision: str) -> None:
        """Keep an answer; an empty one is taken back."""
        image, finding = self._session.library.image(entry.key), entry.finding
        if image is None or finding is None:
            return
        given = (image, finding, entry.model, entry.version)
        if not decision:
            self._session.marking.withdraw(*given)
            return
        self._session.marking.answer(*given, decision)
        if decision == "corrected":
            self._session.set_overlay(marks=True)
            self._session.jump_to(entry.key, finding.box, finding.frame)
            self._session.message.emit("Drag the handles of the box, or name it anew (F2).")

    def _screened(self, screen: ScreenState) -> None:
        self.run.setEnabled(screen.study is not None)

    def step(self, by: int) -> None:
        """Jump to the next or previous finding."""
        self.wanted.emit()
        if not self.findings.step(by):
            self._session.message.emit("No finding is listed.")
            return
        QTimer.singleShot(0, self, self._reveal)  # once what is below the list has its place

    def choose(self, key: tuple[str, str], finding: Finding) -> None:
        """Make a finding the one that answers are for; the images stay where they are."""
        if self.findings.choose(key, finding):
            self.wanted.emit()
            QTimer.singleShot(0, self, self._reveal)

    def _reveal(self) -> None:
        """Scroll to the finding that is chosen, and to the answers."""
        place = self.findings.visualItemRect(self.findings.currentItem()).center()
        at = self.findings.mapTo(self._inside, place)
        self._area.ensureVisible(at.x(), at.y(), 0, 28)
        self._area.ensureWidgetVisible(self.answers, 0, 8)

    def _overlaid(self, overlay: OverlayState) -> None:
        self.controls.present(overlay)
        looks = self._session.looks
        self._list(looks)
        for card, look in zip(self._cards, _answers_first(looks), strict=False):
            card.present(look, overlay.score_threshold)
        self._tell_of_maps(looks)

    def _tell_of_maps(self, looks: tuple[SecondLook, ...]) -> None:
        """Say whose map is drawn and how coarse it is, or that it waits for the reader to ask."""
        asked = self._session.overlay.map_of
        shown, mixed = maps.owner(looks, asked), maps.mixed(looks, asked)
        self.controls.present_owners(maps.owners(looks), shown, mixed=mixed, rejected=maps.rejected(looks))
        self.tested.present(looks, asked)
        words = map_words(looks, asked)
        self.native.setText(words)
        self.native.setVisible(bool(words))


def _answers_first(looks: tuple[SecondLook, ...]) -> tuple[SecondLook, ...]:
    """Return the looks, those of models that were not made for this study last."""
    return tuple(sorted(looks, key=lambda look: look.state in ("declined", "outside its training domain")))


def map_words(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return what is to be said of the heat maps of some looks; empty where there are none."""
    if maps.hidden(looks, asked):
        return ""  # said beside Show anyway
    if maps.held_back(looks, asked):
        return "Outside its training domain a model's heat map is drawn only on request (Heat map)."
    owner = maps.owner(looks, asked)
    for look in looks:
        for view in look.views:
            if look.model.name == owner and view.evidence is not None:
                return f"{owner}: {native_words(view.evidence)}"
    return ""


def native_words(evidence: Evidence) -> str:
    """Return what a heat map is and how coarse on its native grid."""
    rows, columns = evidence.values.shape
    step = (abs(evidence.affine[0, 0]) + abs(evidence.affine[0, 1])) or 1.0
    kind = wording.MAPS.get(evidence.method, evidence.method)
    return f"{kind}, {columns} × {rows} cells, one per {step:.0f} image pixels; evidence, not an outline"


def _padded(label: QLabel, role: str) -> QLabel:
    label.setProperty("role", role)
    label.setWordWrap(True)
    label.setContentsMargins(16, 0, 16, 0)
    return label

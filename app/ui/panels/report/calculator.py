"""The calculator below a finding: its descriptors weighed, group by group."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QLineF, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.core.reading.opinion import Opinion, Share
from app.ui import theme, wording
from app.ui.fold import Fold
from app.ui.panels.report.fields import LineField

REACH: Final = 4.0
"""Log-odds at the ends of a bar."""
USUAL: Final = 2.0
"""Per cent: the chance of cancer before the descriptors, until the reader says another."""


class ShareBar(QWidget):
    """One share as a bar from the middle: left against cancer, right for it; the line is its interval."""

    def __init__(self, share: Share) -> None:
        super().__init__()
        self._share = share
        self.setFixedHeight(16)
        self.setMinimumWidth(64)
        way = "for" if share.log_odds > 0 else "against"
        self.setAccessibleName(f"{share.title}: {abs(share.log_odds):.1f} {way} cancer")
        self.setToolTip(f"{share.log_odds:+.2f} log-odds ({share.low:+.2f} to {share.high:+.2f})")

    def sizeHint(self) -> QSize:
        return QSize(96, 16)

    def at(self, log_odds: float) -> float:
        """Return the x of a log-odds value in logical pixels."""
        return self.width() / 2 * (1 + max(-1.0, min(1.0, log_odds / REACH)))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        middle, y = self.width() / 2, self.height() / 2
        end = self.at(self._share.log_odds)
        painter.fillRect(QRectF(min(middle, end), y - 3, abs(end - middle), 6), QColor(theme.QUIET))
        painter.setPen(QPen(QColor(theme.TEXT), 1.0))
        if self._share.terms:
            painter.drawLine(QLineF(self.at(self._share.low), y, self.at(self._share.high), y))
        painter.setPen(QPen(QColor(theme.LINE), 1.0))
        painter.drawLine(QLineF(middle, 0, middle, self.height()))
        painter.end()


class CalculatorView(QWidget):
    """Shows an `Opinion`; `asked` after the reader changed what it is asked with."""

    asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._prevalence = USUAL
        self.before = LineField("Chance of cancer before the descriptors, per cent", "%")
        self.before.present(f"{USUAL:g}", anew=True)
        self.before.committed.connect(self._said)
        self.with_assessment = QCheckBox("with the assessment")
        self.with_assessment.toggled.connect(lambda _: self.asked.emit())
        self.figure = _label("figure", wrap=False)
        self.meaning, self.notes = _label("quiet"), _label("quiet")
        self._shares = QGridLayout()
        self._shares.setHorizontalSpacing(8)
        self._shares.setVerticalSpacing(2)
        self._shares.setColumnStretch(1, 1)
        self._parts: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        body = QWidget()
        lines = QVBoxLayout(body)
        lines.setContentsMargins(0, 4, 0, 8)
        lines.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(_label("quiet", "Before, %", wrap=False))
        head.addWidget(self.before)
        head.addWidget(self.with_assessment)
        lines.addLayout(head)
        lines.addWidget(self.figure)
        lines.addWidget(self.meaning)
        lines.addLayout(self._shares)
        lines.addWidget(self.notes)
        self.fold = Fold("Calculator", body)
        self.fold.head.toggled.connect(lambda _: self.asked.emit())
        column.addWidget(self.fold)
        self.hide()

    @property
    def is_open(self) -> bool:
        """Whether an opinion is wanted."""
        return self.fold.head.isChecked()

    @property
    def prevalence(self) -> float:
        """The chance of cancer before the descriptors, 0..1."""
        return self._prevalence / 100

    def present(self, opinion: Opinion | None) -> None:
        """Show an opinion; None: no model knows such a finding as far as it is described."""
        for part in self._parts:
            self._shares.removeWidget(part)
            part.hide()
            part.deleteLater()
        self._parts = []
        said = opinion is not None and not opinion.refused
        self.figure.setVisible(said)
        self.notes.setVisible(said)
        if opinion is None:
            self.meaning.setText("No model knows this finding as far as it is described.")
        elif opinion.refused:
            self.meaning.setText(opinion.refused)
        else:
            self._tell(opinion)

    def _tell(self, opinion: Opinion) -> None:
        self.figure.setText(percent(opinion.probability))
        self.meaning.setText(
            f"{percent(opinion.low)} to {percent(opinion.high)}, probability of {opinion.of}, "
            f"with {percent(opinion.prevalence)} before"
        )
        for row, share in enumerate(opinion.shares):
            name = _label("quiet", share.title)
            terms = _label("", ", ".join(share.terms) or "not given")
            if not share.terms:
                terms.setProperty("role", "quiet")
            parts = (name, terms, ShareBar(share))
            for place, part in enumerate(parts):
                self._shares.addWidget(part, row, place)
            self._parts += parts
        who = f"{opinion.model} {opinion.version}."
        self.notes.setText(" ".join((who, *opinion.notes, f"{wording.RESEARCH}.")))

    def _said(self, text: str) -> None:
        """Take a number between 0 and 100; put back what was there for anything else."""
        try:
            value = float(text.replace(",", ".").rstrip(" %"))
        except ValueError:
            value = 0.0
        if 0.001 <= value <= 99.9:
            self._prevalence = value
            self.asked.emit()
        self.before.present(f"{self._prevalence:g}", anew=True)


def percent(part: float) -> str:
    """Return a part of 1 in per cent with two significant digits: ``0.24 %``, ``24 %``."""
    value = 100 * part
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %" if value >= 1 else f"{value:.2g} %"


def _label(role: str, text: str = "", *, wrap: bool = True) -> QLabel:
    made = QLabel(text)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    return made

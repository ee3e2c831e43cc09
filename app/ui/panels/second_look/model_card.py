"""One model's answer: which model, its state, its score and what that score is of."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.core.reading.findings import SecondLook
from app.ui import theme, wording

AMBER: Final = ("failed", "partly failed", "outside its training domain", "declined")
"""States that stand in an amber banner."""


def text_label(role: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label with a role of the style sheet."""
    made = QLabel()
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return made


def score_sentence(look: SecondLook) -> str:
    """Return what the big number is, in words: of what, calibrated or not."""
    is_probability = look.model.calibrated and look.state != "outside its training domain"
    kind = "probability" if is_probability else "score, not a probability"
    return f"{kind} of {look.model.score_of}"


def facts_of(look: SecondLook) -> tuple[tuple[str, str], ...]:
    """Return the facts that always stand below a score, as (name, text)."""
    model = look.model
    if not model.version:  # a model that could not be found has no facts
        return ()
    rows: list[tuple[str, str]] = []
    if look.exam_score is None:  # else it stands beside the number
        rows.append(("Score", score_sentence(look)))
    if look.exam_score is not None:
        rank = wording.percentile(look.exam_score, model.negatives)
        if rank is not None:
            rows.append(("Rank", f"higher than {rank:.0f} % of negatives (each one {model.unit})"))
    by_side = sorted(look.breasts, key=lambda breast: breast[0] != "R")
    breasts = [f"{side} {score:.2f}" for side, score in by_side if score is not None]
    if breasts:
        rows.append(("Breasts", "   ".join(breasts)))
    rows += class_rows(look)
    if model.operating_point is not None:
        threshold, meaning = model.operating_point
        rows.append(("Operates at", f"{threshold:.2f}: {meaning}"))
    else:
        rows.append(("Operates at", "no operating point stated"))
    prevalence = "not stated" if model.prevalence is None else f"{100 * model.prevalence:.3g} % positive"
    rows.append(("Prevalence", prevalence))
    rows.append(("Trained on", model.trained_on or "not stated"))
    rows.append(("Licence", f"{model.licence}, {model.use}" if model.use else model.licence))
    return tuple(rows)


def class_rows(look: SecondLook) -> list[tuple[str, str]]:
    """Return what a model says of each breast's classes, right before left; one line where both are alike."""
    of = look.model.classes_of
    by_side = sorted(look.breast_classes, key=lambda breast: breast[0] != "R")
    said = {side: ", ".join(f"{name} {chance:.2f}" for name, chance in chances) for side, chances in by_side}
    if len(said) == 2 and len(set(said.values())) == 1:
        return [(of.capitalize(), next(iter(said.values())))]
    return [(f"{of.capitalize()} {side}", words) for side, words in said.items()]


def banner_text(look: SecondLook, headline: str) -> str:
    """Return the amber words: the headline and every reason, or an empty string."""
    if look.state not in AMBER:
        return ""
    told = [remark for remark in look.remarks if remark not in quiet_remarks(look)]
    # A remark already gathers the views that it holds for.
    views = [view for view in look.views if view.reason and not any(view.reason in each for each in told)]
    told += dict.fromkeys(f"{view.label}: {view.reason}" for view in views)
    return "\n".join([headline, *told])


def quiet_remarks(look: SecondLook) -> tuple[str, ...]:
    """Return the remarks that are no reason for an amber state: which device ran it, for example."""
    if look.state not in AMBER or not look.views:
        return () if look.state in AMBER else look.remarks
    reasons = [view.reason for view in look.views if view.reason]
    return tuple(each for each in look.remarks if not any(reason in each for reason in reasons))


class ModelCard(QWidget):
    """Shows one `SecondLook`; `present` replaces what differs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 0, 16, 0)
        column.setSpacing(4)
        self.name = text_label("strong")
        self.state = text_label()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.banner = text_label("banner")
        self.figure = text_label("figure", wrap=False)
        self.meaning = text_label("quiet")
        self.remarks = text_label("quiet")
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self.figure, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.meaning, 1, Qt.AlignmentFlag.AlignVCenter)
        column.addWidget(self.name)
        column.addWidget(self.state)
        column.addWidget(self.bar)
        column.addWidget(self.banner)
        column.addLayout(line)
        self._facts = QGridLayout()
        self._facts.setContentsMargins(0, 4, 0, 0)
        self._facts.setHorizontalSpacing(12)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        column.addLayout(self._facts)
        column.addWidget(self.remarks)
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._shown: tuple[SecondLook, float] | None = None

    def present(self, look: SecondLook, threshold: float = 0.0) -> None:
        """Show one look; findings below the reader's `threshold` are said not to be shown."""
        if self._shown is not None and self._shown[0] is look and self._shown[1] == threshold:
            return
        self._shown = (look, threshold)
        headline = wording.headline(look, threshold)
        self.name.setText(f"{look.model.name} {look.model.version}")
        self.setAccessibleName(f"{look.model.name}: {headline}")
        banner = banner_text(look, headline)
        self.banner.setText(banner)
        self.banner.setVisible(bool(banner))
        self.state.setText(headline + (f" on {look.device}" if look.state == "running" else ""))
        self.state.setVisible(not banner)
        done, total = look.progress
        self.bar.setVisible(look.state == "running")
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        has_score = look.exam_score is not None
        self.figure.setVisible(has_score)
        self.meaning.setVisible(has_score)
        if look.exam_score is not None:
            self.figure.setText(f"{look.exam_score:.2f}")
            self.meaning.setText(score_sentence(look))
        self._fill(facts_of(look))
        remarks = quiet_remarks(look)
        self.remarks.setText("\n".join(remarks))
        self.remarks.setVisible(bool(remarks))

    def _fill(self, facts: tuple[tuple[str, str], ...]) -> None:
        while len(self._rows) < len(facts):
            name, text = text_label("quiet", wrap=False), text_label()
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            row = len(self._rows)
            self._facts.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(text, row, 1)
            self._rows.append((name, text))
        for number, (name, text) in enumerate(self._rows):
            shown = number < len(facts)
            name.setVisible(shown)
            text.setVisible(shown)
            if shown:
                name.setText(facts[number][0])
                text.setText(facts[number][1])
        self._facts.setColumnMinimumWidth(0, 19 * theme.UNIT)

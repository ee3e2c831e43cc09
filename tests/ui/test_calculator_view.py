"""The calculator below a finding: asked when it is open, with the reader's own chance before."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtTest import QTest
from ui_desk import study_of

from app.core.reading.opinion import Opinion, Share
from app.ui.panels.report.calculator import ShareBar, percent

SHARES = (Share("Shape", ("Oval",), -2.0, -3.0, -1.0), Share("Margin", (), 0.0, 0.0, 0.0))


class Sage(QObject):
    """Descriptor models that say what they are told and keep what they were asked."""

    ready = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple] = []
        self.answer: Opinion | None = Opinion(
            "m", "1.0", "cancer", 0.0024, 0.0014, 0.0038, 0.02, 0.4, SHARES, ("Trained on films.",)
        )

    def opinion(self, *question):
        self.asked.append(question)
        return self.answer


@pytest.fixture
def asked(desk):
    """A report with one finding open, and the sage behind it."""
    desk.open(study_of())
    panel = desk.window.report
    panel.wanted.emit()
    sage = Sage()
    panel.advise(sage)
    panel.add_finding(False)
    return panel, sage


def test_nothing_is_asked_until_it_is_opened(asked):
    panel, sage = asked
    view = panel.findings.calculator
    assert view.isVisible()
    assert sage.asked == []
    view.fold.head.click()
    assert len(sage.asked) == 1
    assert view.figure.text() == "0.24 %"
    assert "0.14 % to 0.38 %" in view.meaning.text()
    assert "with 2.0 % before" in view.meaning.text()
    assert "Trained on films." in view.notes.text()
    assert "Research use only" in view.notes.text()


def test_it_is_asked_with_what_the_report_says(asked):
    panel, sage = asked
    view = panel.findings.calculator
    view.fold.head.click()
    panel.reporting.change("density", density="c")
    panel.reporting.assess("right", "4B")
    uid = panel.findings.open_uid
    finding = panel.reporting.state.report.find(uid)
    panel.reporting.put(finding.described("shape", "oval").__class__(uid, "R", "mass", (("shape", "oval"),)))
    last = sage.asked[-1]
    assert (last[0].term("shape"), last[1:]) == ("oval", ("c", "", 0.02))
    view.with_assessment.click()
    assert sage.asked[-1][1:] == ("c", "4B", 0.02)


@pytest.mark.parametrize(
    ("typed", "taken"), [("10", 0.1), ("0,5", 0.005), ("none", 0.02), ("100", 0.02), ("-3", 0.02)]
)
def test_the_chance_before_is_a_percentage_or_stays(asked, typed, taken):
    panel, _ = asked
    view = panel.findings.calculator
    view.fold.head.click()
    view.before.selectAll()
    QTest.keyClicks(view.before, typed)
    view.before.commit()
    assert view.prevalence == pytest.approx(taken)
    assert view.before.text() == f"{100 * taken:g}"


def test_a_refusal_and_a_silence_are_sentences(asked):
    panel, sage = asked
    view = panel.findings.calculator
    sage.answer = Opinion("m", "1.0", refused="m: shape 'x' is not known")
    view.fold.head.click()
    assert view.meaning.text() == "m: shape 'x' is not known"
    assert not view.figure.isVisible()
    sage.answer = None
    sage.ready.emit()
    assert "No model knows this finding" in view.meaning.text()


def test_bars_point_away_from_the_middle(qtbot):
    bar = ShareBar(SHARES[0])
    qtbot.addWidget(bar)
    bar.resize(80, 16)
    assert bar.at(0.0) == 40
    assert bar.at(-2.0) == 20  # half of the reach of 4
    assert bar.at(9.0) == 80
    assert "against cancer" in bar.accessibleName()


def test_percentages_have_two_digits():
    assert [percent(part) for part in (0.0024178, 0.0233, 0.239, 0.9)] == ["0.24 %", "2.3 %", "24 %", "90 %"]

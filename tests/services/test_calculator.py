"""A report's finding is put to the descriptor models in their words, and what they say comes back whole."""

from __future__ import annotations

import math

import pytest
from pytestqt.qtbot import QtBot

from app.core.reading.lexicon import load_lexicon
from app.core.reading.report import ReportFinding
from app.services.inference.calculator import Calculators, words_of

SPICULATED = ReportFinding("1", "R", "mass", (("shape", "irregular"), ("margin", "spiculated")))
BENIGN = ReportFinding("2", "L", "mass", (("shape", "oval"), ("margin", "circumscribed")))


@pytest.fixture
def calculators(qtbot: QtBot):
    made = Calculators()
    with qtbot.waitSignal(made.ready):
        assert made.opinion(SPICULATED, "", "", 0.1) is None  # they are being loaded
    yield made
    made.stop()


def test_prior_and_shares_add_up_to_the_probability(calculators) -> None:
    told = calculators.opinion(SPICULATED, "c", "", 0.1)
    total = math.log(0.1 / 0.9) + sum(share.log_odds for share in told.shares)
    assert told.probability == pytest.approx(1 / (1 + math.exp(-total)))
    assert told.low <= told.probability <= told.high
    assert (told.model, told.prevalence) == ("cbis-mass-descriptors", 0.1)


def test_a_spiculated_mass_weighs_for_cancer_and_a_circumscribed_one_against(calculators) -> None:
    bad, good = (calculators.opinion(each, "", "", 0.1) for each in (SPICULATED, BENIGN))
    assert bad.probability > 0.1 > good.probability
    assert [share.terms for share in good.shares[:2]] == [("Oval",), ("Circumscribed",)]


def test_what_is_not_said_adds_nothing(calculators) -> None:
    only = ReportFinding("3", "R", "mass", (("margin", "spiculated"),))
    told = calculators.opinion(only, "", "", 0.02)
    assert [(share.terms, share.log_odds) for share in told.shares if share.title != "Margin"] == [
        ((), 0.0)
    ] * 3


def test_every_descriptor_of_the_lexicon_gets_an_answer_or_a_sentence(calculators) -> None:
    lexicon = load_lexicon()
    for kind in ("mass", "calcifications"):
        for group in lexicon.kind(kind).groups:
            for term in group.terms:
                told = calculators.opinion(
                    ReportFinding("4", "R", kind, ((group.code, term.code),)), "b", "", 0.02
                )
                if group.code == "density":
                    assert told is None  # the density of the mass itself is in no table
                else:
                    assert 0 < told.probability < 1 or told.refused


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "4A", "4B", "4C", "5", "6", ""])
def test_every_assessment_is_taken_or_left_out(calculators, code: str) -> None:
    told = calculators.opinion(BENIGN, "", code, 0.02)
    assert told.refused == ""
    assert bool(told.shares[-1].terms) == (code not in ("", "1", "6"))


def test_other_kinds_are_asked_as_shapes_or_not_at_all() -> None:
    assert words_of(ReportFinding("5", kind="distortion"), "", "") == {"shape": "architectural-distortion"}
    focal = ReportFinding("6", kind="asymmetry", descriptors=(("type", "focal"),))
    assert words_of(focal, "d", "4B") == {
        "shape": "focal-asymmetry",
        "breast-density": "4",
        "assessment": "4",
    }
    assert words_of(ReportFinding("7", kind="duct"), "d", "2") == {}
    assert words_of(ReportFinding("8", kind="mass"), "d", "2") == {}

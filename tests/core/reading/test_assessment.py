"""Assessments by the action they call for; each contradiction is said, and goes when it is mended."""

from __future__ import annotations

from itertools import combinations

import pytest
from made_reports import finding, sound

from app.core.reading.assessment import assessed, contradictions, derived, overall
from app.core.reading.lexicon import load_lexicon

LEXICON = load_lexicon()
ORDER = ("1", "2", "3", "6", "0", "4A", "4B", "4C", "5")
"""By the action called for, as the field notes have it."""


def _codes(report, **facts):
    return [each.code for each in contradictions(report, LEXICON, **facts)]


@pytest.mark.parametrize(("less", "more"), list(combinations(ORDER, 2)))
def test_the_overall_assessment_is_the_one_that_calls_for_more(less, more):
    assert overall(sound(right=less, left=more), LEXICON) == more
    assert overall(sound(right=more, left=less), LEXICON) == more


def test_a_breast_without_a_statement_takes_the_other_one_s():
    assert derived(sound(right="", left="2"), LEXICON) == "2"
    assert derived(sound(right="", left=""), LEXICON) == ""


def test_the_reader_s_own_overall_assessment_stands():
    assert overall(sound(overall="0"), LEXICON) == "0"


def test_a_sound_report_contradicts_nothing():
    assert _codes(sound()) == []


MASS = (finding(),)
CASES = {
    "no-density": (sound(density=""), sound()),
    "finding-at-1": (sound(findings=MASS), sound(findings=MASS, right="2")),
    "3-at-screening": (
        sound(findings=MASS, right="3"),
        sound(findings=MASS, right="3", exam="diagnostic"),
    ),
    "without-action": (
        sound(findings=MASS, right="0", recommendation=" "),
        sound(findings=MASS, right="0", recommendation="Ultrasound."),
    ),
    "6-without-cancer": (
        sound(findings=MASS, right="6"),
        sound(findings=MASS, right="6", known_cancer=True),
    ),
    "no-statement": (sound(left=""), sound(left="2")),
    "overall-lower": (
        sound(findings=MASS, right="4A", overall="0"),
        sound(findings=MASS, right="4A", overall="4B"),
    ),
    "without-finding": (sound(right="5"), sound(right="5", findings=MASS)),
    "no-laterality": (
        sound(right="2", findings=(finding(laterality=""),)),
        sound(right="2", findings=MASS),
    ),
    "unknown": (sound(right="7"), sound(right="2")),
}


@pytest.mark.parametrize("code", CASES)
def test_a_contradiction_is_said_once_in_a_sentence_and_goes_when_mended(code):
    wrong, mended = CASES[code]
    said = contradictions(wrong, LEXICON)
    assert [each.code for each in said] == [code]
    assert said[0].sentence[0].isupper()
    assert said[0].sentence.endswith(".")
    assert _codes(mended) == []


@pytest.mark.parametrize("category", ["3", "4A", "4B", "4C", "5"])
def test_no_suspicion_without_a_finding(category):
    assert "without-finding" in _codes(sound(right=category, exam="diagnostic"))


@pytest.mark.parametrize("category", ["0", "3", "4A", "4B", "4C", "5", "6"])
def test_what_asks_for_an_action_must_say_which(category):
    facts = {"findings": MASS, "right": category, "exam": "diagnostic", "known_cancer": True}
    assert _codes(sound(**facts, recommendation="")) == ["without-action"]
    assert _codes(sound(**facts)) == []


def test_a_breast_that_was_not_imaged_needs_no_statement():
    assert _codes(sound(left=""), breasts=("R",)) == []
    assert _codes(sound(right=""), breasts=("R",)) == ["no-statement"]


def test_a_finding_in_a_breast_without_a_statement_is_said_even_where_it_was_not_imaged():
    assert _codes(sound(right="", findings=MASS), breasts=("L",)) == ["no-statement"]


def test_the_sentence_names_the_breast():
    said = contradictions(sound(findings=(finding(laterality="L"),)), LEXICON)
    assert said[0].sentence.startswith("Left breast")


def test_a_size_that_its_mark_no_longer_has_is_said():
    report = sound(right="2", findings=(finding(size_mm=12.0, size_of="a-1"),))
    assert _codes(report, measured={"a-1": 12.4}) == []
    assert _codes(report, measured={"a-1": 15.0}) == ["size-differs"]
    assert _codes(report, measured={"a-1": None}) == ["mark-gone"]
    assert _codes(report, measured={}) == []


def test_category_3_overall_alone_is_said_at_screening():
    assert _codes(sound(overall="3", right="2", left="2")) == ["3-at-screening"]


def test_a_recommendation_that_nobody_wrote_follows_the_assessment():
    first = assessed(sound(right="", left="", recommendation=""), LEXICON, "right", "0")
    assert first.recommendation == LEXICON.assessment("0").recommendation
    second = assessed(first, LEXICON, "left", "4B")
    assert second.recommendation == LEXICON.assessment("4B").recommendation


def test_a_recommendation_of_the_reader_stays():
    own = sound(recommendation="Ultrasound on Monday.")
    assert assessed(own, LEXICON, "right", "0").recommendation == "Ultrasound on Monday."

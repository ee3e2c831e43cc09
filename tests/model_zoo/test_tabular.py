"""Descriptor models: sums that are exact, blanks that say nothing, words that are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_zoo import tabular
from model_zoo.bundle import load_bundle, write_bundle
from model_zoo.errors import BundleError, ModelError
from model_zoo.seal import seal
from model_zoo.spec import read_spec
from model_zoo.tabular import GIVEN, MEMBERS, WEIGHTS, Calculator
from tests.model_zoo.tiny_bundles import mean_weights
from tests.model_zoo.tiny_bundles import tiny_spec as image_spec
from tests.model_zoo.tiny_tables import tiny_spec, tiny_tables, tiny_tensors


@pytest.fixture
def calculator(tmp_path: Path) -> Calculator:
    return tabular.load(tiny_tables(tmp_path / "tiny-words"))


def test_the_log_odds_are_the_prior_and_the_contributions_exactly(calculator: Calculator) -> None:
    for words in ({"shape": "round"}, {"shape": "irregular", "margin": ["sharp", "spiky"]}, {}):
        for prevalence in (0.003, 0.35, 0.9):
            told = calculator.explain(words, prevalence)
            assert told.log_odds == math.fsum((told.prior, *(one.log_odds for one in told.contributions)))
            assert told.prior == pytest.approx(math.log(prevalence / (1 - prevalence)), abs=1e-12)
            assert told.probability == pytest.approx(1 / (1 + math.exp(-told.log_odds)), abs=1e-12)


def test_an_odds_ratio_of_four_makes_even_odds_into_four_fifths(calculator: Calculator) -> None:
    assert calculator.explain({"shape": "irregular"}).probability == pytest.approx(0.8)


def test_the_prevalence_moves_the_odds_by_bayes_rule(calculator: Calculator) -> None:
    # Prior odds 1:9 times the odds ratio 4 are 4:9, which is a chance of 4 in 13.
    assert calculator.explain({"shape": "irregular"}, 0.1).probability == pytest.approx(4 / 13)
    # 1:199 times 2 times 6 are 12:199.
    told = calculator.explain({"shape": "irregular", "margin": "spiky"}, 0.005)
    assert told.probability == pytest.approx(12 / 211)


def test_a_group_that_is_not_given_adds_nothing_and_has_its_own_table(calculator: Calculator) -> None:
    told = calculator.explain({"margin": "spiky"})
    assert told.probability == pytest.approx(0.9)  # odds ratio 9 alone, 6 beside a shape
    shape = told.contributions[0]
    assert (shape.group, shape.terms, shape.log_odds, shape.low, shape.high) == ("shape", (), 0.0, 0.0, 0.0)


@pytest.mark.parametrize("blank", [{}, {"shape": ""}, {"shape": [], "margin": ()}, {"margin": [" "]}])
def test_nothing_given_is_the_prevalence_and_says_so(calculator: Calculator, blank: dict[str, Any]) -> None:
    told = calculator.explain(blank, 0.02)
    assert told.probability == pytest.approx(0.02)
    assert told.interval == pytest.approx((0.02, 0.02))
    assert "Nothing is given" in told.notes[0]


def test_several_terms_of_a_group_add_up(calculator: Calculator) -> None:
    told = calculator.explain({"margin": ["spiky", "sharp", "spiky"]})
    assert told.contributions[1].terms == ("sharp", "spiky")
    assert told.contributions[1].log_odds == pytest.approx(0.0, abs=1e-12)  # 9 times 1/9


def test_the_interval_is_that_of_the_ensemble(calculator: Calculator) -> None:
    # Members are at -0.2 .. 0.2 by tenths; the 2.5th percentile of five values lies a tenth of a step in.
    share = calculator.explain({"shape": "irregular"}).contributions[0]
    assert (share.low, share.high) == pytest.approx((math.log(4) - 0.19, math.log(4) + 0.19))
    low, high = calculator.explain({"shape": "irregular", "margin": "spiky"}, 0.1).interval
    # Both terms of a member move together: twice as far.
    odds = [12 / 9 * math.exp(2 * move) for move in (-0.19, 0.19)]
    assert (low, high) == pytest.approx(tuple(one / (1 + one) for one in odds))


def test_other_words_and_letters_case_are_understood(calculator: Calculator) -> None:
    assert calculator.explain({"margin": " Circumscribed "}) == calculator.explain({"margin": "sharp"})


def test_a_term_that_hardly_anyone_had_is_named(calculator: Calculator) -> None:
    assert calculator.explain({"shape": "irregular"}).notes == (
        "Shape, Irregular: only 3 lesions in the training data had it.",
    )
    assert calculator.explain({"shape": "round"}).notes == ()


@pytest.mark.parametrize(
    ("words", "prevalence", "said"),
    [
        ({"colour": "red"}, None, "tiny-words takes shape, margin, but no 'colour'"),
        ({"shape": "star"}, None, "shape 'star' is not known; known are round, irregular"),
        ({"shape": ["round", "irregular"]}, None, "shape takes one term, not 2"),
        ({"shape": "round"}, 0.0, "must lie between 0 and 1, not be 0"),
        ({"shape": "round"}, 1.0, "must lie between 0 and 1, not be 1"),
        ({"shape": "round"}, float("nan"), "must lie between 0 and 1"),
    ],
)
def test_what_is_not_known_is_refused_in_a_sentence(
    calculator: Calculator, words: dict[str, Any], prevalence: float | None, said: str
) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        calculator.explain(words, prevalence)
    assert "\n" not in str(caught.value)


def test_the_vocabulary_is_the_bundles(calculator: Calculator) -> None:
    assert calculator.vocabulary == tiny_spec().descriptors
    assert calculator.prevalence == 0.5


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    bundle = tiny_tables(tmp_path / "tiny-words")
    content = bytearray(bundle.weights.read_bytes())
    content[-1] ^= 1
    bundle.weights.write_bytes(bytes(content))
    with pytest.raises(BundleError, match=r"weights.safetensors was changed"):
        load_bundle(bundle.folder)
    with pytest.raises(BundleError, match=r"weights.safetensors was changed"):
        tabular.load(bundle)


def _without_a_set(tensors: dict[str, np.ndarray]) -> None:
    tensors[GIVEN] = np.array([[1, 0], [1, 0], [1, 1]], np.uint8)


def _too_narrow(tensors: dict[str, np.ndarray]) -> None:
    tensors[WEIGHTS] = tensors[WEIGHTS][:, :3].copy()


def _not_finite(tensors: dict[str, np.ndarray]) -> None:
    tensors[MEMBERS][0, 0, 0] = np.inf


def _no_members(tensors: dict[str, np.ndarray]) -> None:
    tensors[MEMBERS] = tensors[MEMBERS][:0]


def _whole_numbers(tensors: dict[str, np.ndarray]) -> None:
    tensors[WEIGHTS] = tensors[WEIGHTS].astype(np.int64)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_a_set, "must name each set of the 2 groups once"),
        (_too_narrow, "descriptors.weights does not fit 3 sets of 4 terms"),
        (_not_finite, "descriptors.members holds values that are not finite"),
        (_no_members, "descriptors.members does not fit"),
        (_whole_numbers, "descriptors.weights does not fit"),
        (lambda tensors: tensors.pop(MEMBERS), "must hold descriptors.given"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path: Path, spoil: Any, said: str) -> None:
    tensors = tiny_tensors()
    spoil(tensors)
    empty = {"format": "mammoview-metrics", "version": 1}
    bundle = write_bundle(tmp_path / "tiny-words", tiny_spec(), tensors, "# Tiny\n", empty)
    with pytest.raises(BundleError, match=said):
        tabular.load(bundle)


def test_the_specification_survives_its_file(tmp_path: Path) -> None:
    bundle = tiny_tables(tmp_path / "tiny-words")
    content = json.loads((bundle.folder / "bundle.json").read_text())
    assert content["task"] == "descriptors"
    assert not {"networks", "preprocess", "views", "aggregation", "calibration"} & set(content)
    assert replace(bundle.spec, files={}) == tiny_spec()
    assert bundle.spec.files == seal(bundle.folder)


def _spoilt(**changes: Any) -> dict[str, Any]:
    return {**tiny_spec().to_json(), **changes}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_spoilt(networks={}), "networks is not a field"),
        (_spoilt(views={"allowed": ["CC"]}), "views is not a field"),
        (_spoilt(descriptors={"groups": []}), "groups must be 1 to 8"),
        (
            _spoilt(outputs={"score": {"of": "x", "prevalence": None, "calibrated": False}}),
            "prevalence is needed",
        ),
        (
            _spoilt(outputs={"score": {"of": "x", "prevalence": 1, "calibrated": True}}),
            "prevalence must lie between",
        ),
        (_spoilt(task="classification"), "networks is missing"),
    ],
)
def test_a_wrong_specification_is_refused(content: dict[str, Any], said: str) -> None:
    with pytest.raises(BundleError, match=said):
        read_spec("tiny-words", content)


def test_a_word_that_stands_for_two_terms_is_refused() -> None:
    content = _spoilt()
    content["descriptors"]["groups"][0]["terms"][1]["also"] = ["round"]
    with pytest.raises(BundleError, match="name round twice"):
        read_spec("tiny-words", content)


def test_a_bundle_of_images_is_no_calculator_and_a_calculator_no_predictor(tmp_path: Path) -> None:
    from model_zoo.predictor import load_predictor

    empty = {"format": "mammoview-metrics", "version": 1}
    images = write_bundle(tmp_path / "tiny-mean", image_spec(), mean_weights(), "# Tiny\n", empty)
    with pytest.raises(BundleError, match="tiny-mean reads images"):
        tabular.load(images)
    with pytest.raises(BundleError, match="answers from what a reader says"):
        load_predictor(tiny_tables(tmp_path / "tiny-words"), "cpu")

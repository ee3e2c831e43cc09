from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from model_zoo.calibration import (
    Calibration,
    fit_isotonic,
    fit_platt,
    fit_temperature,
    logit,
    percentile_among,
    read_calibration,
    sigmoid,
)
from model_zoo.fields import Fields


def drawn(slope: float, offset: float, n: int = 200_000) -> tuple[np.ndarray, np.ndarray]:
    """Return raw values and outcomes whose true chance is sigmoid(slope * x + offset)."""
    random = np.random.default_rng(7)
    raw = random.normal(0.5, 2.0, n)
    return raw, random.random(n) < 1.0 / (1.0 + np.exp(-(slope * raw + offset)))


def test_platt_finds_the_curve_that_made_the_outcomes() -> None:
    fitted = fit_platt(*drawn(0.7, -1.2))
    assert fitted.slope == pytest.approx(0.7, abs=0.02)
    assert fitted.offset == pytest.approx(-1.2, abs=0.03)


def test_platt_stays_finite_where_the_classes_are_apart() -> None:
    # Platt's targets for 2 and 2 are 3/4 and 1/4, so the ends are calibrated to about those.
    fitted = fit_platt([-1.0, -1.0, 1.0, 1.0], [0, 0, 1, 1])
    assert fitted.apply(1.0) == pytest.approx(0.75, abs=1e-3)
    assert fitted.apply(-1.0) == pytest.approx(0.25, abs=1e-3)


def test_platt_never_turns_the_order_round() -> None:
    raw, truth = drawn(-0.7, 0.4, 400)
    fitted = fit_platt(raw, truth)
    order = np.argsort(raw)
    scores = [fitted.apply(value) for value in raw[order]]
    assert all(b > a for a, b in pairwise(scores))
    # Such values tell nothing, so everyone gets about the share of positives (Platt smooths it a little).
    assert scores[0] == pytest.approx(truth.mean(), abs=0.01)
    assert scores[-1] == pytest.approx(truth.mean(), abs=0.01)


def test_platt_of_equal_values_is_the_share_of_positives() -> None:
    # Targets (2 + 1) / (2 + 2) for the two positives and 1 / (6 + 2) for the six negatives: mean 0.28125.
    assert fit_platt([2.0] * 8, [1, 1, 0, 0, 0, 0, 0, 0]).apply(2.0) == pytest.approx(0.28125, abs=1e-3)


def test_temperature_finds_how_overconfident_the_logits_are() -> None:
    assert fit_temperature(*drawn(0.25, 0.0, 40_000)).temperature == pytest.approx(4.0, rel=0.1)


def test_isotonic_pools_what_is_out_of_order() -> None:
    # 1, 0 out of order at 2 and 3: pooled to 1/2 at their mean.
    fitted = fit_isotonic([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    assert (fitted.raw, fitted.score) == ((1.0, 2.5, 4.0), (0.0, 0.5, 1.0))
    assert fitted.apply(1.75) == pytest.approx(0.25)
    assert (fitted.apply(-9.0), fitted.apply(9.0)) == (0.0, 1.0)


def test_equal_raw_values_are_one_knot() -> None:
    fitted = fit_isotonic([1.0, 1.0, 2.0], [0, 1, 1])
    assert (fitted.raw, fitted.score) == ((1.0, 2.0), (0.5, 1.0))


def test_without_calibration_a_logit_is_squashed_and_a_probability_clipped() -> None:
    assert Calibration().apply(0.0) == 0.5
    assert Calibration().apply(-0.25, "probability") == 0.0
    assert Calibration().apply(0.25, "probability") == 0.25


def test_sigmoid_and_logit_undo_each_other_and_never_overflow() -> None:
    for value in (-700.0, -5.0, 0.0, 5.0, 700.0):
        assert 0.0 <= sigmoid(value) <= 1.0
    assert logit(sigmoid(1.25)) == pytest.approx(1.25)
    assert logit(0.0, 0.01) == pytest.approx(np.log(0.01 / 0.99))


@pytest.mark.parametrize(
    "block",
    [
        Calibration(),
        Calibration("platt", 2.0, -1.0),
        Calibration("temperature", temperature=3.0),
        Calibration("isotonic", raw=(0.0, 1.0), score=(0.1, 0.9)),
    ],
)
def test_the_block_reads_back_as_it_was_written(block: Calibration) -> None:
    assert read_calibration(Fields("test", block.to_json())) == block


@pytest.mark.parametrize(
    ("raw", "truth"),
    [([1.0, 2.0], [1, 1]), ([1.0], [0, 1]), ([np.nan, 1.0], [0, 1]), ([1.0, 2.0], [0, 2]), ([], [])],
)
def test_calibration_needs_finite_values_of_both_classes(raw: list[float], truth: list[int]) -> None:
    with pytest.raises(ValueError, match="calibration needs"):
        fit_platt(raw, truth)


@pytest.mark.parametrize(
    ("score", "wanted"), [(0.1, 0.0), (0.2, 25.0), (0.3, 50.0), (0.35, 62.5), (0.5, 100.0), (0.9, 100.0)]
)
def test_a_percentile_is_read_between_evenly_spaced_quantiles(score: float, wanted: float) -> None:
    # Lowest, quartile, median, upper quartile, highest of the negatives.
    assert percentile_among((0.1, 0.2, 0.3, 0.4, 0.5), score) == pytest.approx(wanted)


def test_a_percentile_counts_only_negatives_that_score_lower() -> None:
    assert percentile_among((0.0, 0.0, 0.0, 0.4), 0.0) == 0.0
    assert percentile_among((0.1, 0.3, 0.3, 0.3), 0.3) == pytest.approx(100 / 3)
    assert percentile_among((), 0.3) is None

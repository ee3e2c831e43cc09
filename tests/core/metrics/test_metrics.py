"""Metrics against arithmetic and worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.core.metrics.bootstrap import patient_interval
from app.core.metrics.delong import p_words
from app.core.metrics.froc import (
    ImageBoxes,
    froc,
    hits,
    mean_average_precision,
    overlap,
    random_places,
    sensitivity,
)
from app.core.metrics.probability import brier, expected_calibration_error
from app.core.metrics.ranking import auc, average_precision, delong_interval, sensitivity_at, threshold_at


def pairs(positive: np.ndarray, scores: np.ndarray) -> float:
    """The AUC by counting every pair."""
    high, low = scores[positive], scores[~positive]
    return float(np.mean([(a > b) + 0.5 * (a == b) for a in high for b in low]))


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_the_share_of_pairs_in_order_with_ties_half(seed: int) -> None:
    generator = np.random.default_rng(seed)
    positive = generator.random(40) < 0.4
    scores = generator.integers(0, 8, 40).astype(float)
    assert auc(positive, scores) == pytest.approx(pairs(positive, scores))


def test_a_weight_of_two_is_the_unit_twice() -> None:
    generator = np.random.default_rng(0)
    positive, scores = generator.random(30) < 0.5, generator.integers(0, 9, 30).astype(float)
    weights = generator.integers(0, 3, 30).astype(float)
    again = np.repeat(np.arange(30), weights.astype(int))
    for metric in (auc, average_precision, brier):
        expected = metric(positive[again], scores[again] / 9)
        assert metric(positive, scores / 9, weights) == pytest.approx(expected)
    expected = sensitivity_at(positive[again], scores[again], 0.7)
    assert sensitivity_at(positive, scores, 0.7, weights) == pytest.approx(expected)


def test_one_class_has_no_auc() -> None:
    assert math.isnan(auc(np.array([True, True]), np.array([0.1, 0.2])))


def test_delong_on_an_example_by_hand() -> None:
    # Positives 4, 2; negatives 3, 1. V10 = (1, 0.5), V01 = (0.5, 1): area 0.75, each variance 0.125.
    positive = np.array([True, True, False, False])
    scores = np.array([4.0, 2.0, 3.0, 1.0])
    deviation = math.sqrt(0.125 / 2 + 0.125 / 2)
    low, high = delong_interval(positive, scores, level=0.5)
    assert low == pytest.approx(0.75 - 0.6744897501960817 * deviation)
    assert high == pytest.approx(0.75 + 0.6744897501960817 * deviation)


def test_average_precision_on_an_example_by_hand() -> None:
    # In falling order + - + -: precision 1 at recall 1/2, 2/3 at recall 1.
    positive = np.array([True, False, True, False])
    assert average_precision(positive, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_sensitivity_at_a_specificity_and_its_threshold() -> None:
    negatives = np.arange(10) / 10
    positives = np.array([0.85, 0.95, 0.2])
    positive = np.array([False] * 10 + [True] * 3)
    scores = np.concatenate([negatives, positives])
    # Specificity 0.9 lets one negative (0.9) through: the threshold may go down to just above 0.8.
    assert sensitivity_at(positive, scores, 0.9) == pytest.approx(2 / 3)
    threshold = threshold_at(positive, scores, 0.9)
    assert threshold == 0.85
    assert (scores[~positive] >= threshold).mean() <= 0.1 + 1e-12


def test_brier_and_calibration_error_by_hand() -> None:
    positive = np.array([True, False, True, False])
    scores = np.array([0.8, 0.8, 0.3, 0.3])
    assert brier(positive, scores) == pytest.approx((0.04 + 0.64 + 0.49 + 0.09) / 4)
    # Two bins: mean 0.8 against 0.5, mean 0.3 against 0.5.
    assert expected_calibration_error(positive, scores) == pytest.approx((0.3 + 0.2) / 2)


def test_the_bootstrap_draws_patients_and_not_images() -> None:
    # Ten images of each of two patients: only the patients' counts can vary.
    patients = ["a"] * 10 + ["b"] * 10
    seen: set[tuple[float, float]] = set()

    def remember(weights: np.ndarray) -> float:
        assert len(set(weights[:10])) == len(set(weights[10:])) == 1
        seen.add((float(weights[0]), float(weights[10])))
        return 0.0

    patient_interval(remember, patients, draws=50)
    assert seen <= {(2.0, 0.0), (1.0, 1.0), (0.0, 2.0)}
    assert len(seen) == 3


LESION = (10.0, 10.0, 30.0, 30.0)
REGION = (0.0, 0.0, 100.0, 100.0)


def boxes() -> list[ImageBoxes]:
    """Two lesions in two images, one normal image; false boxes at 0.95 (image 1) and 0.4 (normal)."""
    good, far, low = (12.0, 12.0, 32.0, 32.0), (60.0, 60.0, 80.0, 80.0), (11.0, 9.0, 29.0, 31.0)
    return [
        ImageBoxes("p0", ((0.9, good),), (LESION,), REGION),
        ImageBoxes("p1", ((0.95, far), (0.5, low)), (LESION,), REGION),
        ImageBoxes("p2", ((0.4, far),), (), REGION),
    ]


def test_overlap_by_hand() -> None:
    assert overlap((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 / 7)
    assert overlap((0, 0, 2, 2), (2, 0, 4, 2)) == 0


def test_the_hit_rules_differ() -> None:
    big = (0.0, 0.0, 60.0, 40.0)
    assert hits(big, LESION, "centre") is False
    assert hits((0.0, 0.0, 58.0, 40.0), LESION, "centre") is True
    assert hits((0.0, 0.0, 58.0, 40.0), LESION, "iou20") is False


def test_froc_by_hand() -> None:
    curve = froc(boxes(), "centre")
    # No false box allowed: everything must score above 0.95, which no hit does.
    assert sensitivity(curve, 0.0) == 0.0
    # One false box in three images: down to just above 0.4, both lesions are found.
    assert sensitivity(curve, 1 / 3) == 1.0
    assert sensitivity(curve, 0.3) == 0.0


def test_froc_on_normal_images_counts_their_false_boxes_only() -> None:
    curve = froc(boxes(), "centre", normal_only=True)
    assert curve.counted.tolist() == [0.0, 0.0, 1.0]
    # The only false box of the only normal image scores 0.4: both lesions score more.
    assert sensitivity(curve, 0.0) == 1.0


def test_a_second_hit_of_a_lesion_is_no_false_box() -> None:
    twice = ImageBoxes("p", ((0.9, LESION), (0.8, LESION)), (LESION,), REGION)
    assert len(froc([twice], "iou50").false) == 0


def test_map50_by_hand() -> None:
    # Falling: false 0.95, hit 0.9, hit 0.5, false 0.4; two lesions. Precision 1/2, then 2/3: monotone 2/3.
    assert mean_average_precision(boxes()) == pytest.approx(2 / 3)


def test_the_trivial_baseline_of_froc_is_the_chance_to_land_on_a_lesion() -> None:
    # One lesion of 20 x 20 in a breast of 100 x 100, one box per image: 400 / 10000.
    images = [ImageBoxes(str(k), (), (LESION,), REGION) for k in range(400)]
    assert random_places(images, "centre", 1.0) == pytest.approx(0.04, abs=0.01)


def test_a_small_p_is_never_written_as_nought() -> None:
    assert [p_words(p) for p in (0.0, 0.00099, 0.001, 0.0431)] == ["< 0.001", "< 0.001", "0.001", "0.043"]
    assert f"p {p_words(0.5, '= ')}" == "p = 0.500"
    assert f"p {p_words(1e-9, '= ')}" == "p < 0.001"

"""Metrics against examples from papers and arithmetic written out here."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from app.core.metrics import decision
from app.core.metrics.bootstrap import intervals, patient_interval, patient_weights
from app.core.metrics.delong import paired_delong
from app.core.metrics.froc import (
    ImageBoxes,
    froc,
    froc_points,
    hits,
    mean_average_precision,
    mean_average_precisions,
    random_places,
    rank_boxes,
    sensitivities,
    sensitivity,
)
from app.core.metrics.ordinal import accuracies, quadratic_kappas
from app.core.metrics.probability import reliability, wilson
from app.core.metrics.ranking import auc, aucs, one, specificity_at
from model_zoo.calibration import Calibration, fit_isotonic, fit_platt
from model_zoo.spec import OperatingPoint
from trainer.cross_fit import cross_fitted
from trainer.entries import density_metrics, point_metrics
from trainer.units import Units

# Hanley, McNeil (1982), Radiology 143:29, table I: ratings 1 to 5 of 58 normal and 51 abnormal CTs.
NORMAL = (33, 6, 6, 11, 2)
ABNORMAL = (3, 2, 2, 11, 33)


def hanley() -> tuple[np.ndarray, np.ndarray]:
    scores = np.concatenate([np.repeat(np.arange(1.0, 6), NORMAL), np.repeat(np.arange(1.0, 6), ABNORMAL)])
    return np.arange(len(scores)) >= sum(NORMAL), scores


def test_auc_of_hanley_and_mcneil_is_what_they_print() -> None:
    assert auc(*hanley()) == pytest.approx(0.893, abs=0.0005)


def kernel(high: float, low: float) -> float:
    return 1.0 if high > low else 0.5 if high == low else 0.0


def test_paired_delong_is_the_papers_formula_written_as_sums_over_pairs() -> None:
    generator = np.random.default_rng(3)
    positive = np.arange(25) < 10
    a = generator.integers(0, 6, 25) + positive.astype(float)
    b = generator.integers(0, 6, 25) + 2.0 * positive
    x, y = np.flatnonzero(positive), np.flatnonzero(~positive)
    s10, s01 = np.zeros((2, 2)), np.zeros((2, 2))
    v10 = np.array([[np.mean([kernel(s[i], s[j]) for j in y]) for i in x] for s in (a, b)])
    v01 = np.array([[np.mean([kernel(s[i], s[j]) for i in x]) for j in y] for s in (a, b)])
    theta = v10.mean(axis=1)
    for r, s in product(range(2), range(2)):
        s10[r, s] = ((v10[r] - theta[r]) * (v10[s] - theta[s])).sum() / (len(x) - 1)
        s01[r, s] = ((v01[r] - theta[r]) * (v01[s] - theta[s])).sum() / (len(y) - 1)
    covariance = s10 / len(x) + s01 / len(y)
    deviation = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = paired_delong(positive, a, b)
    assert found is not None
    assert found.difference == pytest.approx(theta[1] - theta[0])
    assert found.high - found.difference == pytest.approx(1.959963984540054 * deviation)
    assert found.p == pytest.approx(math.erfc(abs(theta[1] - theta[0]) / deviation / math.sqrt(2)))


def test_a_model_does_not_differ_from_itself() -> None:
    positive, scores = hanley()
    found = paired_delong(positive, scores, 3 * scores + 1)
    assert found is not None
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert paired_delong(np.array([True, False]), np.ones(2), np.ones(2)) is None


def test_specificity_at_a_sensitivity_by_hand() -> None:
    positive = np.array([True, True, False, False, False, False])
    scores = np.array([0.9, 0.4, 0.8, 0.5, 0.3, 0.1])
    # Both positives: down to 0.4, where two of four negatives are spared. One of two: 0.9 spares all.
    assert specificity_at(positive, scores, 0.9) == pytest.approx(0.5)
    assert specificity_at(positive, scores, 0.5) == 1.0


def test_an_operating_point_by_hand() -> None:
    # Recalled (>= 0.5): three of five; of two positives one; PPV one third.
    units = Units(
        "image",
        np.array([True, True, False, False, False]),
        np.array([0.9, 0.2, 0.5, 0.6, 0.4]),
        tuple("abcde"),
        tuple("abcde"),
    )
    found = point_metrics(units, OperatingPoint("half", 0.5, ""))
    assert found["sensitivity.image"]["value"] == 0.5
    assert found["specificity.image"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    assert found["recall_rate.image"]["value"] == 0.6
    assert found["ppv.image"]["value"] == pytest.approx(1 / 3, abs=1e-6)
    # By lot three of five are recalled: sensitivity 0.6, specificity 0.4, and two fifths of them are ill.
    baselines = [found[f"{name}.image"]["baseline"] for name in ("sensitivity", "specificity", "ppv")]
    assert baselines == [0.6, 0.4, 0.4]


def test_pf1_by_the_competitions_formula() -> None:
    labels, chances = np.array([1, 0, 1, 0]), np.array([0.8, 0.3, 1.4, -0.2])
    # Clipped: 0.8, 0.3, 1, 0. ctp 1.8, cfp 0.3: precision 1.8 / 2.1, recall 1.8 / 2.
    precision, recall = 1.8 / 2.1, 0.9
    expected = 2 * precision * recall / (precision + recall)
    assert decision.probabilistic_f1(labels > 0, chances) == pytest.approx(expected)
    # Recalling everyone: precision is the share p, recall 1.
    assert decision.probabilistic_f1(labels > 0, np.ones(4)) == pytest.approx(2 * 0.5 / 1.5)
    assert decision.probabilistic_f1(labels > 0, np.zeros(4)) == 0
    assert math.isnan(decision.probabilistic_f1(labels > 5, chances))


def test_wilsons_interval_at_its_edge() -> None:
    # None of ten: from 0 to z^2 / (n + z^2).
    z2 = 1.959963984540054**2
    low, high = wilson(0.0, 10)
    assert low == pytest.approx(0, abs=1e-12)
    assert high == pytest.approx(z2 / (10 + z2))


def test_reliability_by_hand() -> None:
    bins = reliability(np.array([True, False, True]), np.array([0.12, 0.18, 1.0]))
    assert [(one.n, one.share) for one in bins] == [(2, 0.5), (1, 1.0)]
    assert bins[0].score == pytest.approx(0.15)


def test_a_calibration_is_judged_on_patients_that_it_was_not_fitted_on() -> None:
    patients = [f"p{k // 2}" for k in range(20)]
    positive = np.arange(20) % 2 == 0
    seen: list[int] = []

    def fit(raw: np.ndarray, truth: np.ndarray) -> Calibration:
        seen.append(len(raw))
        # Marks the fold: the mean raw value of those fitted on.
        return Calibration("isotonic", raw=(-100.0, 100.0), score=(float(raw.mean()), float(raw.mean())))

    scores = 1 / (1 + np.exp(-(np.arange(20) // 2) / 10))
    found = cross_fitted(positive, scores, patients, fit)
    assert found is not None
    assert seen == [16] * 5
    raw = np.arange(20) // 2 / 10
    for fold in {float(value) for value in found}:
        own = found == fold
        assert {patients[k] for k in np.flatnonzero(own)}.isdisjoint(
            {patients[k] for k in np.flatnonzero(~own)}
        )
        assert fold == pytest.approx(raw[~own].mean())


def test_cross_fitting_makes_bold_scores_honest() -> None:
    generator = np.random.default_rng(0)
    raw = generator.standard_normal(2000)
    positive = generator.random(2000) < 1 / (1 + np.exp(-raw))
    bold = 1 / (1 + np.exp(-4 * raw))
    found = cross_fitted(positive, bold, [str(k) for k in range(2000)], fit_platt)
    assert found is not None
    assert np.abs(found - 1 / (1 + np.exp(-raw))).max() < 0.08
    assert cross_fitted(positive[:3], bold[:3], ["a", "b", "c"], fit_isotonic) is None


def test_quadratic_kappa_by_hand() -> None:
    # Truth 0 0 1 2, said 0 1 1 2: observed (0 + 1 + 0 + 0) / 4; by the margins
    # truth (2, 1, 1) / 4, said (1, 2, 1) / 4: sum (i - j)^2 = (2*2 + 2*1*4 + 1*1 + 1*1 + 1*1*4 + 1*2) / 16.
    truth, chances = np.array([0, 0, 1, 2]), np.eye(3)[[0, 1, 1, 2]]
    expected = 1 - (1 / 4) / (20 / 16)
    assert quadratic_kappas(truth, chances, np.ones((1, 4)))[0] == pytest.approx(expected)
    assert accuracies(truth, chances, np.ones((1, 4)))[0] == 0.75


def test_density_stands_beside_the_commonest_class() -> None:
    truth = np.array([0, 1, 1, 1, 2, 3, 3, 2])
    found = density_metrics(truth, np.eye(4)[truth], [f"p{k}" for k in range(8)])
    assert set(found) == {
        "density.auc_macro", "density.auc_d_vs_rest", "density.quadratic_kappa", "density.accuracy"
    }  # fmt: skip
    assert all(entry["value"] == 1.0 for entry in found.values())
    assert found["density.accuracy"]["baseline"] == 3 / 8


def test_many_weightings_at_once_are_each_of_them_alone() -> None:
    positive, scores = hanley()
    patients = [f"p{k // 3}" for k in range(len(scores))]
    weights = np.vstack(list(patient_weights(patients, draws=7)))
    for many in (aucs, decision.probabilistic_f1s, decision.predictive_values(4.0)):
        alone = [one(many, positive, scores / 5, row) for row in weights]
        assert many(positive, scores / 5, weights) == pytest.approx(np.array(alone), nan_ok=True)
    together = intervals(lambda w: aucs(positive, scores, w), patients, draws=50)
    assert together == pytest.approx(patient_interval(lambda w: auc(positive, scores, w), patients, draws=50))


def crowd(seed: int) -> list[ImageBoxes]:
    generator = np.random.default_rng(seed)
    images = []
    for number in range(30):
        lesions = [
            tuple(float(v) for v in (r, c, r + 20, c + 30))
            for r, c in generator.integers(0, 70, (number % 3, 2))
        ]
        places = generator.integers(0, 80, (4, 2))
        boxes = [
            (round(float(generator.random()), 1), (float(r), float(c), float(r) + 25, float(c) + 25))
            for r, c in places
        ]
        images.append(ImageBoxes(f"p{number // 2}", tuple(boxes), tuple(lesions), (0.0, 0.0, 100.0, 100.0)))
    return images


@pytest.mark.parametrize("rule", ["centre", "iou20", "iou50"])
def test_froc_is_what_trying_every_threshold_gives(rule: str) -> None:
    images = crowd(1)
    lesions = sum(len(image.lesions) for image in images)
    curve = froc(images, rule)
    for rate in (0.125, 0.25, 0.5, 1, 2, 4):
        best = 0.0
        for threshold in np.arange(0.0, 1.2, 0.1) - 0.05:
            kept = [[box for score, box in image.candidates if score > threshold] for image in images]
            false = sum(
                not any(hits(box, lesion, rule) for lesion in image.lesions)
                for image, boxes in zip(images, kept, strict=True)
                for box in boxes
            )
            found = sum(
                any(hits(box, lesion, rule) for box in boxes)
                for image, boxes in zip(images, kept, strict=True)
                for lesion in image.lesions
            )
            if false / len(images) <= rate:
                best = max(best, found / lesions)
        assert sensitivity(curve, rate) == pytest.approx(best)
    rates, shares, _ = froc_points(curve)
    assert np.all(np.diff(rates) >= 0)
    assert np.all(np.diff(shares) >= 0)
    for rate, share in zip(rates, shares, strict=True):
        assert sensitivity(curve, rate) == pytest.approx(share)


def test_boxes_weighted_twice_are_images_taken_twice() -> None:
    images = crowd(2)
    weights = np.random.default_rng(0).integers(0, 3, 30).astype(float)
    again = [image for image, count in zip(images, weights, strict=True) for _ in range(int(count))]
    both = np.vstack([weights, np.ones(30)])
    found = sensitivities(froc(images, "centre"), 1.0, both)
    assert found[0] == pytest.approx(sensitivity(froc(again, "centre"), 1.0))
    assert found[1] == pytest.approx(sensitivity(froc(images, "centre"), 1.0))
    assert mean_average_precisions(rank_boxes(images), both)[1] == mean_average_precision(images)


def test_random_boxes_by_overlap_hit_as_often_as_an_integral_says() -> None:
    # Boxes of 20 x 20 on a lesion of 20 x 20, centre anywhere in 100 x 100. IoU >= 0.2 where the shared
    # (20 - |dy|) (20 - |dx|) is at least 800 / 6: the share of such offsets, by a fine grid.
    lesion = (40.0, 40.0, 60.0, 60.0)
    offset = (np.arange(-2000, 2000) + 0.5) / 100
    shared = (20 - np.abs(offset))[:, None] * (20 - np.abs(offset))[None]
    expected = (shared >= 0.2 * 800 / 1.2).mean() * 40 * 40 / 100 / 100
    images = [ImageBoxes(str(k), (), (lesion,), (0.0, 0.0, 100.0, 100.0)) for k in range(400)]
    assert random_places(images, "iou20", 1.0) == pytest.approx(expected, abs=0.01)

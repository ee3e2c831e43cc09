"""Metrics beside scikit-learn and torchmetrics, where these have them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import (
    binary_auroc,
    binary_average_precision,
    binary_calibration_error,
    binary_sensitivity_at_specificity,
    binary_specificity_at_sensitivity,
    multiclass_auroc,
    multiclass_cohen_kappa,
)

from app.core.metrics import decision
from app.core.metrics.ordinal import accuracies, macro_aucs, quadratic_kappas
from app.core.metrics.probability import brier, expected_calibration_error, reliability
from app.core.metrics.ranking import (
    auc,
    average_precision,
    one,
    precision_points,
    roc_points,
    sensitivity_at,
    specificity_at,
)
from model_zoo.calibration import fit_isotonic

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def made(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, scores with ties, and whole-number weights."""
    generator = np.random.default_rng(seed)
    positive = generator.random(200) < 0.3
    scores = np.round(np.clip(0.25 * positive + 0.3 + 0.2 * generator.standard_normal(200), 0, 1), 2)
    return positive, scores, generator.integers(0, 4, 200).astype(float)


@pytest.mark.parametrize("seed", range(4))
def test_beside_scikit_learn(seed: int) -> None:
    positive, scores, weights = made(seed)
    judge = sklearn_metrics
    assert auc(positive, scores, weights) == pytest.approx(
        judge.roc_auc_score(positive, scores, sample_weight=weights)
    )
    assert average_precision(positive, scores, weights) == pytest.approx(
        judge.average_precision_score(positive, scores, sample_weight=weights)
    )
    assert brier(positive, scores, weights) == pytest.approx(
        judge.brier_score_loss(positive, scores, sample_weight=weights)
    )
    said = scores >= 0.5
    for ours, theirs in (
        (decision.sensitivities(0.5), judge.recall_score(positive, said, sample_weight=weights)),
        (decision.predictive_values(0.5), judge.precision_score(positive, said, sample_weight=weights)),
        (decision.specificities(0.5), judge.recall_score(~positive, ~said, sample_weight=weights)),
    ):
        assert one(ours, positive, scores, weights) == pytest.approx(theirs)
    # Of decisions instead of chances, pF1 is F1.
    assert decision.probabilistic_f1(positive, said.astype(float)) == pytest.approx(
        judge.f1_score(positive, said)
    )


def test_curves_beside_scikit_learn() -> None:
    positive, scores, _ = made(7)
    false, true, _ = sklearn_metrics.roc_curve(positive, scores, drop_intermediate=False)
    ours = roc_points(positive, scores)
    assert ours[0] == pytest.approx(false)
    assert ours[1] == pytest.approx(true)
    precision, recall, _ = sklearn_metrics.precision_recall_curve(positive, scores)
    points = precision_points(positive, scores)
    # Theirs runs from the lowest score up and ends with a made point (0, 1).
    assert points[0] == pytest.approx(recall[:-1][::-1])
    assert points[1] == pytest.approx(precision[:-1][::-1])
    from sklearn.calibration import calibration_curve

    share, score = calibration_curve(positive, scores * 0.999, n_bins=10)
    bins = reliability(positive, scores * 0.999)
    assert [bin.share for bin in bins] == pytest.approx(share)
    assert [bin.score for bin in bins] == pytest.approx(score)


@pytest.mark.parametrize("seed", range(3))
def test_beside_torchmetrics(seed: int) -> None:
    positive, scores, _ = made(seed)
    chance, truth = torch.from_numpy(scores), torch.from_numpy(positive.astype(int))
    assert auc(positive, scores) == pytest.approx(float(binary_auroc(chance, truth)), abs=1e-6)
    assert average_precision(positive, scores) == pytest.approx(
        float(binary_average_precision(chance, truth)), abs=1e-6
    )
    assert sensitivity_at(positive, scores, 0.9) == pytest.approx(
        float(binary_sensitivity_at_specificity(chance, truth, 0.9)[0]), abs=1e-6
    )
    assert specificity_at(positive, scores, 0.9) == pytest.approx(
        float(binary_specificity_at_sensitivity(chance, truth, 0.9)[0]), abs=1e-6
    )
    # Away from the edges of bins, where theirs counts an edge to the lower bin.
    inside = scores * 0.998 + 0.0007
    assert expected_calibration_error(positive, inside) == pytest.approx(
        float(binary_calibration_error(torch.from_numpy(inside), truth, n_bins=10, norm="l1")), abs=1e-6
    )


def test_density_beside_both() -> None:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 4, 150)
    chances = generator.dirichlet(np.ones(4), 150) + 0.4 * np.eye(4)[truth]
    chances /= chances.sum(axis=1, keepdims=True)
    said, weight = chances.argmax(axis=1), np.ones((1, 150))
    macro = macro_aucs(truth, chances, weight)[0]
    assert macro == pytest.approx(
        sklearn_metrics.roc_auc_score(truth, chances, multi_class="ovr", average="macro")
    )
    torch_truth, torch_chances = torch.from_numpy(truth), torch.from_numpy(chances)
    assert macro == pytest.approx(float(multiclass_auroc(torch_chances, torch_truth, 4)), abs=1e-6)
    kappa = quadratic_kappas(truth, chances, weight)[0]
    assert kappa == pytest.approx(sklearn_metrics.cohen_kappa_score(truth, said, weights="quadratic"))
    assert kappa == pytest.approx(
        float(multiclass_cohen_kappa(torch_chances, torch_truth, 4, weights="quadratic")), abs=1e-5
    )
    assert accuracies(truth, chances, weight)[0] == pytest.approx(sklearn_metrics.accuracy_score(truth, said))


def test_isotonic_calibration_beside_scikit_learn() -> None:
    from sklearn.isotonic import IsotonicRegression

    positive, scores, _ = made(5)
    theirs = IsotonicRegression().fit(scores, positive)
    ours = fit_isotonic(scores, positive)
    # Ours is straight between the means of the pools, theirs level within a pool: alike in the means.
    expected = np.unique(theirs.predict(np.unique(scores)))
    assert ours.score == pytest.approx(expected)

"""Whether scores are honest probabilities: Brier score and expected calibration error."""

from __future__ import annotations

import numpy as np

from trainer.metrics.ranking import Bools, Floats


def brier(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the mean squared difference between score (0..1) and outcome (0 or 1)."""
    weight = np.ones(len(scores)) if weights is None else weights
    if weight.sum() == 0:
        return float("nan")
    return float(np.average((scores - positive) ** 2, weights=weight))


def expected_calibration_error(
    positive: Bools, scores: Floats, weights: Floats | None = None, bins: int = 10
) -> float:
    """Return the weighted mean of |mean score - frequency| over equal-width bins of the score."""
    weight = np.ones(len(scores)) if weights is None else weights
    total = weight.sum()
    if total == 0:
        return float("nan")
    index = np.minimum((np.clip(scores, 0, 1) * bins).astype(np.intp), bins - 1)
    gap = np.bincount(index, weight * (scores - positive), minlength=bins)
    return float(np.abs(gap).sum() / total)


def platt(positive: Bools, logits: Floats) -> tuple[float, float]:
    """Return (slope, offset) so that 1 / (1 + exp(-(slope * logit + offset))) is calibrated.

    Platt (1999) with his smoothed targets, by Newton's method on the log-likelihood; the slope is
    kept >= 0, because calibration must not turn the ranking round.
    """
    count = float(positive.sum())
    high, low = (count + 1) / (count + 2), 1 / (len(positive) - count + 2)
    target = np.where(positive, high, low)
    scale = float(logits.std()) or 1.0
    middle = float(logits.mean())
    design = np.stack([(logits - middle) / scale, np.ones_like(logits)], axis=1)
    beta = np.array([0.0, np.log(target.mean() / (1 - target.mean()))])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (target - p)
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-8:
            break
    if beta[0] < 0:
        return 0.0, float(np.log(target.mean() / (1 - target.mean())))
    slope = float(beta[0] / scale)
    return slope, float(beta[1] - slope * middle)

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

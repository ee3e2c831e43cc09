"""How well scores rank positives above negatives: AUC, DeLong, average precision, sensitivity.

Every function takes weights, so that a patient bootstrap is a vector of counts and no copying.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def _blocks(scores: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the order of descending scores and the last position of each block of equal scores."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return order, ends


def roc_points(positive: Bools, scores: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return (false positive rate, true positive rate) at each threshold, from (0, 0) to (1, 1).

    nan where one class has no weight.
    """
    weight = np.ones(len(scores)) if weights is None else weights
    order, ends = _blocks(scores)
    true = np.cumsum((weight * positive)[order])[ends]
    false = np.cumsum((weight * ~positive)[order])[ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1])


def auc(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the area under the ROC curve, ties counted half (Mann-Whitney); nan for one class."""
    false, true = roc_points(positive, scores, weights)
    return float(np.trapezoid(true, false))


def delong_interval(positive: Bools, scores: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return DeLong's interval of the AUC, clipped to 0..1; independent images assumed.

    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837, with the midranks of Sun and Xu (2014).
    """
    from scipy.stats import rankdata

    high, low = scores[positive], scores[~positive]
    m, n = len(high), len(low)
    if m < 2 or n < 2:
        return float("nan"), float("nan")
    ranks = rankdata(np.concatenate([high, low]))
    v10 = (ranks[:m] - rankdata(high)) / n
    v01 = 1 - (ranks[m:] - rankdata(low)) / m
    area = float(v10.mean())
    variance = float(v10.var(ddof=1) / m + v01.var(ddof=1) / n)
    half = NormalDist().inv_cdf(0.5 + level / 2) * variance**0.5
    return max(0.0, area - half), min(1.0, area + half)


def average_precision(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the area under precision-recall as a step function (no interpolation); nan without positives."""
    weight = np.ones(len(scores)) if weights is None else weights
    order, ends = _blocks(scores)
    true = np.cumsum((weight * positive)[order])[ends]
    every = np.cumsum(weight[order])[ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(every > 0, true / every, 0.0)
        steps = np.diff(np.append(0.0, true)) / true[-1]
    return float(np.sum(precision * steps))


def sensitivity_at(
    positive: Bools, scores: Floats, specificity: float, weights: Floats | None = None
) -> float:
    """Return the highest sensitivity of a threshold that keeps at least the given specificity."""
    false, true = roc_points(positive, scores, weights)
    if np.isnan(false).any() or np.isnan(true).any():
        return float("nan")
    return float(true[false <= 1 - specificity + 1e-12].max())


def threshold_at(positive: Bools, scores: Floats, specificity: float) -> float:
    """Return the lowest score threshold (score >= threshold is a recall) with at least that specificity."""
    negatives = np.sort(scores[~positive])
    candidates = np.unique(scores)
    kept = 1 - (len(negatives) - np.searchsorted(negatives, candidates, side="left")) / max(len(negatives), 1)
    good = candidates[kept >= specificity - 1e-12]
    # No observed score reaches it: just above the largest.
    return float(good[0]) if len(good) else float(np.nextafter(candidates[-1], np.inf))

"""How well scores rank positives above negatives: AUC, DeLong, average precision, sensitivity.

Every number exists twice: of one weighting of the units, and (in the plural) of many weightings at
once, (draws, units), so that a patient bootstrap sorts the scores once and copies nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Many = Callable[[Bools, Floats, Floats], Floats]
"""A metric of (positive, scores, weights (draws, units)): one number per draw, nan where undefined."""


def one(many: Many, positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return a metric of one weighting (all units alike where there is none)."""
    weight = np.ones(len(scores)) if weights is None else weights
    return float(many(positive, scores, weight[None])[0])


def _blocks(scores: Floats) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the order of descending scores and the last position of each block of equal scores."""
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    return order, ends


def _counts(positive: Bools, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weight of true and of false positives at each threshold, (draws, thresholds)."""
    order, ends = _blocks(scores)
    sorted_weights = weights[:, order]
    true = np.cumsum(sorted_weights * positive[order], axis=1)[:, ends]
    false = np.cumsum(sorted_weights * ~positive[order], axis=1)[:, ends]
    return true, false


def _rates(positive: Bools, scores: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return (false, true) positive rates, (draws, thresholds + 1), from 0 to 1; nan without a class."""
    if not len(scores):
        nothing = np.full((len(weights), 1), np.nan)
        return nothing, nothing
    true, false = _counts(positive, scores, weights)
    start = np.zeros((len(weights), 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.hstack([start, false / false[:, -1:]]), np.hstack([start, true / true[:, -1:]])


def roc_points(positive: Bools, scores: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return (false positive rate, true positive rate) at each threshold, from (0, 0) to (1, 1).

    nan where one class has no weight.
    """
    weight = np.ones(len(scores)) if weights is None else weights
    false, true = _rates(positive, scores, weight[None])
    return false[0], true[0]


def precision_points(positive: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Return (recall, precision) at each threshold, from the highest score to the lowest."""
    true, false = _counts(positive, scores, np.ones((1, len(scores))))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (true / true[:, -1:])[0], (true / (true + false))[0]


def aucs(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Return `auc` of each weighting."""
    false, true = _rates(positive, scores, weights)
    area: Floats = np.asarray(np.trapezoid(true, false, axis=1), dtype=np.float64)
    area[np.isnan(true).any(axis=1) | np.isnan(false).any(axis=1)] = np.nan
    return area


def auc(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the area under the ROC curve, ties counted half (Mann-Whitney); nan for one class.

    Hanley, McNeil (1982), Radiology 143:29.
    """
    return one(aucs, positive, scores, weights)


def placements(positive: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Return DeLong's structural components: of each positive V10, of each negative V01.

    V10 is the share of negatives below a positive, V01 the share of positives above a negative, ties
    half; the mean of either is the AUC. By midranks: Sun, Xu (2014), IEEE Signal Proc. Lett. 21:1389.
    """
    from scipy.stats import rankdata

    high, low = scores[positive], scores[~positive]
    m, n = len(high), len(low)
    ranks = rankdata(np.concatenate([high, low]))
    return (ranks[:m] - rankdata(high)) / n, 1 - (ranks[m:] - rankdata(low)) / m


def delong_interval(positive: Bools, scores: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return DeLong's interval of the AUC, clipped to 0..1; independent images assumed.

    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837.
    """
    m, n = int(positive.sum()), int((~positive).sum())
    if m < 2 or n < 2:
        return float("nan"), float("nan")
    v10, v01 = placements(positive, scores)
    area = float(v10.mean())
    variance = float(v10.var(ddof=1) / m + v01.var(ddof=1) / n)
    half = NormalDist().inv_cdf(0.5 + level / 2) * variance**0.5
    return max(0.0, area - half), min(1.0, area + half)


def average_precisions(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Return `average_precision` of each weighting."""
    if not len(scores):
        return np.full(len(weights), np.nan)
    true, false = _counts(positive, scores, weights)
    every = true + false
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(every > 0, true / every, 0.0)
        steps = np.diff(true, axis=1, prepend=0.0) / true[:, -1:]
    found: Floats = np.sum(precision * steps, axis=1)
    return found


def average_precision(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the area under precision-recall as a step function (no interpolation); nan without positives.

    Davis, Goadrich (2006), ICML: straight lines between points would be too good.
    """
    return one(average_precisions, positive, scores, weights)


def sensitivities_at(specificity: float) -> Many:
    """Return `sensitivity_at` for many weightings."""

    def many(positive: Bools, scores: Floats, weights: Floats) -> Floats:
        false, true = _rates(positive, scores, weights)
        best: Floats = np.where(false <= 1 - specificity + 1e-12, true, 0.0).max(axis=1)
        best[np.isnan(true).any(axis=1) | np.isnan(false).any(axis=1)] = np.nan
        return best

    return many


def specificities_at(sensitivity: float) -> Many:
    """Return `specificity_at` for many weightings."""

    def many(positive: Bools, scores: Floats, weights: Floats) -> Floats:
        false, true = _rates(positive, scores, weights)
        best: Floats = 1 - np.where(true >= sensitivity - 1e-12, false, 1.0).min(axis=1)
        best[np.isnan(true).any(axis=1) | np.isnan(false).any(axis=1)] = np.nan
        return best

    return many


def sensitivity_at(
    positive: Bools, scores: Floats, specificity: float, weights: Floats | None = None
) -> float:
    """Return the highest sensitivity of a threshold that keeps at least the given specificity."""
    return one(sensitivities_at(specificity), positive, scores, weights)


def specificity_at(
    positive: Bools, scores: Floats, sensitivity: float, weights: Floats | None = None
) -> float:
    """Return the highest specificity of a threshold that keeps at least the given sensitivity."""
    return one(specificities_at(sensitivity), positive, scores, weights)


def threshold_at(positive: Bools, scores: Floats, specificity: float) -> float:
    """Return the lowest score threshold (score >= threshold is a recall) with at least that specificity."""
    negatives = np.sort(scores[~positive])
    candidates = np.unique(scores)
    kept = 1 - (len(negatives) - np.searchsorted(negatives, candidates, side="left")) / max(len(negatives), 1)
    good = candidates[kept >= specificity - 1e-12]
    # No observed score reaches it: just above the largest.
    return float(good[0]) if len(good) else float(np.nextafter(candidates[-1], np.inf))

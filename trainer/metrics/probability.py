"""Whether scores are honest probabilities: Brier score, calibration error, reliability, cross-fitting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from model_zoo.calibration import Calibration, logit
from trainer.metrics.ranking import Bools, Floats, one

BINS = 10


def briers(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Return `brier` of each weighting."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = weights @ ((scores - positive) ** 2) / weights.sum(axis=1)
    return found


def brier(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return the mean squared difference between score (0..1) and outcome (0 or 1).

    Brier (1950), Monthly Weather Review 78:1; of one class, half of his sum over both.
    """
    return one(briers, positive, scores, weights)


def _bin(scores: Floats, bins: int) -> Floats:
    """Return (units, bins) of 0 and 1: the equal-width bin of each score, 1.0 in the last."""
    index = np.minimum((np.clip(scores, 0, 1) * bins).astype(np.intp), bins - 1)
    found: Floats = np.eye(bins)[index]
    return found


def calibration_errors(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Return `expected_calibration_error` (10 bins) of each weighting."""
    return _calibration_errors(positive, scores, weights, BINS)


def _calibration_errors(positive: Bools, scores: Floats, weights: Floats, bins: int) -> Floats:
    gaps = (weights * (scores - positive)) @ _bin(scores, bins)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return found


def expected_calibration_error(
    positive: Bools, scores: Floats, weights: Floats | None = None, bins: int = BINS
) -> float:
    """Return the weighted mean of abs(mean score - frequency) over equal-width bins of the score.

    Naeini, Cooper, Hauskrecht (2015), AAAI; Guo et al. (2017), ICML.
    """
    weight = np.ones(len(scores)) if weights is None else weights
    return float(_calibration_errors(positive, scores, weight[None], bins)[0])


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin of a reliability diagram.

    Attributes
    ----------
    score
        Mean score of its units.
    share
        Share of positives among them, `low` to `high` with 95 % (Wilson 1927).
    """

    score: float
    share: float
    low: float
    high: float
    n: int


def wilson(found: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share of `n` independent units; JASA 22:209 (1927)."""
    z = NormalDist().inv_cdf(0.5 + level / 2)
    middle = (found + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(found * (1 - found) / n + z * z / (4 * n * n))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def reliability(positive: Bools, scores: Floats, bins: int = BINS) -> tuple[Bin, ...]:
    """Return the filled equal-width bins, from low scores to high."""
    made = []
    for member in _bin(scores, bins).T.astype(np.bool_):
        n = int(member.sum())
        if n:
            share = float(positive[member].mean())
            made.append(Bin(float(scores[member].mean()), share, *wilson(share, n), n))
    return tuple(made)


Fit = Callable[[Floats, Bools], Calibration]


def cross_fitted(
    positive: Bools, scores: Floats, patients: Sequence[str], fit: Fit, *, folds: int = 5, seed: int = 0
) -> Floats | None:
    """Return each score as a calibration makes it that was fitted on other patients.

    Patients are dealt into folds; the calibration of one is fitted on all others, so that it is never
    judged on what it was fitted on.

    Parameters
    ----------
    scores
        0..1; `fit` gets their logits.

    Returns
    -------
    None where a fold would be fitted on one class only, or there are fewer patients than folds.
    """
    ids, index = np.unique(np.asarray(patients), return_inverse=True)
    if len(ids) < folds:
        return None
    raw = np.array([logit(float(score)) for score in scores])
    fold = (np.random.default_rng(seed).permutation(len(ids)) % folds)[index]
    made = np.zeros(len(scores))
    for number in range(folds):
        rest = fold != number
        if positive[rest].all() or not positive[rest].any():
            return None
        fitted = fit(raw[rest], positive[rest])
        made[~rest] = [fitted.apply(float(value)) for value in raw[~rest]]
    return made

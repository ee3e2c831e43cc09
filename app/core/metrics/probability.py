"""Whether scores are honest probabilities: Brier score, calibration error, reliability."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from app.core.metrics.ranking import Bools, Floats, one

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

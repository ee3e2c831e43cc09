"""Intervals by drawing patients with replacement: images of one patient are not independent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from app.core.metrics.ranking import Floats

DRAWS = 1000
_AT_ONCE = 2_000_000
"""Weights held at a time."""


def patient_weights(patients: Sequence[str], draws: int = DRAWS, seed: int = 0) -> Iterator[Floats]:
    """Give the weights of all draws in bites of (some draws, units): how often each unit's patient was drawn.

    Patients are drawn with replacement, as many as there are; the same seed draws the same. Nothing is
    given for fewer than two patients.
    """
    ids, index = np.unique(np.asarray(patients), return_inverse=True)
    if len(ids) < 2:
        return
    generator = np.random.default_rng(seed)
    bite = max(1, _AT_ONCE // len(index))
    for start in range(0, draws, bite):
        count = min(bite, draws - start)
        drawn = [
            np.bincount(generator.integers(len(ids), size=len(ids)), minlength=len(ids)) for _ in range(count)
        ]
        yield np.array(drawn, dtype=np.float64)[:, index]


def quantile_interval(values: Floats, draws: int, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of the defined values; (nan, nan) where less than half of them are."""
    defined = values[~np.isnan(values)]
    if not len(defined) or len(defined) < draws / 2:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high)


def intervals(
    statistic: Callable[[Floats], Floats],
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of a statistic of many weightings at once.

    Parameters
    ----------
    statistic
        Takes weights (some draws, units) and returns one number per draw, nan where it is undefined.
    patients
        Patient id of each unit.
    """
    made = [statistic(weights) for weights in patient_weights(patients, draws, seed)]
    return quantile_interval(np.concatenate(made) if made else np.zeros(0), draws, level)


def patient_interval(
    statistic: Callable[[Floats], float],
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of a weighted statistic under a patient bootstrap.

    Efron, Tibshirani (1993), chapter 13, with patients as the units drawn.

    Parameters
    ----------
    statistic
        Takes one weight per unit (how often its patient was drawn) and returns a number; nan for a
        draw on which it is undefined (one class only), which is left out.
    patients
        Patient id of each unit.

    Returns
    -------
    (low, high); (nan, nan) with fewer than two patients or when most draws are undefined.
    """
    return intervals(
        lambda weights: np.array([statistic(one) for one in weights]),
        patients,
        draws=draws,
        seed=seed,
        level=level,
    )

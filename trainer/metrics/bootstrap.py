"""Intervals by drawing patients with replacement: images of one patient are not independent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from trainer.metrics.ranking import Floats

DRAWS = 1000


def patient_interval(
    statistic: Callable[[Floats], float],
    patients: Sequence[str],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile interval of a weighted statistic under a patient bootstrap.

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
    ids, index = np.unique(np.asarray(patients), return_inverse=True)
    if len(ids) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        counts = np.bincount(generator.integers(len(ids), size=len(ids)), minlength=len(ids))
        value = statistic(counts[index].astype(np.float64))
        if not np.isnan(value):
            values.append(value)
    if len(values) < draws / 2:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)

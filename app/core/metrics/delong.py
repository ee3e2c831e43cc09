"""Two models on the same images: the difference of their AUCs, with DeLong's paired test."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from app.core.metrics.ranking import Bools, Floats, placements


@dataclass(frozen=True, slots=True)
class Paired:
    """The AUC of `b` less that of `a`.

    Attributes
    ----------
    low, high
        95 % interval of the difference.
    p
        Two-sided probability of a difference at least as large where there is none; 1 where both rank
        alike.
    """

    a: float
    b: float
    low: float
    high: float
    p: float

    @property
    def difference(self) -> float:
        """AUC of b less AUC of a."""
        return self.b - self.a


def paired_delong(positive: Bools, a: Floats, b: Floats, level: float = 0.95) -> Paired | None:
    """Compare two correlated AUCs; independent units assumed.

    DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44:837: the variance of the difference is that of
    the differences of the structural components.

    Parameters
    ----------
    positive, a, b
        (units,): truth and the two models' scores of the same units.

    Returns
    -------
    None with fewer than two positives or two negatives.
    """
    m, n = int(positive.sum()), int((~positive).sum())
    if m < 2 or n < 2:
        return None
    a10, a01 = placements(positive, a)
    b10, b01 = placements(positive, b)
    variance = float((b10 - a10).var(ddof=1) / m + (b01 - a01).var(ddof=1) / n)
    difference = float(b10.mean() - a10.mean())
    deviation = float(np.sqrt(variance))
    half = NormalDist().inv_cdf(0.5 + level / 2) * deviation
    if deviation > 0:
        p = 2 * (1 - NormalDist().cdf(abs(difference) / deviation))
    else:
        p = 1.0 if difference == 0 else 0.0
    return Paired(float(a10.mean()), float(b10.mean()), difference - half, difference + half, p)


def p_words(p: float, sign: str = "") -> str:
    """Return a p value as it is written: three places, never as 0.

    Parameters
    ----------
    sign
        What stands before one that is not small, for example "= "; empty in a table.
    """
    return "< 0.001" if p < 0.001 else f"{sign}{p:.3f}"

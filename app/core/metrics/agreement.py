"""Agreement beyond chance: Cohen's kappa of two readers, Fleiss' kappa of several."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.core.metrics.ranking import Floats

Ratings = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance.

    Attributes
    ----------
    value
        1 all alike, 0 as by chance, below 0 worse; None where all ratings are one and the same.
    low, high
        95 % interval, clipped to -1..1; None where it is undefined.
    observed, expected
        Share of agreement seen, and by chance from the margins.
    n
        Cases.
    """

    value: float | None
    low: float | None
    high: float | None
    observed: float
    expected: float
    n: int


def cohen(
    one: Ratings, other: Ratings, kinds: int, weights: Literal["none", "linear", "quadratic"] = "none"
) -> Kappa:
    """Return Cohen's kappa of two readers who rated the same cases.

    Cohen (1960), Educ. Psychol. Meas. 20:37; weighted: Cohen (1968), Psychol. Bull. 70:213. The interval is
    by the large-sample standard error of Fleiss, Cohen, Everitt (1969), Psychol. Bull. 72:323.

    Parameters
    ----------
    one, other
        (cases,) categories 0..kinds-1.
    weights
        Disagreements count alike, or by how far apart (linear, quadratic) they are.
    """
    n = len(one)
    table = np.zeros((kinds, kinds))
    np.add.at(table, (one, other), 1.0)
    return _cohen(table / max(n, 1), n, _agreement(kinds, weights))


def _agreement(kinds: int, weights: str) -> Floats:
    place = np.arange(kinds, dtype=np.float64)
    apart = np.abs(place[:, None] - place[None]) / max(kinds - 1, 1)
    if weights == "none":
        return np.eye(kinds)
    return 1 - (apart if weights == "linear" else apart**2)


def _cohen(share: Floats, n: int, weight: Floats) -> Kappa:
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    observed = float((weight * share).sum())
    expected = float((weight * np.outer(rows, columns)).sum())
    if n == 0 or expected >= 1 - 1e-12:
        return Kappa(None, None, None, observed, expected, n)
    value = (observed - expected) / (1 - expected)
    across = (weight @ columns)[:, None] + (weight.T @ rows)[None]
    inner = float((share * (weight - across * (1 - value)) ** 2).sum())
    variance = (inner - (value - expected * (1 - value)) ** 2) / (n * (1 - expected) ** 2)
    half = NormalDist().inv_cdf(0.975) * max(variance, 0.0) ** 0.5
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half), observed, expected, n)


def fleiss(counts: Floats) -> Kappa:
    """Return Fleiss' kappa of several readers, each case rated by as many.

    Fleiss (1971), Psychol. Bull. 76:378; the interval by the standard error of Fleiss, Nee, Landis (1979),
    Psychol. Bull. 86:974, which holds where there is no agreement beyond chance.

    Parameters
    ----------
    counts
        (cases, kinds): how many readers put a case into a category.

    Raises
    ------
    ValueError
        The cases were not all rated by the same number of readers, two at least.
    """
    n = len(counts)
    if not n:
        return Kappa(None, None, None, 0.0, 0.0, 0)
    raters = float(counts[0].sum())
    if raters < 2 or (counts.sum(axis=1) != raters).any():
        raise ValueError("each case needs ratings of the same number of readers, two at least")
    share = counts.sum(axis=0) / (n * raters)
    observed = float(((counts**2).sum(axis=1) - raters).mean() / (raters * (raters - 1)))
    expected = float((share**2).sum())
    if expected >= 1 - 1e-12:
        return Kappa(None, None, None, observed, expected, n)
    value = (observed - expected) / (1 - expected)
    rest = share * (1 - share)
    variance = (
        2 * (rest.sum() ** 2 - (rest * (1 - 2 * share)).sum()) / (n * raters * (raters - 1) * rest.sum() ** 2)
    )
    half = NormalDist().inv_cdf(0.975) * float(variance) ** 0.5
    return Kappa(value, max(-1.0, value - half), min(1.0, value + half), observed, expected, n)

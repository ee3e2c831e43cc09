"""Ordered classes, as of breast density a to d: macro AUC, one against the rest, weighted kappa, accuracy.

Units are (truth, chances): the class of each as a number 0..K-1, and (units, K) chances. Each takes
weights (draws, units) and returns one number per draw.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from app.core.metrics.ranking import Floats, aucs

Classes = npt.NDArray[np.intp]
ManyOrdinal = Callable[[Classes, Floats, Floats], Floats]
DENSITIES = ("a", "b", "c", "d")
"""BI-RADS 5th edition."""


def one_against_rest(number: int) -> ManyOrdinal:
    """Return the metric: AUC of one class's chance against all other classes."""
    return lambda truth, chances, weights: aucs(truth == number, chances[:, number], weights)


def macro_aucs(truth: Classes, chances: Floats, weights: Floats) -> Floats:
    """Return the plain mean of each class's AUC against the rest; nan where a class is missing.

    Hand, Till (2001) average pairs; this is the one-against-rest mean of Provost, Domingos (2000) without
    weights, as scikit-learn's ``multi_class="ovr", average="macro"``.
    """
    each = [one_against_rest(number)(truth, chances, weights) for number in range(chances.shape[1])]
    found: Floats = np.mean(each, axis=0)
    return found


def accuracies(truth: Classes, chances: Floats, weights: Floats) -> Floats:
    """Return the share of units whose likeliest class (the lowest of equals) is the true one."""
    right = (chances.argmax(axis=1) == truth).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = weights @ right / weights.sum(axis=1)
    return found


def quadratic_kappas(truth: Classes, chances: Floats, weights: Floats) -> Floats:
    """Return Cohen's kappa with quadratic weights between truth and the likeliest class.

    1 - sum(w O) / sum(w E), w = (i - j)^2, E from the margins; Cohen (1968), Psych. Bull. 70:213. nan
    where all units have one and the same class.
    """
    kinds = chances.shape[1]
    said, real = np.eye(kinds)[chances.argmax(axis=1)], np.eye(kinds)[truth]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = weights / weights.sum(axis=1, keepdims=True)
        place = np.arange(kinds, dtype=np.float64)
        seen = share @ ((said @ place) - (real @ place)) ** 2
        apart = (place[:, None] - place[None]) ** 2
        chance = np.einsum("di,ij,dj->d", share @ said, apart, share @ real)
        found: Floats = 1 - seen / chance
    return found

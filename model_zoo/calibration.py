"""From a network's raw value to a score in 0..1, and from a score to its place among negatives.

A calibrated score is a probability *at the prevalence of the data it was fitted on* and nowhere
else; bundle.json says of what and at what prevalence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from model_zoo.fields import Fields

_LEAST_SLOPE = 1e-3
"""Per standard deviation of the raw values. A calibration says how much a value is worth; it must not turn
the order of values round, so one that is worth nothing, or less, keeps this much."""

Method = Literal["none", "platt", "temperature", "isotonic"]
Space = Literal["logit", "probability"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """The ``calibration`` block of bundle.json.

    Attributes
    ----------
    method
        ``none``; ``platt``: ``sigmoid(slope * x + offset)`` (Platt 1999); ``temperature``:
        ``sigmoid(x / temperature)`` (Guo et al. 2017), logits only; ``isotonic``: a table, straight
        between its knots and level beyond them.
    raw, score
        The knots of the table: `raw` strictly rising, `score` never falling, in 0..1.
    """

    method: Method = "none"
    slope: float = 1.0
    offset: float = 0.0
    temperature: float = 1.0
    raw: tuple[float, ...] = ()
    score: tuple[float, ...] = ()

    def apply(self, value: float, space: Space = "logit") -> float:
        """Return the score of a raw value, in 0..1.

        Parameters
        ----------
        value
            A logit, or where `space` is ``probability`` a value already in 0..1 (with the other
            breast's share subtracted it may be negative).
        """
        if self.method == "platt":
            return sigmoid(self.slope * value + self.offset)
        if self.method == "temperature":
            return sigmoid(value / self.temperature)
        if self.method == "isotonic":
            return float(np.interp(value, self.raw, self.score))
        return sigmoid(value) if space == "logit" else float(min(1.0, max(0.0, value)))

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_calibration` takes it: only what the method uses."""
        used: dict[str, tuple[str, ...]] = {
            "none": (),
            "platt": ("slope", "offset"),
            "temperature": ("temperature",),
            "isotonic": ("raw", "score"),
        }
        values = {name: getattr(self, name) for name in used[self.method]}
        return {
            "method": self.method,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in values.items()},
        }


def read_calibration(fields: Fields) -> Calibration:
    """Return the block read from JSON; `BundleError` names a wrong field."""
    method = cast(Method, fields.choice("method", ("none", "platt", "temperature", "isotonic")))
    if method == "platt":
        block = Calibration(method, fields.number("slope"), fields.number("offset"))
    elif method == "temperature":
        block = Calibration(method, temperature=fields.number("temperature", low=1e-3, high=1e3))
    elif method == "isotonic":
        raw, score = fields.numbers("raw"), fields.numbers("score", low=0.0, high=1.0)
        if len(raw) != len(score) or len(raw) < 2:
            raise fields.error("raw", "and score must have the same length, at least 2")
        if any(b <= a for a, b in pairwise(raw)):
            raise fields.error("raw", "must rise strictly")
        if any(b < a for a, b in pairwise(score)):
            raise fields.error("score", "must never fall")
        block = Calibration(method, raw=raw, score=score)
    else:
        block = Calibration()
    fields.finish()
    return block


def sigmoid(value: float) -> float:
    """Return 1 / (1 + exp(-value)) without overflow."""
    if value >= 0:
        return float(1.0 / (1.0 + np.exp(-value)))
    grown = float(np.exp(value))
    return grown / (1.0 + grown)


def logit(probability: float, edge: float = 1e-6) -> float:
    """Return log(p / (1 - p)) of p kept inside [edge, 1 - edge]."""
    kept = min(1.0 - edge, max(edge, probability))
    return float(np.log(kept / (1.0 - kept)))


def fit_platt(raw: npt.ArrayLike, truth: npt.ArrayLike, *, ridge: float = 1e-6) -> Calibration:
    """Return Platt scaling fitted by Newton's method on smoothed targets (Platt 1999); it always rises.

    Parameters
    ----------
    raw
        Raw values, shape (N,).
    truth
        True or 1 for positives, shape (N,); both classes must occur.
    """
    x, y = _pairs(raw, truth)
    positives, negatives = float(y.sum()), float((1 - y).sum())
    target = np.where(y > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(x.mean()), float(x.std()) or 1.0
    design = np.column_stack([(x - centre) / spread, np.ones_like(x)])
    weights = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    for _ in range(100):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -35, 35)))
        slope = design.T @ (chance - target) + ridge * weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + ridge * np.eye(2)
        step = np.clip(np.linalg.solve(curve, slope), -2.0, 2.0)
        weights -= step
        if float(np.abs(step).max()) < 1e-9:
            break
    if weights[0] < _LEAST_SLOPE:
        weights = np.array([_LEAST_SLOPE, logit(float(target.mean()))])
    slope_x = float(weights[0] / spread)
    return Calibration("platt", slope_x, float(weights[1] - slope_x * centre))


def fit_temperature(logits: npt.ArrayLike, truth: npt.ArrayLike) -> Calibration:
    """Return the temperature of least log loss, by golden section over its logarithm in 0.05..20."""
    x, y = _pairs(logits, truth)

    def loss(log_temperature: float) -> float:
        z = x / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0.0, z) - y * z))

    low, high, ratio = np.log(0.05), np.log(20.0), (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(80):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(a) < loss(b) else (a, high)
    return Calibration("temperature", temperature=float(np.exp((low + high) / 2.0)))


def fit_isotonic(raw: npt.ArrayLike, truth: npt.ArrayLike) -> Calibration:
    """Return the isotonic table by pooling adjacent violators; knots at the mean of each pool."""
    x, y = _pairs(raw, truth)
    values, where = np.unique(x, return_inverse=True)
    counts = np.bincount(where).astype(np.float64)
    means = np.bincount(where, weights=y) / counts
    pools: list[list[float]] = []
    for value, mean, count in zip(values, means, counts, strict=True):
        pools.append([float(mean), float(count), float(value * count)])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            mean_b, count_b, sum_b = pools.pop()
            mean_a, count_a, sum_a = pools.pop()
            both = count_a + count_b
            pools.append([(mean_a * count_a + mean_b * count_b) / both, both, sum_a + sum_b])
    knots = tuple(total / count for _, count, total in pools)
    scores = tuple(mean for mean, _, _ in pools)
    if len(knots) == 1:
        knots, scores = (knots[0], knots[0] + 1.0), (scores[0], scores[0])
    return Calibration("isotonic", raw=knots, score=scores)


def percentile_among(negatives: Sequence[float], score: float) -> float | None:
    """Return the share (0..100) of negatives that score lower, from their sorted quantiles.

    Parameters
    ----------
    negatives
        Scores of negatives at evenly spaced quantiles from the lowest to the highest, rising.
    """
    if len(negatives) < 2:
        return None
    quantiles = np.asarray(negatives, np.float64)
    if score <= quantiles[0]:
        return 0.0
    if score > quantiles[-1]:
        return 100.0
    # Equal quantiles: the lowest of them, since only lower scores count.
    upper = int(np.searchsorted(quantiles, score, side="left"))
    low, high = quantiles[upper - 1], quantiles[upper]
    return float(100.0 * (upper - 1 + (score - low) / (high - low)) / (len(quantiles) - 1))


def _pairs(
    raw: npt.ArrayLike, truth: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    x, y = np.asarray(raw, np.float64).ravel(), np.asarray(truth, np.float64).ravel()
    if x.shape != y.shape or not x.size or not np.isfinite(x).all():
        raise ValueError("calibration needs as many finite values as truths, and at least one")
    if not 0 < y.sum() < y.size or not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("calibration needs positives and negatives")
    return x, y

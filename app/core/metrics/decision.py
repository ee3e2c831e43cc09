"""What a threshold does: who is recalled, who is missed; and F1 with scores in place of decisions.

A unit with a score of at least the threshold is recalled.
"""

from __future__ import annotations

import numpy as np

from app.core.metrics.ranking import Bools, Floats, Many, one


def _share(weights: Floats, counted: Bools, of: Bools) -> Floats:
    """Return the weight of `counted` in that of `of`; nan where it has none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (weights @ (counted & of).astype(np.float64)) / (weights @ of.astype(np.float64))
    return found


def sensitivities(threshold: float) -> Many:
    """Return the metric: share of positives that are recalled."""
    return lambda positive, scores, weights: _share(weights, scores >= threshold, positive)


def specificities(threshold: float) -> Many:
    """Return the metric: share of negatives that are not recalled."""
    return lambda positive, scores, weights: _share(weights, scores < threshold, ~positive)


def recall_rates(threshold: float) -> Many:
    """Return the metric: share of all units that are recalled (the recall rate of screening)."""
    return lambda positive, scores, weights: _share(
        weights, scores >= threshold, np.ones_like(positive, dtype=np.bool_)
    )


def predictive_values(threshold: float) -> Many:
    """Return the metric: share of positives among the recalled (PPV1); nan where nobody is recalled."""
    return lambda positive, scores, weights: _share(weights, positive, scores >= threshold)


def probabilistic_f1s(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """Return `probabilistic_f1` of each weighting."""
    chance = np.clip(scores, 0, 1)
    true, every = weights @ (chance * positive), weights @ chance
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = true / every, true / (weights @ positive.astype(np.float64))
        found: Floats = 2 * precision * recall / (precision + recall)
    # Nothing of the positives found: 0, as the competition's code has it; without positives undefined.
    return np.where(np.isnan(recall), np.nan, np.where(true > 0, found, 0.0))


def probabilistic_f1(positive: Bools, scores: Floats, weights: Floats | None = None) -> float:
    """Return pF1: F1 whose counts are sums of scores, clipped to 0..1; nan without positives.

    Precision = sum of positives' scores over sum of all, recall = the former over the number of
    positives; RSNA Screening Mammography (Kaggle 2022), after Yacouby, Axman (2020), Eval4NLP.
    """
    return one(probabilistic_f1s, positive, scores, weights)

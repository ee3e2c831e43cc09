"""Scores as a calibration makes them that was fitted on other patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from app.core.metrics.ranking import Bools, Floats
from model_zoo.calibration import Calibration, logit

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

"""Choosing by patient cross-validation inside the training table: no patient is ever in both parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from app.core.metrics.ranking import Bools, Floats, auc
from trainer.descriptors.cases import Cases, Design, manifest_of
from trainer.descriptors.recipe import DescriptorRecipe
from trainer.descriptors.ridge import Strengths, absence_as_term, fit_tables, log_odds
from trainer.splits import Splits, make_splits

TOLERANCE = 0.005
"""Share of the least log loss by which another may be worse and still count as equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """Out-of-fold log-odds of one repeat, with every group and with the reader's judgement hidden."""

    every: Floats
    unjudged: Floats


@dataclass(frozen=True, slots=True)
class Tried:
    """What one pair of strengths reached, the mean over the repeats; `loss` is what chooses.

    Attributes
    ----------
    loss
        Mean of both log losses, in nats per case.
    auc, auc_unjudged
        With every group, and with the judgement hidden.
    """

    strengths: Strengths
    loss: float
    auc: float
    auc_unjudged: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The outcome: all that was tried, the best of it, and its out-of-fold log-odds by repeat.

    Attributes
    ----------
    exploiting
        AUC with every group and without the judgement of the same model if "not given" were a term;
        nothing of it ships.
    """

    tried: tuple[Tried, ...]
    best: Tried
    outside: tuple[Outside, ...]
    splits: tuple[Splits, ...]
    exploiting: tuple[float, float]


def held_out(data: Design, splits: Splits) -> list[tuple[Bools, Bools]]:
    """Return (train, test) of each fold as flags of cases, (cases,)."""
    made = []
    for fold in splits.folds:
        test = np.isin(data.patients, fold.test)
        made.append((np.isin(data.patients, (*fold.train, *fold.val)), test))
    return made


def out_of_fold(data: Design, splits: Splits, strengths: Strengths, judgement: int) -> Outside:
    """Return each case's log-odds by tables that never saw its patient."""
    every, unjudged = np.zeros(len(data.positive)), np.zeros(len(data.positive))
    for train, test in held_out(data, splits):
        tables, part = fit_tables(data.part(train), strengths), data.part(test)
        every[test] = log_odds(tables, part)
        unjudged[test] = log_odds(tables, part, judgement)
    return Outside(every, unjudged)


def choose(cases: Cases, data: Design, recipe: DescriptorRecipe, judgement: int, seed: int) -> Choice:
    """Return the strengths chosen by out-of-fold log loss, both with and without the judgement."""
    manifest = manifest_of(cases)
    splits = tuple(
        make_splits(manifest, folds=recipe.folds, seed=seed + repeat) for repeat in range(recipe.repeats)
    )
    tried, kept = [], {}
    for alone, together in product(recipe.alone, recipe.together):
        strengths = Strengths(alone, together)
        outside = tuple(out_of_fold(data, one, strengths, judgement) for one in splits)
        kept[strengths] = outside
        tried.append(
            Tried(
                strengths,
                float(np.mean([_loss(data, z) for one in outside for z in (one.every, one.unjudged)])),
                float(np.mean([auc(data.positive, one.every) for one in outside])),
                float(np.mean([auc(data.positive, one.unjudged) for one in outside])),
            )
        )
    best = strongest(tried)
    return Choice(
        tuple(tried), best, kept[best.strengths], splits, _exploiting(data, splits, best.strengths, judgement)
    )


def strongest(tried: Sequence[Tried]) -> Tried:
    """Return the strongest shrinkage whose loss is within `TOLERANCE` of the least; alone counts first.

    Weak shrinkage costs next to nothing in cross-validation and makes chances of one in thousands out of
    terms that happened never to be malignant in a few hundred lesions.
    """
    least = min(one.loss for one in tried)
    near = [one for one in tried if one.loss <= least * (1 + TOLERANCE)]
    return max(near, key=lambda one: (one.strengths.alone, one.strengths.together))


def _loss(data: Design, log_odds: Floats) -> float:
    return float(np.mean(np.logaddexp(0, log_odds) - data.positive * log_odds))


def _exploiting(
    data: Design, splits: tuple[Splits, ...], strengths: Strengths, judgement: int
) -> tuple[float, float]:
    blanks = absence_as_term(data)
    outside = [out_of_fold(blanks, one, strengths, judgement) for one in splits]
    return (
        float(np.mean([auc(data.positive, one.every) for one in outside])),
        float(np.mean([auc(data.positive, one.unjudged) for one in outside])),
    )

"""Which case is worth reading next: four strategies over one pool, and patients who are never offered.

What was chosen by its score is no random sample: every choice is recorded with its strategy
(`app.core.audit.choice`), and a random control tells how far a strategy bends the set.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from app.core.errors import MammoviewError, ReadError

Strategy = Literal["uncertainty", "disagreement", "diversity", "random"]
STRATEGIES: Final[tuple[Strategy, ...]] = get_args(Strategy)
Floats = npt.NDArray[np.float64]


class ChoiceError(MammoviewError):
    """A strategy that lacks what it needs, or a pool without a case to offer; one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """The cases to choose from, all of a length.

    Attributes
    ----------
    patients
        Patient id of each.
    scores
        (models, cases), nan where a model has none; any monotone scale.
    embeddings
        (cases, width), rows of nan where there is none; None: there are none at all.
    read
        True: somebody read it already. It is not offered; diversity keeps away from it.
    """

    patients: Sequence[str]
    scores: Floats
    embeddings: npt.NDArray[np.float32] | None = None
    read: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.patients)


@dataclass(frozen=True, slots=True)
class Offer:
    """A case that is offered.

    Attributes
    ----------
    case
        Its place in the pool.
    value
        What the strategy made of it, the larger the earlier; of the random control its lot, 0..1.
    """

    case: int
    value: float


def next_cases(
    pool: Pool,
    strategy: Strategy,
    count: int,
    *,
    frozen: Collection[str],
    threshold: float | None = None,
    seed: int = 0,
) -> tuple[Offer, ...]:
    """Return the next cases, the most useful first; never one of a frozen patient.

    Parameters
    ----------
    count
        At most so many; fewer where fewer are left.
    frozen
        Patient ids of the test part (`frozen_patients`).
    threshold
        Of the first model's score, for ``uncertainty``; None: the median of its scores.
    seed
        Of the random control, and of nothing else.

    Raises
    ------
    ChoiceError
        No scores, no second model or no embeddings for a strategy that needs them; nothing left to offer.
    """
    barred = set(frozen)
    closed = np.array([patient in barred for patient in pool.patients], np.bool_)
    read = np.zeros(len(pool), np.bool_) if pool.read is None else pool.read
    free = ~closed & ~read
    if not free.any():
        raise ChoiceError("no case is left to offer: all are read, or belong to the frozen test part")
    if strategy == "diversity":
        if pool.embeddings is None:
            raise ChoiceError("diversity needs embeddings of the cases, and there are none")
        return k_centre(pool.embeddings, np.flatnonzero(free), np.flatnonzero(read & ~closed), count)
    if strategy == "random":
        values = np.random.default_rng(seed).random(len(pool))
    elif strategy == "uncertainty":
        values = uncertainty(pool.scores, threshold)
    else:
        values = disagreement(pool.scores)
    values = np.where(free, values, np.nan)
    order = np.argsort(-values, kind="stable")
    return tuple(
        Offer(int(case), float(values[case])) for case in order[:count] if not np.isnan(values[case])
    )


def uncertainty(scores: Floats, threshold: float | None = None) -> Floats:
    """Return how near the first model's score is to the threshold: 1 less the share of scores between, 0..1.

    By shares, not by differences, so that it does not depend on how a model is calibrated.
    """
    if not len(scores) or np.isnan(scores[0]).all():
        raise ChoiceError("uncertainty needs a model's scores, and there are none")
    first = scores[0]
    known = np.sort(first[~np.isnan(first)])
    at = np.searchsorted(known, np.median(known) if threshold is None else threshold)
    apart = np.abs(np.searchsorted(known, first) - at) / len(known)
    return np.where(np.isnan(first), np.nan, 1.0 - apart)


def disagreement(scores: Floats) -> Floats:
    """Return how far apart models rank a case: the span of its ranks as shares of the cases, 0..1."""
    if len(scores) < 2:
        raise ChoiceError("disagreement needs the scores of two models")
    common = ~np.isnan(scores).any(axis=0)
    if not common.any():
        raise ChoiceError("disagreement needs cases that two models have scored, and there are none")
    ranks = np.stack([_ranks(each[common]) for each in scores])
    found = np.full(scores.shape[1], np.nan)
    found[common] = ranks.max(axis=0) - ranks.min(axis=0)
    return found


def _ranks(values: Floats) -> Floats:
    """Return the share of values below each, ties in the middle."""
    known = np.sort(values)
    below, upto = np.searchsorted(known, values, "left"), np.searchsorted(known, values, "right")
    ranks: Floats = (below + upto) / (2.0 * len(known))
    return ranks


def k_centre(
    embeddings: npt.NDArray[np.float32],
    free: npt.NDArray[np.intp],
    centres: npt.NDArray[np.intp],
    count: int,
) -> tuple[Offer, ...]:
    """Return cases that cover the pool: each time the one farthest from all read and chosen before.

    Greedy k-centre (Gonzalez 1985; Sener and Savarese 2018), at most twice the best radius. Without a case
    that was read the first is the one nearest to the mean. Ties go to the earlier case.

    Parameters
    ----------
    embeddings
        (cases, width); cases with nan are passed over.
    free, centres
        Places in the pool: what may be chosen, and what counts as covered from the start.

    Returns
    -------
    Offers; `value` is the distance to the nearest centre when it was chosen, 0 for a first one.
    """
    known = np.asarray(~np.isnan(embeddings).any(axis=1))
    free, centres = free[known[free]], centres[known[centres]]
    if not len(free):
        raise ChoiceError("diversity needs embeddings of the cases, and no case left has one")
    points = embeddings[free].astype(np.float64)
    nearest = np.full(len(free), np.inf)
    for centre in centres:
        nearest = np.minimum(nearest, _distances(points, embeddings[centre]))
    found: list[Offer] = []
    while len(found) < min(count, len(free)):
        if np.isinf(nearest).all():
            at, value = int(np.argmin(_distances(points, points.mean(axis=0)))), 0.0
        else:
            at = int(np.argmax(nearest))
            value = float(nearest[at])
        found.append(Offer(int(free[at]), value))
        nearest = np.minimum(nearest, _distances(points, points[at]))
        nearest[at] = -np.inf
    return tuple(found)


def _distances(points: Floats, point: npt.NDArray[np.floating]) -> Floats:
    distances: Floats = np.sqrt(((points - point) ** 2).sum(axis=1))
    return distances


def frozen_patients(splits: Path, fold: int | None = None) -> frozenset[str]:
    """Return the patients of the test part of a splits.json: they are never offered, nor trained on.

    Parameters
    ----------
    fold
        From 0; None: the test parts of all folds together.

    Raises
    ------
    ReadError
        It cannot be read, has no such fold, or tests every patient, so that none would be left.
    """
    try:
        content = json.loads(splits.read_text(encoding="utf-8"))
        if content.get("format") != "mammoview-splits":
            raise ReadError(splits, "is no mammoview-splits file")
        if fold is not None and not 0 <= fold < len(content["folds"]):
            raise ReadError(splits, f"has no fold {fold}; its {len(content['folds'])} folds count from 0")
        folds = content["folds"] if fold is None else [content["folds"][fold]]
        parts = [{str(one) for one in each["test"]} for each in folds]
        everyone = {str(one) for each in folds for name in ("train", "val", "test") for one in each[name]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ReadError(splits, f"the splits cannot be read ({error.__class__.__name__})") from error
    frozen = frozenset[str]().union(*parts)
    if frozen == everyone:
        raise ReadError(splits, "its folds test every patient in turn; name the fold that is frozen")
    return frozen

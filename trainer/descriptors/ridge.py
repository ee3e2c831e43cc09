"""The tables of a descriptor model: logistic regression, one for each set of groups that may be given.

Each set's table is fitted on every case that has all of its groups, whatever else it has, so that a
group left out says nothing. A group given alone is shrunk towards 0; several given together are shrunk
towards what each says where one of the others is left out, so that a term which hardly ever occurs in
company (vascular calcifications have no distribution) keeps what it says alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from app.core.metrics.ranking import Bools, Floats
from model_zoo.calibration import logit
from trainer.descriptors.cases import Design

_STEPS = 60
_SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class Strengths:
    """Ridge penalties: of a group given alone, and of several given together."""

    alone: float
    together: float


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What each term adds to the log-odds.

    Attributes
    ----------
    prevalence
        Share of positives among the cases fitted, to whose logit the terms are added.
    weights
        (sets, terms), the sets as `sets_of` orders them; 0 for terms of groups not in the set.
    """

    prevalence: float
    weights: Floats


def sets_of(groups: int) -> list[tuple[int, ...]]:
    """Return every set of groups but the empty one, the small ones first."""
    return [chosen for size in range(1, groups + 1) for chosen in combinations(range(groups), size)]


def flags_of(groups: int) -> Bools:
    """Return the same sets as flags, (sets, groups)."""
    return np.array([[group in chosen for group in range(groups)] for chosen in sets_of(groups)])


def fit_tables(data: Design, strengths: Strengths, weights: Floats | None = None) -> Tables:
    """Return the tables of weighted cases; both classes should occur.

    Parameters
    ----------
    weights
        How often each case counts, (cases,); None: once.
    """
    weight = np.ones(len(data.positive)) if weights is None else weights
    share = float(np.average(data.positive, weights=weight))
    offset = logit(share, 1e-3)
    found: dict[tuple[int, ...], Floats] = {}
    for chosen in sets_of(len(data.spans)):
        columns = np.concatenate([np.arange(*data.spans[group]) for group in chosen])
        cases = data.given[:, chosen].all(axis=1) & (weight > 0)
        start = _before(chosen, found, data)
        penalty = strengths.alone if len(chosen) == 1 else strengths.together
        table = np.zeros(data.terms.shape[1])
        part = data.terms[np.ix_(cases, columns)]
        table[columns] = _logistic(part, data.positive[cases], weight[cases], offset, penalty, start[columns])
        found[chosen] = table
    return Tables(share, np.array(list(found.values())))


def _before(chosen: tuple[int, ...], found: dict[tuple[int, ...], Floats], data: Design) -> Floats:
    """Return the mean of what each group says where one of the others is left out; 0 for one alone."""
    start = np.zeros(data.terms.shape[1])
    for group in chosen if len(chosen) > 1 else ():
        span = slice(*data.spans[group])
        smaller = [tuple(g for g in chosen if g != left_out) for left_out in chosen if left_out != group]
        start[span] = np.mean([found[one][span] for one in smaller], axis=0)
    return start


def _logistic(
    terms: Floats, positive: Bools, weight: Floats, offset: float, penalty: float, centre: Floats
) -> Floats:
    """Return ridge-penalised logistic weights around `centre`, by Newton's method with halved steps."""
    if not len(positive):
        return centre
    # Few distinct rows: cases with the same terms are one row with a count.
    rows, where = np.unique(terms, axis=0, return_inverse=True)
    count = np.bincount(where.ravel(), weight)
    hits = np.bincount(where.ravel(), weight * positive)

    def loss(beta: Floats) -> float:
        z = rows @ beta + offset
        return float(
            np.sum(count * np.logaddexp(0, z) - hits * z) + penalty / 2 * np.sum((beta - centre) ** 2)
        )

    beta, now = centre.copy(), loss(centre)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ beta + offset, -50, 50)))
        slope = rows.T @ (count * chance - hits) + penalty * (beta - centre)
        curve = (rows * (count * chance * (1 - chance))[:, None]).T @ rows + penalty * np.eye(len(beta))
        step = np.linalg.solve(curve, slope)
        while loss(beta - step) > now and np.abs(step).max() > _SMALL:
            step /= 2
        beta, now = beta - step, loss(beta - step)
        if np.abs(step).max() < _SMALL:
            break
    return beta


def log_odds(tables: Tables, data: Design, without: int | None = None) -> Floats:
    """Return each case's log-odds at the tables' prevalence, (cases,), with one group hidden if asked."""
    given = data.given.copy()
    if without is not None:
        given[:, without] = False
    flags = flags_of(len(data.spans))
    place = {tuple(row): number for number, row in enumerate(flags.tolist())}
    made = np.full(len(given), logit(tables.prevalence))
    for number, row in enumerate(given.tolist()):
        if any(row):
            made[number] += data.terms[number] @ tables.weights[place[tuple(row)]]
    return made


def bootstrap(data: Design, strengths: Strengths, members: int, seed: int) -> Floats:
    """Return the tables of an ensemble, each on patients drawn with replacement, (members, sets, terms)."""
    ids, index = np.unique(data.patients, return_inverse=True)
    generator = np.random.default_rng(seed)
    made = []
    for _ in range(members):
        counts = np.bincount(generator.integers(len(ids), size=len(ids)), minlength=len(ids))
        made.append(fit_tables(data, strengths, counts[index].astype(np.float64)).weights)
    return np.array(made)


def absence_as_term(data: Design) -> Design:
    """Return the same cases with "not given" made a term of each group.

    No model that ships is made of it: it shows what exploiting the blanks would bring.
    """
    blocks = [
        np.column_stack([data.terms[:, start:end], ~data.given[:, group]])
        for group, (start, end) in enumerate(data.spans)
    ]
    spans = tuple((start + group, end + group + 1) for group, (start, end) in enumerate(data.spans))
    return Design(np.hstack(blocks), np.ones_like(data.given), data.positive, data.patients, spans)

"""Does the map depend on what was learnt: weights shuffled from the top down (Adebayo et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from trainer.honesty.cases import Case
from trainer.honesty.networks import Explained
from trainer.honesty.rules import rule
from trainer.honesty.similarity import Map, mean_of, ssim

STEPS = (0.2, 0.4, 0.6, 0.8)
"""Shares of the layers that are shuffled, from the top, before all of them are."""
SEEDS = (11, 12, 13)
CEILING = 0.4
"""Similarity of two shuffled networks counts up to this."""


def measure_randomised(cases: Sequence[Case], maps: Sequence[Map]) -> dict[str, Any]:
    """Return the result of ``randomised``: SSIM to the trained map after each step, and of shuffled pairs."""
    cascade = {}
    for step in STEPS:
        cascade[f"{step:.0%}"] = _alike(maps, _shuffled_maps(cases, step, SEEDS[0]))[0]
    others = [_shuffled_maps(cases, 1.0, seed) for seed in SEEDS]
    to_trained = [_alike(maps, other) for other in others]
    value, _ = mean_of([mean for mean, _ in to_trained])
    cascade["100%"] = value
    between, _ = mean_of([_alike(one, other)[0] for one, other in combinations(others, 2)])
    # Where shuffled networks draw nothing at all, two of them are not said to be alike.
    random = 0.0 if np.isnan(between) else between
    images = max((known for _, known in to_trained), default=0)
    return {
        # A map that no weight changes is like that of every network: two shuffled ones do not excuse it.
        "result": rule("randomised").judge(value - min(random, CEILING), images),
        "value": value,
        "two_random": random,
        "cascade": cascade,
        "n": images,
    }


def _shuffled_maps(cases: Sequence[Case], share: float, seed: int) -> list[Map]:
    made: dict[int, Explained] = {}
    found = []
    for case in cases:
        if id(case.network) not in made:
            made[id(case.network)] = case.network.shuffled(share, seed)
        found.append(made[id(case.network)].look(case.pixels[None]).map(0))
    return found


def _alike(first: Sequence[Map], second: Sequence[Map]) -> tuple[float, int]:
    return mean_of([ssim(one, other) for one, other in zip(first, second, strict=True)])

"""Does the map follow the image when it is turned or moved, and come again from another training?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainer.honesty.cases import Case
from trainer.honesty.networks import Explained
from trainer.honesty.rules import rule
from trainer.honesty.similarity import Map, correlation, mean_of

SHIFT = 32
"""Prepared pixels; a multiple of every network's stride, so that cells fall on cells."""


def _result(name: str, values: list[float]) -> dict[str, Any]:
    mean, known = mean_of(values)
    return {"result": rule(name).judge(mean, known), "value": mean, "n": known}


def measure_turned(cases: Sequence[Case], maps: Sequence[Map]) -> dict[str, Any]:
    """Return the results of ``flip`` (top to bottom) and ``shift`` (down)."""
    flips, shifts = [], []
    for case, own in zip(cases, maps, strict=True):
        moved = np.full_like(case.pixels, case.pixels.min())
        moved[SHIFT:] = case.pixels[:-SHIFT]
        turned, after = case.network.look(np.stack([case.pixels[::-1], moved])).maps
        cells = SHIFT * own.shape[0] // case.pixels.shape[0]
        flips.append(correlation(own, turned[::-1]))
        # The rows that left at the bottom are in neither part; those that came in at the top are ground.
        shifts.append(correlation(own[:-cells], after[cells:]))
    return {"flip": _result("flip", flips), "shift": _result("shift", shifts)}


def measure_repeated(pairs: Sequence[tuple[Explained, Explained]], cases: Sequence[Case]) -> dict[str, Any]:
    """Return the result of ``repeat``: the mean over pairs of trainings of their maps' correlation."""
    if not pairs:
        return {"result": "not measured", "n": 0}
    values = []
    for case in cases:
        looks = [
            (one.look(case.pixels[None]).map(0), other.look(case.pixels[None]).map(0)) for one, other in pairs
        ]
        values.append(mean_of([correlation(one, other) for one, other in looks])[0])
    return _result("repeat", values) | {"pairs": len(pairs)}

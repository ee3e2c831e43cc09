"""Classes beside the score: from a network's further logits to the chances of view, breast and exam.

Density is such: fatty, glandular or dense. Where one class at a time holds, the chances of a view are the
softmax of its logits over a temperature; where several may, each is the sigmoid of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from model_zoo.outputs import ClassOutputs

Chances = npt.NDArray[np.float64]
"""(K,), 0..1, in the order of the bundle's names."""

Place = tuple[str | None, str | None]
"""Laterality and view."""


def chances_of(logits: Sequence[float], classes: ClassOutputs, temperature: float | None = None) -> Chances:
    """Return the chances of one view's logits.

    Parameters
    ----------
    logits
        One per class.
    temperature
        In place of the bundle's own; Guo et al. (2017), ICML.
    """
    scaled = np.asarray(logits, np.float64) / (temperature or classes.temperature or 1.0)
    if not classes.exclusive:
        several: Chances = 1.0 / (1.0 + np.exp(-np.clip(scaled, -700, 700)))
        return several
    grown = np.exp(scaled - scaled.max())
    return np.asarray(grown / grown.sum(), np.float64)


def with_other_breast(own: Sequence[Chances | None], places: Sequence[Place]) -> tuple[Chances | None, ...]:
    """Return each view's chances averaged with those of the other breast's same view, where there is one.

    Both breasts of a woman are nearly always equally dense, so that a second look at her is as good as
    another film of the same breast. Several views of the other breast count as their mean.
    """
    made: list[Chances | None] = []
    for chances, (side, view) in zip(own, places, strict=True):
        other = {"L": "R", "R": "L"}.get(side or "")
        beside = [
            one
            for one, place in zip(own, places, strict=True)
            if one is not None and other is not None and place == (other, view)
        ]
        if chances is None or not beside:
            made.append(chances)
        else:
            made.append((chances + np.mean(beside, axis=0)) / 2)
    return tuple(made)


def pooled(chances: Sequence[Chances]) -> Chances | None:
    """Return the mean of several chances, None of none."""
    return np.asarray(np.mean(chances, axis=0), np.float64) if len(chances) else None


def named(chances: Chances | None, names: Sequence[str]) -> dict[str, float]:
    """Return chances by the names of their classes; empty where there are none."""
    if chances is None:
        return {}
    return {name: float(value) for name, value in zip(names, chances, strict=True)}


def likeliest_first(chances: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return (name, chance) by falling chance; equals keep their order."""
    return tuple(sorted(chances.items(), key=lambda item: -item[1]))


def fit_class_temperature(loss: Callable[[float], float]) -> float:
    """Return the temperature of least loss, by golden section over its logarithm in 0.05..20.

    Parameters
    ----------
    loss
        Mean log loss of the chances that ship, all averaging done, at a temperature.
    """
    low, high, ratio = np.log(0.05), np.log(20.0), (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if loss(float(np.exp(a))) < loss(float(np.exp(b))) else (a, high)
    return float(np.exp((low + high) / 2.0))

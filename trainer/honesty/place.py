"""Does the map point at the lesion, and more often than a guess: pointing game and energy in the box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.core.metrics.bootstrap import intervals
from trainer.honesty.cases import Case
from trainer.honesty.references import REFERENCES, coverage, reference_maps
from trainer.honesty.rules import rule
from trainer.honesty.similarity import Map, silent

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One measure of every image: the map's, and each reference's."""

    own: Numbers
    references: dict[str, Numbers]


def points_at(values: Map, covered: Map) -> float:
    """Return 1 where the strongest cell touches a lesion, else 0; a silent map points nowhere.

    Zhang et al. 2018 (excitation backprop), with the cell's own extent as the tolerance.
    """
    return 0.0 if silent(values) else float(covered.flat[int(values.argmax())] > 0)


def energy_in(values: Map, covered: Map) -> float:
    """Return the share of the map's evidence in lesions (Wang et al. 2020, Score-CAM); silent: 0."""
    total = float(values.sum(dtype=np.float64))
    return float((values * covered).sum(dtype=np.float64)) / total if total > 0 else 0.0


def _chance(mask: Map, covered: Map) -> float:
    """Return the chance that a cell drawn from the breast touches a lesion."""
    return energy_in(mask, (covered > 0).astype(np.float32))


def measure_places(cases: Sequence[Case], maps: Sequence[Map]) -> dict[str, dict[str, Any]]:
    """Return the results of ``pointing`` and ``energy``."""
    pointing = Scored(np.zeros(len(cases)), {name: np.zeros(len(cases)) for name in REFERENCES})
    energy = Scored(np.zeros(len(cases)), {name: np.zeros(len(cases)) for name in REFERENCES})
    for number, (case, values) in enumerate(zip(cases, maps, strict=True)):
        size, shape = (case.pixels.shape[0], case.pixels.shape[1]), (values.shape[0], values.shape[1])
        covered = coverage(case.boxes, size, shape)
        guesses = reference_maps(case.pixels, case.breast, shape)
        pointing.own[number] = points_at(values, covered)
        energy.own[number] = energy_in(values, covered)
        for name, guess in guesses.items():
            hit = _chance(guess, covered) if name == "breast" else points_at(guess, covered)
            pointing.references[name][number] = hit
            energy.references[name][number] = energy_in(guess, covered)
    patients = [case.patient for case in cases]
    silent_maps = sum(silent(values) for values in maps)
    made = {name: _result(name, one, patients) for name, one in (("pointing", pointing), ("energy", energy))}
    for one in made.values():
        one["silent"] = silent_maps
    return made


def mean_interval(values: Numbers, patients: Sequence[str]) -> tuple[float, float]:
    """Return the 95 % patient-bootstrap interval of a mean over images."""
    return intervals(lambda weights: weights @ values / weights.sum(axis=1), patients)


def _result(name: str, scored: Scored, patients: Sequence[str]) -> dict[str, Any]:
    """Return one test's result: judged is the map less the reference that did best."""
    images = len(patients)
    if not images:
        return {"result": "not measured", "n": 0}
    means = {guess: float(values.mean()) for guess, values in scored.references.items()}
    best = max(means, key=lambda guess: means[guess])
    low, high = mean_interval(scored.own, patients)
    margin = scored.own - scored.references[best]
    margin_low, margin_high = mean_interval(margin, patients)
    return {
        "result": rule(name).judge(margin_low, images),
        "value": float(scored.own.mean()),
        "low": low,
        "high": high,
        "n": images,
        "references": means,
        "best_reference": best,
        "margin": {"value": float(margin.mean()), "low": margin_low, "high": margin_high},
    }

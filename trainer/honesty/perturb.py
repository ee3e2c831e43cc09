"""Does the score hang on what the map marks: its cells blurred away, or brought back, the strongest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from trainer.honesty.cases import Case
from trainer.honesty.place import mean_interval
from trainer.honesty.references import to_grid
from trainer.honesty.rules import rule
from trainer.honesty.similarity import Map

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Of the breast's cells."""
_BLUR = 0.05
"""Of the longer side: the spread of the Gaussian that stands for "nothing there"."""


def measure_perturbed(cases: Sequence[Case], maps: Sequence[Map]) -> dict[str, Any]:
    """Return the results of ``deletion`` and ``insertion`` (Petsiuk et al. 2018), against a random order.

    Each image's number is the mean logit over the steps, less the same with its cells in random order.
    """
    generator = np.random.default_rng(5)
    kept: dict[str, list[float]] = {"deletion": [], "insertion": []}
    patients = []
    for case, values in zip(cases, maps, strict=True):
        blurred = cv2.GaussianBlur(case.pixels, (0, 0), _BLUR * max(case.pixels.shape))
        breast = to_grid(case.breast.astype(np.float32), (values.shape[0], values.shape[1])).ravel() > 0.1
        cells = generator.permutation(np.flatnonzero(breast))
        if len(cells) < len(SHARES):
            continue
        # Stable: cells of equal evidence stay in their random order.
        strongest = cells[np.argsort(-values.ravel()[cells], kind="stable")]
        scores = {}
        for name, order in (("map", strongest), ("random", generator.permutation(cells))):
            masks = [_mask(order[: max(1, round(share * len(order)))], values, case) for share in SHARES]
            gone = np.stack([np.where(mask, blurred, case.pixels) for mask in masks])
            back = np.stack([np.where(mask, case.pixels, blurred) for mask in masks])
            seen = case.network.look(np.concatenate([gone, back])).scores
            scores[name] = seen[: len(SHARES)].mean(), seen[len(SHARES) :].mean()
        patients.append(case.patient)
        kept["deletion"].append(float(scores["map"][0] - scores["random"][0]))
        kept["insertion"].append(float(scores["map"][1] - scores["random"][1]))
    return {name: _result(name, np.array(values), patients) for name, values in kept.items()}


def _mask(cells: npt.NDArray[np.int64], values: Map, case: Case) -> npt.NDArray[np.bool_]:
    grid = np.zeros(values.shape, np.uint8)
    grid.ravel()[cells] = 1
    rows, columns = case.pixels.shape
    whole = cv2.resize(grid, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole > 0)


def _result(name: str, values: npt.NDArray[np.float64], patients: Sequence[str]) -> dict[str, Any]:
    if not len(values):
        return {"result": "not measured", "n": 0}
    low, high = mean_interval(values, patients)
    judged = high if name == "deletion" else low
    return {
        "result": rule(name).judge(judged, len(values)),
        "value": float(values.mean()),
        "low": low,
        "high": high,
        "n": len(values),
    }

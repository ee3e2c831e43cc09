"""How alike two heat maps are: structural similarity where either has something, and correlation."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
"""float32 (h, w), >= 0: what is drawn."""

_SIGMA = 1.5
_C1, _C2 = 0.01**2, 0.03**2
_SOMETHING = 0.05
"""A cell holds something from this share of its map's maximum."""


def silent(values: Map) -> bool:
    """Tell whether a map has no evidence anywhere."""
    return float(values.max(initial=0.0)) <= 0.0


def _mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    blurred: npt.NDArray[np.float64] = cv2.GaussianBlur(values, (0, 0), _SIGMA, borderType=cv2.BORDER_REFLECT)
    return blurred


def ssim(first: Map, second: Map) -> float:
    """Return the structural similarity of two maps, each scaled to its own maximum; 1: the same.

    Wang et al. 2004, Gaussian window of 1.5 cells, averaged over the cells where either map holds something:
    the empty ground that sparse maps share says nothing. A silent map and one that is not: 0. Two silent
    maps: nan.
    """
    if silent(first) or silent(second):
        return float("nan") if silent(first) and silent(second) else 0.0
    a, b = (values.astype(np.float64) / float(values.max()) for values in (first, second))
    mean_a, mean_b = _mean(a), _mean(b)
    spread_a, spread_b = _mean(a * a) - mean_a**2, _mean(b * b) - mean_b**2
    shared = _mean(a * b) - mean_a * mean_b
    top = (2 * mean_a * mean_b + _C1) * (2 * shared + _C2)
    bottom = (mean_a**2 + mean_b**2 + _C1) * (spread_a + spread_b + _C2)
    return float((top / bottom)[np.maximum(a, b) >= _SOMETHING].mean())


def correlation(first: Map, second: Map) -> float:
    """Return Pearson's correlation over the cells; nan where both are silent, 0 where one does not vary."""
    if silent(first) and silent(second):
        return float("nan")
    a, b = (values.astype(np.float64) - float(values.mean()) for values in (first, second))
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / spread) if spread > 0 else 0.0


def mean_of(values: list[float]) -> tuple[float, int]:
    """Return the mean of those values that are not nan, and how many they are; (nan, 0) of none."""
    known = [value for value in values if not np.isnan(value)]
    return (float(np.mean(known)) if known else float("nan")), len(known)

"""From tissue to stored values: thickness equalisation, skin, unsharpness, quantum noise, 12 bits."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from app.core.phantom.anatomy import ViewShape
from app.core.phantom.lesion_shapes import Drawn, overlap
from app.core.phantom.texture import FloatArray, smoothstep
from app.core.phantom.tissue import Tissue, fine_structure

BITS = 12
_FINE_MM = 0.15
_SOLID = 1.3  # a solid mass, units of gland
FAT, GLAND = 900.0, 1250.0
"""Stored value of fat well inside the breast, and how much a unit of gland adds."""


def _enlarge(plane: FloatArray, shape: tuple[int, int], times: int) -> FloatArray:
    """Return a plane of the working grid at the view's pixels, smoothly."""
    if times == 1:
        return plane
    size = (plane.shape[1] * times, plane.shape[0] * times)
    large = cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[: shape[0], : shape[1]], dtype=np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, int], spacing: float) -> FloatArray:
    """Return quantum noise in stored values: finer pixels catch fewer quanta; neighbours share a little."""
    grain = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 0.62)
    return np.asarray(grain * np.float32(max(9.0, 80.0 * min(1.0, 0.07 / spacing))), dtype=np.float32)


def expose(
    tissue: Tissue,
    lesions: Sequence[Drawn],
    form: ViewShape,
    shape: tuple[int, int],
    spacing: float,
    rng: np.random.Generator,
    fine_seed: int = 0,
) -> npt.NDArray[np.uint16]:
    """Return stored values of a view: 0 outside of the breast, 1..4095 inside.

    Parameters
    ----------
    tissue
        On a working grid whose spacing is a whole multiple of `spacing`.
    lesions
        Added at full resolution.
    form
        For the nipple and the thickness of the skin.
    shape, spacing
        (rows, columns) and mm of the result.
    rng
        Of the quantum noise.
    fine_seed
        Of the finest fibrils, which are drawn only where pixels are small enough to show them.
    """
    times = round(tissue.spacing / spacing)
    amount, depth = (_enlarge(plane, shape, times).copy() for plane in (tissue.amount, tissue.skin))
    for lesion in lesions:
        target, source = overlap(lesion.corner, lesion.signal.shape, shape)
        solid = lesion.solid[source]
        amount[target] += lesion.signal[source] + solid * (_SOLID - amount[target])
    if spacing < _FINE_MM:
        key = (form.side, form.view, fine_seed)
        amount += fine_structure(key, *shape, spacing) * np.clip(0.015 + 0.07 * amount, 0.012, 0.09)
    np.minimum(amount, 1.45 + (amount - 1.45) * 0.8, out=amount)
    # Equalisation leaves the thinning rim a little darker than the rest; the skin is a bright line on it.
    rim = np.exp(depth * np.float32(-1 / 3.2))
    level = (1 - 0.52 * np.minimum(rim, 1)) * (FAT + GLAND * amount)
    skin = np.square((depth - np.float32(0.55 * form.skin_mm)) * np.float32(1 / (0.5 * form.skin_mm)))
    level += np.exp(-skin) * np.float32(250)
    level *= smoothstep(depth, -0.05, 0.45) * 0.8 + 0.2
    level += _noise(rng, shape, spacing) * np.sqrt(np.clip(level * np.float32(1 / 1500), 0.15, 1.6))
    stored = np.clip(np.rint(level), 8, 2**BITS - 1)
    stored[depth <= 0] = 0
    return np.asarray(stored, dtype=np.uint16)

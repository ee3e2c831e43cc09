"""Texture of a breast in numbers: grey levels, contrast by scale, local patterns; nothing in it is learnt.

One image of 0.4 mm pixels, P-values as 0..1, air black. Measured is the inside of the breast, without its
rim (where it grows thin) and without the pectoral muscle. 118 numbers: `NAMES` says which.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor

from model_zoo.architectures.muscle import pectoral
from model_zoo.errors import ModelError

QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
BELOW_MUSCLE = (0.0, 0.05, 0.1, 0.15, 0.2)
"""Grey levels below the muscle's median; tissue above them is counted as dense."""

SCALES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0)
"""Standard deviations of the Gaussians between which contrast is measured, in pixels of 0.8 mm."""

PATTERNS = ((None, 2), (None, 2), (0.5, 3), (1.0, 6), (2.0, 12))
"""Local patterns: at 0.4 mm, then at 0.8 mm smoothed by so much, compared at so many pixels' distance."""

_RIM = 6
"""Pixels of 0.8 mm left out along the breast's edge."""

_LEAST = 200
"""Pixels of 0.8 mm without which there is nothing to measure."""

_BANDS = ("finest", *(f"{0.8 * scale:g} mm" for scale in SCALES))
_CODES = (*range(9), "other")

NAMES: tuple[str, ...] = (
    *(f"grey {q:g}" for q in QUANTILES),
    *(f"relative grey {q:g}" for q in QUANTILES[2:8]),
    *("mean", "spread", "skewness", "kurtosis", "spread over mean"),
    *("median to muscle", "0.9 to muscle", "0.99 to muscle", "0.05 to muscle"),
    *(f"share above muscle - {below:g}" for below in BELOW_MUSCLE),
    *(f"{what} at {band}" for band in _BANDS for what in ("contrast", "skewness", "kurtosis", "mean size")),
    *(f"bright to dark at {band}" for band in _BANDS[1:]),
    *(f"pattern {code} of {n}" for n in range(len(PATTERNS)) for code in _CODES),
)
"""What each number is, in order."""


def blur(image: Tensor, sigma: float) -> Tensor:
    """Return (1, 1, H, W) smoothed by a Gaussian of `sigma` pixels, black beyond the edge."""
    reach = max(1, round(3 * sigma))
    place = torch.arange(-reach, reach + 1, dtype=image.dtype, device=image.device)
    kernel = torch.exp(-place.square() / (2 * sigma * sigma))
    kernel = kernel / kernel.sum()
    across = functional.conv2d(functional.pad(image, (reach, reach, 0, 0)), kernel.view(1, 1, 1, -1))
    return functional.conv2d(functional.pad(across, (0, 0, reach, reach)), kernel.view(1, 1, -1, 1))


def blur_inside(image: Tensor, inside: Tensor, sigma: float) -> Tensor:
    """Return the mean of what is inside under a Gaussian, so that air does not darken the rim."""
    return blur(image * inside, sigma) / blur(inside, sigma).clamp_min(1e-3)


def measure(image: Tensor) -> Tensor:
    """Return the 118 numbers of one image.

    Parameters
    ----------
    image
        float32 (H, W), multiples of 32, 0.4 mm per pixel, 0..1, 0 in the air; chest wall on the left, head
        on top.

    Raises
    ------
    ModelError
        Too little breast to measure.
    """
    fine = image[None, None].float()
    inside = (fine > 0).float()
    half = functional.avg_pool2d(fine, 2)
    body = (functional.avg_pool2d(inside, 2) > 0.5).float()
    region, muscle = _regions(half, body)
    values = half[region > 0]
    if len(values) < _LEAST:
        raise ModelError("there is too little breast in the image to measure its texture")
    smooth = [blur_inside(half, body, sigma) for sigma in SCALES]
    quantiles = _quantiles(values)
    found = (
        quantiles,
        _relative(quantiles),
        _moments(values),
        _beside_muscle(values, quantiles, half[muscle > 0]),
        *_contrasts(fine, half, inside, region, smooth, quantiles[4]),
        *_patterns(fine, half, inside, region, smooth),
    )
    return torch.cat(found)


def _regions(half: Tensor, body: Tensor) -> tuple[Tensor, Tensor]:
    """Return what is measured, and the muscle, as masks of 0 and 1 at 0.8 mm."""
    coarse = functional.avg_pool2d(half, 4)
    covered = (functional.avg_pool2d(body, 4) > 0.5).float()
    found = pectoral(blur_inside(coarse, covered, 1.0)[0, 0], covered[0, 0])
    muscle = functional.interpolate(found[None, None], scale_factor=4.0, mode="nearest")
    inner = 1 - functional.max_pool2d(1 - body, 2 * _RIM + 1, 1, _RIM)
    region = inner * (1 - muscle)
    return (region if region.sum() >= _LEAST else inner), muscle * body


def _quantiles(values: Tensor) -> Tensor:
    return torch.quantile(values, torch.tensor(QUANTILES, dtype=values.dtype, device=values.device))


def _relative(quantiles: Tensor) -> Tensor:
    """Return the middle quantiles on a scale of their own: 0 is the quantile 0.05, 1 the quantile 0.99."""
    low, high = quantiles[1], quantiles[8]
    return ((quantiles - low) / (high - low).clamp_min(1e-3))[2:8]


def _spread(values: Tensor) -> Tensor:
    """Return the standard deviation, at least a millionth; an even image has no brighter half."""
    return values.std().clamp_min(1e-6) if len(values) > 1 else values.new_tensor(1e-6)


def _standard(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return standard deviation, skewness and kurtosis about the mean."""
    spread = _spread(values)
    apart = (values - values.mean()) / spread
    return spread, apart.pow(3).mean(), apart.pow(4).mean()


def _moments(values: Tensor) -> Tensor:
    spread, skewness, kurtosis = _standard(values)
    mean = values.mean()
    return torch.stack([mean, spread, skewness, kurtosis, spread / mean.clamp_min(1e-3)])


def _beside_muscle(values: Tensor, quantiles: Tensor, muscle: Tensor) -> Tensor:
    """Return how bright tissue is beside the muscle, which film shows about as bright as dense tissue."""
    median = muscle.median() if len(muscle) > 50 else quantiles[8]
    apart = quantiles[[4, 6, 8, 1]] - median
    shares = torch.stack([(values > median - below).float().mean() for below in BELOW_MUSCLE])
    return torch.cat([apart, shares])


def _contrasts(
    fine: Tensor, half: Tensor, inside: Tensor, region: Tensor, smooth: list[Tensor], median: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what differences of Gaussians say by scale, and how much more of it lies in bright tissue."""
    inner = functional.interpolate(region, scale_factor=2.0, mode="nearest")
    bands = [(fine - blur_inside(fine, inside, 1.0))[inner > 0]]
    for before, after in zip([half, *smooth[:-1]], smooth, strict=True):
        bands.append((before - after)[region > 0])
    told = []
    for band in bands:
        spread = _spread(band)
        apart = band / spread
        skewness, kurtosis = apart.pow(3).mean().clamp(-5, 5), apart.pow(4).mean().clamp(1e-3, 30)
        size = band.abs().mean().clamp_min(1e-6)
        told.append(torch.stack([spread.log(), skewness, kurtosis.log(), size.log()]))
    bright = half[region > 0] > median
    shares = [(_spread(band[bright]) / _spread(band[~bright])).log() for band in bands[1:]]
    return torch.cat(told), torch.stack(shares)


def _patterns(
    fine: Tensor, half: Tensor, inside: Tensor, region: Tensor, smooth: list[Tensor]
) -> tuple[Tensor, ...]:
    """Return how often each uniform local pattern occurs (Ojala et al. 2002, IEEE TPAMI 24:971)."""
    inner = functional.interpolate(region, scale_factor=2.0, mode="nearest")
    made = [_pattern(blur_inside(fine, inside, 0.8), inner, PATTERNS[0][1])]
    for sigma, step in PATTERNS[1:]:
        image = smooth[0] if sigma is None else smooth[1 + int(math.log2(2 * sigma))]
        made.append(_pattern(image, region, step))
    return tuple(made)


def _pattern(image: Tensor, where: Tensor, step: int) -> Tensor:
    """Return the shares of the codes 0 to 8 (neighbours at least as bright, in one run) and of the rest."""
    around = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    brighter = torch.stack(
        [torch.roll(image, (-row * step, -col * step), (2, 3)) >= image for row, col in around]
    ).int()
    turns = (brighter != torch.roll(brighter, 1, 0)).int().sum(0)
    code = torch.where(turns <= 2, brighter.sum(0), 9)[where > 0]
    return torch.bincount(code, minlength=10).float() / max(1, len(code))

"""The pectoral muscle of an oblique view: the bright triangle in the corner of chest wall and head."""

from __future__ import annotations

import torch
from torch import Tensor

_WIDE = (0.15, 1.0, 12)
"""Where its edge may meet the top, in shares of the breast's width there: from, to, how many."""

_HIGH = (0.15, 0.95, 14)
"""Where it may meet the chest wall, in shares of the breast's height."""

_BAND = 3.0
"""Pixels on either side of the edge that are compared."""

_LEAST = 6
_ENOUGH = 120.0
"""Pixels compared below which an edge is not believed, and from which it is wholly."""

_OVER = 0.8
"""Pixels beyond the edge that still count as muscle."""


def pectoral(image: Tensor, body: Tensor) -> Tensor:
    """Return the muscle as a mask of 0 and 1, shape (H, W): the straight edge of greatest contrast.

    Every straight line between the top and the chest wall is tried: the mean of a band inside it less that
    of a band outside, less trusted where the bands are short. A guide, not an outline: an image without a
    muscle loses a corner too.

    Parameters
    ----------
    image
        float32 (H, W), smoothed, pixels of 3.2 mm, chest wall on the left, head on top.
    body
        Of 0 and 1, the breast.
    """
    rows = torch.nonzero(body.any(dim=1))[:, 0]
    if not len(rows):
        return torch.zeros_like(body)
    top, height = int(rows[0]), int(rows[-1] - rows[0] + 1)
    above = max(2, height // 10)
    width = max(float(body[top : top + above].sum(dim=1).max()), 4.0)
    apart = _distances(image, top, torch.linspace(*_WIDE) * width, torch.linspace(*_HIGH) * height)
    below = torch.arange(image.shape[0], device=image.device)[:, None] >= top
    within = (apart < 0) & (apart > -_BAND) & below
    beyond = (apart >= 0) & (apart < _BAND) & below
    inner, outer = within * body, beyond * body
    counts = inner.sum(dim=(1, 2)), outer.sum(dim=(1, 2))
    masks = zip((inner, outer), counts, strict=True)
    means = [(image * mask).sum(dim=(1, 2)) / count.clamp_min(1) for mask, count in masks]
    trust = ((counts[0] + counts[1]) / _ENOUGH).clamp_max(1.0).sqrt()
    contrast = (means[0] - means[1]) * trust
    contrast[(counts[0] < _LEAST) | (counts[1] < _LEAST)] = -torch.inf
    best = int(contrast.argmax())
    if not torch.isfinite(contrast[best]):
        return torch.zeros_like(body)
    return (apart[best] < _OVER).to(body.dtype)


def _distances(image: Tensor, top: int, across: Tensor, down: Tensor) -> Tensor:
    """Return each pixel's signed distance from each line, (lines, H, W); negative is towards the corner."""
    ends = torch.meshgrid(across, down, indexing="ij")
    wide, high = (one.to(image.device).reshape(-1, 1, 1) for one in ends)
    row = (torch.arange(image.shape[0], device=image.device) - top)[None, :, None]
    col = torch.arange(image.shape[1], device=image.device)[None, None, :]
    return (col / wide + row / high - 1) / (1 / wide.square() + 1 / high.square()).sqrt()

"""A classifier of ordered classes by texture: numbers that are measured, and one straight line through them.

Nothing but the last step is learnt: 118 numbers of an image (`texture.NAMES`), each less its mean over the
training part and over its spread there, and for each step from one class to the next a weight for each of
them. Density is such an order: fatty, glandular, dense. The numbers are of the whole breast, so there is no
map of where.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from model_zoo.architectures.texture import NAMES, measure
from model_zoo.errors import BundleError
from model_zoo.fields import Fields

_FAR = 6.0
"""Spreads beyond which a number counts no more, so that a strange image cannot answer without limit."""

_LEAST_CHANCE = 1e-4


class Steps(nn.Module):
    """Logits of being beyond each step of the order, of the numbers of images.

    Attributes
    ----------
    centre, spread
        (118,), of the training part.
    weight, bias
        (steps, 118) and (steps,).
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(len(NAMES)))
        self.register_buffer("spread", torch.ones(len(NAMES)))
        self.weight = nn.Parameter(torch.zeros(steps, len(NAMES)))
        self.bias = nn.Parameter(torch.zeros(steps))

    def standard(self, numbers: Tensor) -> Tensor:
        """Return numbers, shape (N, 118), as spreads from the training part's mean."""
        return ((numbers - self.centre) / self.spread).clamp(-_FAR, _FAR)

    def forward(self, numbers: Tensor) -> Tensor:
        """Return logits, shape (N, steps), of numbers, shape (N, 118)."""
        return functional.linear(self.standard(numbers), self.weight, self.bias)


class TextureClassifier(nn.Module):
    """Logits of a one-channel image: the score, then the classes in their order.

    Output 0 is the logit of the last class against the rest; output k that of class k (the logarithm of its
    chance). Of several members the steps' logits are averaged.

    Attributes
    ----------
    stride
        Not of this network: its last "map" is one cell for the whole image.
    """

    def __init__(self, outputs: int, members: int = 1) -> None:
        super().__init__()
        self.outputs = outputs
        self.stride = 1.0
        steps = max(1, outputs - 2)
        self.members = nn.ModuleList([_Member(steps) for _ in range(members)] if members > 1 else [])
        if members == 1:
            self.steps = Steps(steps)

    def all_steps(self) -> list[Steps]:
        """Return the steps of every member."""
        return [cast(_Member, member).steps for member in self.members] or [self.steps]

    def features(self, x: Tensor) -> Tensor:
        """Return the numbers of images, shape (N, 118, 1, 1); x is (N, 1, H, W), 0.4 mm, 0..1, air 0."""
        with torch.no_grad():
            return torch.stack([measure(image[0]) for image in x])[:, :, None, None]

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the numbers of images."""
        numbers = features[:, :, 0, 0]
        beyond = torch.stack([steps(numbers) for steps in self.all_steps()]).mean(dim=0)
        if self.outputs == 1:
            return beyond
        chances = torch.sigmoid(beyond)
        # A later step is never likelier than an earlier one.
        falling = torch.cummin(chances, dim=1).values
        edges = [torch.ones_like(falling[:, :1]), falling, torch.zeros_like(falling[:, :1])]
        inside = torch.cat(edges, dim=1)
        classes = (inside[:, :-1] - inside[:, 1:]).clamp_min(_LEAST_CHANCE).log()
        return torch.cat([beyond[:, -1:], classes], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


class _Member(nn.Module):
    """The steps of one member, under the name that they have in a network of their own."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = Steps(steps)


def build(config: Mapping[str, Any]) -> TextureClassifier:
    """Return a fresh classifier, or an ensemble.

    Parameters
    ----------
    config
        ``outputs`` (default 1: the score alone; else 1 and at least two classes, in their order) and
        ``members`` (default 1; up to 32).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = Fields("config of texture-classifier", config)
    outputs = fields.whole("outputs", 1, low=1, high=20)
    members = fields.whole("members", 1, low=1, high=32)
    fields.finish()
    if outputs == 2:
        raise BundleError("config of texture-classifier: outputs must be 1, or 1 and at least two classes")
    return TextureClassifier(outputs, members)

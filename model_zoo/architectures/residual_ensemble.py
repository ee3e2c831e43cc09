"""Several residual classifiers read by one linear head: a fold ensemble that is still one network.

The members' last maps are laid side by side and their heads are joined, each divided by their
number. The logit is then the mean of the members' logits, and because only the mean of the joined
map reaches the head, the class-activation map is as exact as that of a single member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from model_zoo.architectures.trunk import Trunk, TrunkConfig, config_fields, read_trunk


class ResidualEnsemble(nn.Module):
    """Logits of a one-channel image: the mean over members.

    Attributes
    ----------
    stride
        Input pixels per cell of `features`; cell i is centred on ``stride * i + (stride - 1) / 2``.
    """

    def __init__(self, trunk: TrunkConfig, outputs: int, members: int) -> None:
        super().__init__()
        self.trunks = nn.ModuleList([Trunk(trunk) for _ in range(members)])
        self.head = nn.Linear(members * trunk.widths[-1], outputs)
        self.stride = trunk.scales[-1]
        nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """Return the members' last maps, shape (N, members * C, H / stride, W / stride)."""
        return torch.cat([trunk(x)[-1] for trunk in self.trunks], dim=1)

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the joined maps."""
        return cast(Tensor, self.head(features.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


def build(config: Mapping[str, Any]) -> ResidualEnsemble:
    """Return a fresh ensemble.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`) of every member, ``members`` (2 to 32), ``outputs`` (default
        1), and ``dropout``, which a finished ensemble takes and does not use.

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("residual-ensemble", config)
    trunk = read_trunk(fields)
    outputs = fields.whole("outputs", 1, low=1, high=100)
    fields.number("dropout", 0.0, low=0, high=0.9)
    members = fields.whole("members", low=2, high=32)
    fields.finish()
    return ResidualEnsemble(trunk, outputs, members)

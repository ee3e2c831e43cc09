"""A residual classifier that adds up evidence: trunk, one map of evidence, its mean, one linear head.

The last map is one channel, cut at zero and squared: a cell that looks normal adds nothing, however
many such cells there are, and a few strong cells weigh more than many weak ones, so that a small
lesion is not outvoted by the breast around it, as it is where many channels of either sign are
averaged. Only the mean of that map reaches the head, so the class-activation map is exact, as with
the residual classifier. Several members (the folds of a cross-validation) give several maps side by
side: the logit is the mean of theirs, the map still exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor, nn

from model_zoo.architectures.trunk import Trunk, TrunkConfig, config_fields, read_trunk

_HEAD = 30.0
"""First weight of the head: a lesion fills some hundredth of the cells, and its logit should be near 1."""


def cut(uncut: Tensor) -> Tensor:
    """Return evidence: 0 where `uncut` is negative, its square elsewhere."""
    return torch.relu(uncut).square()


class EvidenceClassifier(nn.Module):
    """Logit of a one-channel image.

    Attributes
    ----------
    stride
        Input pixels per cell of `features`; cell i is centred on ``stride * i + (stride - 1) / 2``.
    """

    def __init__(self, trunk: TrunkConfig) -> None:
        super().__init__()
        self.trunk = Trunk(trunk)
        self.evidence = nn.Conv2d(trunk.widths[-1], 1, 1)
        self.head = nn.Linear(1, 1)
        self.stride = trunk.scales[-1]
        nn.init.constant_(self.evidence.bias, -2.0)  # type: ignore[arg-type]
        nn.init.constant_(self.head.weight, _HEAD)
        nn.init.constant_(self.head.bias, -0.5)

    def uncut(self, x: Tensor) -> Tensor:
        """Return each cell's logit of being in a lesion, shape (N, 1, H / stride, W / stride)."""
        return cast(Tensor, self.evidence(self.trunk(x)[-1]))

    def features(self, x: Tensor) -> Tensor:
        """Return the map of evidence, >= 0, shape (N, 1, H / stride, W / stride)."""
        return cut(self.uncut(x))

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, 1), of the map."""
        return cast(Tensor, self.head(features.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, 1), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


class EvidenceEnsemble(nn.Module):
    """The mean of several evidence classifiers, as one pooled network.

    Attributes
    ----------
    stride
        As of `EvidenceClassifier`.
    """

    def __init__(self, trunk: TrunkConfig, members: int) -> None:
        super().__init__()
        self.members = nn.ModuleList([_Member(trunk) for _ in range(members)])
        self.head = nn.Linear(members, 1)
        self.stride = trunk.scales[-1]

    def features(self, x: Tensor) -> Tensor:
        """Return the members' maps of evidence, shape (N, members, H / stride, W / stride)."""
        return torch.cat([member(x) for member in self.members], dim=1)

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, 1), of the maps."""
        return cast(Tensor, self.head(features.mean(dim=(2, 3))))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, 1), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


class _Member(nn.Module):
    """Trunk and evidence of one member, without a head."""

    def __init__(self, trunk: TrunkConfig) -> None:
        super().__init__()
        self.trunk = Trunk(trunk)
        self.evidence = nn.Conv2d(trunk.widths[-1], 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return cut(cast(Tensor, self.evidence(self.trunk(x)[-1])))


def build(config: Mapping[str, Any]) -> EvidenceClassifier | EvidenceEnsemble:
    """Return a fresh classifier, or an ensemble.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`) and ``members`` (default 1; up to 32).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("evidence-classifier", config)
    trunk = read_trunk(fields)
    members = fields.whole("members", 1, low=1, high=32)
    fields.finish()
    return EvidenceClassifier(trunk) if members == 1 else EvidenceEnsemble(trunk, members)

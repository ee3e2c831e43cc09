"""A small residual classifier: trunk, global average pooling, one linear head.

Because only the mean of the last map reaches the head, its class-activation map is exact: each
cell's share of the logit is known without a gradient (see `model_zoo.explain`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from model_zoo.architectures.trunk import Trunk, TrunkConfig, config_fields, read_trunk


class ResidualClassifier(nn.Module):
    """Logits of a one-channel image.

    Attributes
    ----------
    stride
        Input pixels per cell of `features`; cell i is centred on ``stride * i + (stride - 1) / 2``.
    """

    def __init__(self, trunk: TrunkConfig, outputs: int, dropout: float) -> None:
        super().__init__()
        self.trunk = Trunk(trunk)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(trunk.widths[-1], outputs)
        self.stride = trunk.scales[-1]
        nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """Return the last map, shape (N, C, H / stride, W / stride)."""
        return cast(Tensor, self.trunk(x)[-1])

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the last map."""
        return cast(Tensor, self.head(self.dropout(features.mean(dim=(2, 3)))))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


def build(config: Mapping[str, Any]) -> ResidualClassifier:
    """Return a fresh classifier.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`), ``outputs`` (default 1; output 0 is the view's score) and
        ``dropout`` before the head (default 0).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("residual-classifier", config)
    trunk = read_trunk(fields)
    outputs, dropout = (
        fields.whole("outputs", 1, low=1, high=100),
        fields.number("dropout", 0.0, low=0, high=0.9),
    )
    fields.finish()
    return ResidualClassifier(trunk, outputs, dropout)

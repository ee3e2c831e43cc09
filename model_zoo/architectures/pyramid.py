"""What the detectors share: a feature pyramid on the light trunk, and images taken as they were prepared."""

from __future__ import annotations

from collections import OrderedDict
from typing import cast

from torch import Tensor, nn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FeaturePyramidNetwork

from model_zoo.architectures.trunk import Trunk, TrunkConfig


class AsPrepared(GeneralizedRCNNTransform):  # type: ignore[misc]
    """A detector's input step without resizing, normalising or padding."""

    def __init__(self) -> None:
        super().__init__(min_size=1, max_size=1, image_mean=[0.0], image_std=[1.0], size_divisible=1)

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        """Return both as they are."""
        return image, target


class Pyramid(nn.Module):
    """Feature pyramid (Lin et al. 2017) on the trunk's stages from `first` on."""

    def __init__(self, trunk: TrunkConfig, first: int, channels: int) -> None:
        super().__init__()
        self.trunk = Trunk(trunk)
        self.first = first
        self.fpn = FeaturePyramidNetwork(list(trunk.widths[first:]), channels)
        self.out_channels = channels

    def forward(self, x: Tensor) -> OrderedDict[str, Tensor]:
        """Return the pyramid's maps by level, finest first."""
        maps = self.trunk(x)[self.first :]
        named = OrderedDict((str(level), item) for level, item in enumerate(maps))
        return cast("OrderedDict[str, Tensor]", self.fpn(named))

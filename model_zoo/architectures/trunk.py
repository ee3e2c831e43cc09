"""A light residual trunk for one-channel images, shared by the classifier and the detector.

Every down-sampling uses an even kernel with symmetric padding, so that cell i of a map of stride s
is centred on input position ``s * i + (s - 1) / 2``: cells tile the input exactly, maps need no
half-cell correction, and a mirrored input gives the mirrored map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from torch import Tensor, nn

from model_zoo.fields import Fields

Norm = Literal["group", "batch"]


@dataclass(frozen=True, slots=True)
class TrunkConfig:
    """Shape of the trunk.

    Attributes
    ----------
    stem
        Channels after the stem, which has stride 4.
    widths, blocks, strides
        Per stage: channels, residual blocks, stride (1 or 2) of its first block.
    norm
        ``group`` (does not depend on the batch) or ``batch``.
    """

    stem: int = 16
    widths: tuple[int, ...] = (24, 48, 96, 128)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    strides: tuple[int, ...] = (1, 2, 2, 2)
    norm: Norm = "group"

    @property
    def scales(self) -> tuple[int, ...]:
        """Stride of each stage's map relative to the input."""
        scales, scale = [], 4
        for stride in self.strides:
            scale *= stride
            scales.append(scale)
        return tuple(scales)


def read_trunk(fields: Fields) -> TrunkConfig:
    """Return the trunk's part of a config; `BundleError` names a wrong field."""
    default = TrunkConfig()
    widths = _wholes(fields, "widths", default.widths, 8, 2048)
    config = TrunkConfig(
        fields.whole("stem", default.stem, low=8, high=512),
        widths,
        _wholes(fields, "blocks", default.blocks, 1, 32),
        _wholes(fields, "strides", default.strides, 1, 2),
        cast(Norm, fields.choice("norm", ("group", "batch"), default.norm)),
    )
    if not 1 <= len(widths) <= 6 or not len(widths) == len(config.blocks) == len(config.strides):
        raise fields.error("widths", "blocks and strides must name the same 1 to 6 stages")
    for width in (config.stem, *widths):
        if width % 8:
            raise fields.error("widths", f"and stem must be multiples of 8, not {width}")
    return config


def _wholes(fields: Fields, name: str, default: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
    values = fields.numbers(name, default, low=low, high=high)
    if any(value != int(value) for value in values):
        raise fields.error(name, "must hold whole numbers")
    return tuple(int(value) for value in values)


def config_fields(name: str, config: Mapping[str, Any]) -> Fields:
    """Return a config read field by field, named as the architecture."""
    return Fields(f"config of {name}", config)


def normalisation(kind: Norm, channels: int) -> nn.Module:
    """Return a normalisation layer; groups of 8 channels."""
    return nn.GroupNorm(channels // 8, channels) if kind == "group" else nn.BatchNorm2d(channels)


class ResidualBlock(nn.Module):
    """Two convolutions beside a shortcut (He et al. 2016); stride 2 by an even kernel and a 2x2 mean."""

    def __init__(self, before: int, after: int, stride: int, norm: Norm) -> None:
        super().__init__()
        if stride == 2:
            first: nn.Module = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
        else:
            first = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.body = nn.Sequential(
            first,
            normalisation(norm, after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, 3, padding=1, bias=False),
            normalisation(norm, after),
        )
        shortcut: list[nn.Module] = [nn.AvgPool2d(2)] if stride == 2 else []
        if before != after:
            shortcut += [nn.Conv2d(before, after, 1, bias=False), normalisation(norm, after)]
        self.shortcut = nn.Sequential(*shortcut)
        self.out = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's map, shape (N, after, H / stride, W / stride)."""
        return cast(Tensor, self.out(self.body(x) + self.shortcut(x)))


class Trunk(nn.Module):
    """Stem of stride 4 and residual stages.

    Parameters
    ----------
    config
        Its shape.
    """

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Sequential(
            nn.Conv2d(1, config.stem, 6, stride=2, padding=2, bias=False),
            normalisation(config.norm, config.stem),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        )
        stages, before = [], config.stem
        for width, blocks, stride in zip(config.widths, config.blocks, config.strides, strict=True):
            first = ResidualBlock(before, width, stride, config.norm)
            rest = [ResidualBlock(width, width, 1, config.norm) for _ in range(blocks - 1)]
            stages.append(nn.Sequential(first, *rest))
            before = width
        self.stages = nn.ModuleList(stages)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the map of every stage, finest first.

        Parameters
        ----------
        x
            float32, shape (N, 1, H, W), H and W multiples of the coarsest scale.
        """
        maps = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

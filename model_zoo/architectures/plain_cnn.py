"""A plain convolutional network with a flat head: those of the documents that this project began from.

Convolutions, pooling and fully connected layers, without normalisation, as they were written down; no
better network is meant by it. Canvases are multiples of 32 and these networks were not, so the canvas is
the next such size and the network resizes it first. Unpadded convolutions lose the image's rim: the last
map is padded with zeros until its cells tile the canvas, so that a heat map lies where it belongs, and
the head looks at the cells within.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch.nn.functional as functional
from torch import Tensor, nn

from model_zoo.architectures.trunk import config_fields
from model_zoo.fields import Fields

_CANVAS = 32


@dataclass(frozen=True, slots=True)
class PlainConfig:
    """Shape of the network.

    Attributes
    ----------
    rows, columns
        What it sees.
    channels, pools
        Per convolution: its channels, and the side of the max pooling after it (0: none).
    pool_stride
        Step of all poolings.
    padded
        Whether convolutions keep the size of their map.
    pointwise
        Channels of one more layer on each cell alone (0: none).
    dense
        Fully connected layers before the last.
    map_dropout, dropout
        Of the last map, and before the last layer.
    start
        First weights: ``he``, ``glorot`` (normal) or ``narrow`` (normal of 0.02, Keras' RandomNormal).
    """

    rows: int
    columns: int
    channels: tuple[int, ...]
    pools: tuple[int, ...]
    pool_stride: int = 2
    padded: bool = False
    pointwise: int = 0
    dense: tuple[int, ...] = ()
    map_dropout: float = 0.0
    dropout: float = 0.0
    start: str = "he"
    outputs: int = 1


class PlainCnn(nn.Module):
    """Logits of a one-channel image.

    Attributes
    ----------
    stride
        Canvas pixels per cell of `features`; cell i is centred on ``stride * i + (stride - 1) / 2``.
    """

    def __init__(self, config: PlainConfig) -> None:
        super().__init__()
        self.config = config
        self.canvas = tuple(-(-side // _CANVAS) * _CANVAS for side in (config.rows, config.columns))
        layers: list[nn.Module] = []
        before = 1
        for channels, pool in zip(config.channels, config.pools, strict=True):
            layers += [nn.Conv2d(before, channels, 3, padding=int(config.padded)), nn.ReLU()]
            layers += [nn.MaxPool2d(pool, config.pool_stride)] if pool else []
            before = channels
        if config.pointwise:
            layers += [nn.Dropout(config.map_dropout), nn.Conv2d(before, config.pointwise, 1), nn.ReLU()]
            before = config.pointwise
        self.body = nn.Sequential(*layers)
        cells = [_cells(side, config) for side in (config.rows, config.columns)]
        self.inside = tuple(count for count, _, _ in cells)
        self.rim = tuple(rim for _, rim, _ in cells)
        self.step = cells[0][2]
        self.stride = self.canvas[0] / config.rows * self.step
        head: list[nn.Module] = [nn.Flatten()]
        wide = before * self.inside[0] * self.inside[1]
        for width in config.dense:
            head += [nn.Linear(wide, width), nn.ReLU()]
            wide = width
        self.head = nn.Sequential(*head, nn.Dropout(config.dropout), nn.Linear(wide, config.outputs))
        self._begin()

    def _begin(self) -> None:
        for module in self.modules():
            if not isinstance(module, nn.Conv2d | nn.Linear):
                continue
            if self.config.start == "narrow":
                nn.init.normal_(module.weight, 0.0, 0.02)
            elif self.config.start == "glorot":
                nn.init.xavier_normal_(module.weight)
            else:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)

    def features(self, x: Tensor) -> Tensor:
        """Return the last map on cells that tile the canvas, shape (N, C, rows / step, columns / step)."""
        if tuple(x.shape[2:]) != self.canvas:
            raise ValueError(f"this network wants {self.canvas} pixels, not {tuple(x.shape[2:])}")
        seen = (self.config.rows, self.config.columns)
        if seen != self.canvas:
            x = functional.interpolate(x, seen, mode="bilinear", antialias=True, align_corners=False)
        made = self.body(x)
        whole = [side // self.step for side in seen]
        after = [all_ - count - rim for all_, count, rim in zip(whole, self.inside, self.rim, strict=True)]
        return functional.pad(made, (self.rim[1], max(after[1], 0), self.rim[0], max(after[0], 0)))

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the last map."""
        (row, col), (rows, columns) = self.rim, self.inside
        return cast(Tensor, self.head(features[:, :, row : row + rows, col : col + columns]))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


def _cells(side: int, config: PlainConfig) -> tuple[int, int, int]:
    """Return how many cells the last map has along a side, how many tile cells lie before it, and its step.

    `place` is where cell 0 is centred; the tile that begins the image is centred on (step - 1) / 2.
    """
    count, place, step = side, 0.0, 1
    for pool in config.pools:
        if not config.padded:
            count, place = count - 2, place + step
        if pool:
            count = (count - pool) // config.pool_stride + 1
            place += step * (pool - 1) / 2
            step *= config.pool_stride
    return count, max(0, round((place - (step - 1) / 2) / step)), step


def _wholes(fields: Fields, name: str, default: Any, low: int) -> tuple[int, ...]:
    values = fields.numbers(name, default, low=low, high=4096)
    if any(value != int(value) for value in values):
        raise fields.error(name, "must hold whole numbers")
    return tuple(int(value) for value in values)


def build(config: Mapping[str, Any]) -> PlainCnn:
    """Return a fresh network.

    Parameters
    ----------
    config
        The fields of `PlainConfig`.

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("plain-cnn", config)
    channels = _wholes(fields, "channels", [32, 64, 64], 1)
    made = PlainConfig(
        rows=fields.whole("rows", low=16, high=2048),
        columns=fields.whole("columns", low=16, high=2048),
        channels=channels,
        pools=_wholes(fields, "pools", [2] * len(channels), 0),
        pool_stride=fields.whole("pool_stride", 2, low=1, high=4),
        padded=fields.flag("padded", False),
        pointwise=fields.whole("pointwise", 0, low=0, high=4096),
        dense=_wholes(fields, "dense", [], 1),
        map_dropout=fields.number("map_dropout", 0.0, low=0, high=0.9),
        dropout=fields.number("dropout", 0.0, low=0, high=0.9),
        start=fields.choice("start", ("he", "glorot", "narrow"), "he"),
        outputs=fields.whole("outputs", 1, low=1, high=100),
    )
    fields.finish()
    if not channels or len(made.pools) != len(channels):
        raise fields.error("pools", "and channels must name the same convolutions")
    if any(_cells(side, made)[0] < 1 for side in (made.rows, made.columns)):
        raise fields.error("rows", f"and columns, {made.rows} x {made.columns}, are too small for its layers")
    shares = [-(-side // _CANVAS) * _CANVAS / side for side in (made.rows, made.columns)]
    if abs(shares[0] - shares[1]) > 1e-9:
        raise fields.error("rows", "and columns must be alike, or multiples of 32")
    return PlainCnn(made)

"""What a bundle's network makes of an image, channel by channel, as one picture.

Each tile is one channel of a map, stretched on its own from its smallest value (black) to its largest
(white): tiles cannot be compared with each other, and a bright place is no finding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch
from torch import Tensor, nn

from app.core.files import whole
from model_zoo.bundle import Bundle
from model_zoo.contract import ArrayView
from model_zoo.predictor import load_predictor
from model_zoo.preprocess import prepare
from trainer.errors import TrainerError

_MOST = 64
_TILE, _GAP = 160, 4


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """The channels of one layer: its name, and float32 (C, h, w)."""

    layer: str
    values: npt.NDArray[np.float32]


def feature_maps(bundle: Bundle, view: ArrayView, layer: int = 0) -> Maps:
    """Return the map after one convolution of a bundle's classifier, or of its detector without one.

    Parameters
    ----------
    layer
        1: the first convolution, 2: the second, ...; 0: the last.

    Raises
    ------
    TrainerError
        A layer that is not there, an image that cannot be prepared.
    """
    predictor = load_predictor(bundle, "cpu")
    network = predictor.network("classifier") or predictor.network("detector")
    if network is None:
        raise TrainerError(f"{bundle.name}: has no network")
    found = [(name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    if not 0 <= layer <= len(found):
        raise TrainerError(
            f"--layer {layer}: {bundle.name} has convolutions 1 to {len(found)}, 0 is the last"
        )
    name, part = found[layer - 1]
    kept: list[Tensor] = []
    hook = part.register_forward_hook(lambda module, given, made: kept.append(made.detach()))
    try:
        pixels = prepare(view, bundle.spec.preprocess).pixels
    except ValueError as error:
        raise TrainerError(f"{view.uid}: {error}") from error
    with torch.no_grad():
        network(torch.from_numpy(np.ascontiguousarray(pixels))[None])
    hook.remove()
    return Maps(name, kept[0][0].float().numpy())


def mosaic(values: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return up to 64 channels side by side, each stretched on its own, nearest pixels enlarged.

    Parameters
    ----------
    values
        (C, h, w).
    """
    shown = values[:_MOST]
    factor = max(1, _TILE // max(shown.shape[1:]))
    across = math.ceil(math.sqrt(len(shown)))
    high, wide = (side * factor + _GAP for side in shown.shape[1:])
    canvas = np.zeros((math.ceil(len(shown) / across) * high - _GAP, across * wide - _GAP), np.uint8)
    for number, channel in enumerate(shown):
        low, top = float(channel.min()), float(channel.max())
        grey = np.zeros(channel.shape) if top <= low else (channel - low) / (top - low) * 255
        tile = np.rint(grey).astype(np.uint8).repeat(factor, axis=0).repeat(factor, axis=1)
        row, col = number // across * high, number % across * wide
        canvas[row : row + tile.shape[0], col : col + tile.shape[1]] = tile
    return canvas


def write_features(maps: Maps, path: Path) -> Sequence[str]:
    """Write the mosaic as PNG and return what must be said of it."""
    with whole(path) as part:
        PIL.Image.fromarray(mosaic(maps.values)).save(part, format="PNG")
    count, rows, columns = maps.values.shape
    shown = f"the first {_MOST} of {count}" if count > _MOST else str(count)
    return (
        f"{path}: {shown} channels of {rows} x {columns} cells after the convolution {maps.layer}, each "
        "stretched on its own; a bright place is no finding",
    )

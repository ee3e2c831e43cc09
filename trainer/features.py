"""What a bundle's network makes of an image, channel by channel, as one picture.

Each tile is one channel of a map, stretched on its own from its smallest value (black) to its largest
(white): tiles cannot be compared with each other, and a bright place is no finding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image

from app.core.files import whole
from model_zoo.bundle import Bundle
from model_zoo.contract import ArrayView
from model_zoo.features import LayerMaps, layer_maps, stretched
from model_zoo.predictor import load_predictor
from model_zoo.preprocess import prepare
from trainer.errors import TrainerError

_MOST = 64
_TILE, _GAP = 160, 4


def feature_maps(bundle: Bundle, view: ArrayView, layer: int = 0) -> LayerMaps:
    """Return the map after one convolution of a bundle's classifier, or of its detector without one.

    Parameters
    ----------
    layer
        1: the first convolution, 2: the second, ...; 0: the last.

    Raises
    ------
    ModelError
        A layer that is not there.
    TrainerError
        An image that cannot be prepared.
    """
    predictor = load_predictor(bundle, "cpu")
    try:
        pixels = prepare(view, bundle.spec.preprocess).pixels
    except ValueError as error:
        raise TrainerError(f"{view.uid}: {error}") from error
    return layer_maps(predictor, pixels, layer)


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
        tile = stretched(channel).repeat(factor, axis=0).repeat(factor, axis=1)
        row, col = number // across * high, number % across * wide
        canvas[row : row + tile.shape[0], col : col + tile.shape[1]] = tile
    return canvas


def write_features(maps: LayerMaps, path: Path) -> Sequence[str]:
    """Write the mosaic as PNG and return what must be said of it."""
    with whole(path) as part:
        PIL.Image.fromarray(mosaic(maps.values)).save(part, format="PNG")
    count, rows, columns = maps.values.shape
    shown = f"the first {_MOST} of {count}" if count > _MOST else str(count)
    return (
        f"{path}: {shown} channels of {rows} x {columns} cells after the convolution {maps.layer}, each "
        "stretched on its own; a bright place is no finding",
    )

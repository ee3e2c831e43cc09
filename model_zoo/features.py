"""What a network makes of an image inside: feature maps at a place, and vectors to compare places by.

A convolution's channels are pictures on its own grid; the strongest at a place are those that stand out
there from the rest of their own map. The embedding of a place is the trunk's last map around it: two
places whose vectors point the same way look alike to the network, whatever it concludes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from model_zoo.architectures.two_scale_detector import TwoScaleDetector, TwoScaleEnsemble
from model_zoo.errors import ModelError
from model_zoo.predictor import Predictor

Pixels = npt.NDArray[np.float32]
"""(1, H, W): a prepared image."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerMaps:
    """The channels of one layer on their grid.

    Attributes
    ----------
    layer
        The convolution's name in the network.
    values
        float32 (C, h, w).
    """

    layer: str
    values: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelAt:
    """A channel that stands out at a place.

    Attributes
    ----------
    channel
        0-based.
    strength
        Its value there, in standard deviations of its own map.
    picture
        uint8 (h, w): the whole map, stretched on its own.
    """

    channel: int
    strength: float
    picture: npt.NDArray[np.uint8]


def network_of(predictor: Predictor) -> nn.Module:
    """Return the classifier, or the detector of a bundle without one; of an ensemble the first member.

    Raises
    ------
    ModelError
        A bundle without networks.
    """
    network = predictor.network("classifier") or predictor.network("detector")
    if network is None:
        raise ModelError(f"{predictor.bundle.name}: has no network")
    return network


def convolutions(network: nn.Module) -> list[str]:
    """Return the names of the convolutions, the first first; of an ensemble those of its first member."""
    names = [name for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    first = [name for name in names if name.startswith("members.0.")]
    return first or names


def layer_maps(predictor: Predictor, pixels: Pixels, layer: int = 0) -> LayerMaps:
    """Return the map after one convolution.

    Parameters
    ----------
    layer
        1: the first convolution, 2: the second, ...; 0: the last.

    Raises
    ------
    ModelError
        A layer that is not there.
    """
    network = network_of(predictor)
    names = convolutions(network)
    if not 0 <= layer <= len(names):
        raise ModelError(f"{predictor.bundle.name} has convolutions 1 to {len(names)}, 0 is the last")
    name = names[layer - 1]
    kept: list[Tensor] = []

    def keep(_: nn.Module, given: Any, made: Tensor) -> None:
        kept.append(made.detach())

    hook = network.get_submodule(name).register_forward_hook(keep)
    try:
        with torch.inference_mode(False), torch.no_grad():
            network(_tensor(predictor, pixels))
    finally:
        hook.remove()
    return LayerMaps(name, kept[0][0].float().cpu().numpy())


def cell_at(place: tuple[float, float], size: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """Return the cell (row, col) over a prepared pixel; a place outside the image goes to its edge.

    Parameters
    ----------
    place
        (row, col) of a prepared pixel centre.
    size, shape
        (rows, columns) of the prepared image and of the grid, which tiles it edge on edge.
    """
    row, col = (
        min(max(int((at + 0.5) * cells / pixels), 0), cells - 1)
        for at, cells, pixels in zip(place, shape, size, strict=True)
    )
    return row, col


def strongest_at(values: npt.NDArray[np.float32], cell: tuple[int, int], count: int) -> list[ChannelAt]:
    """Return the channels that stand out most at a cell, the strongest first.

    Parameters
    ----------
    values
        (C, h, w).
    """
    spread = values.std(axis=(1, 2))
    there = values[:, cell[0], cell[1]] - values.mean(axis=(1, 2))
    strength = np.divide(there, spread, out=np.zeros_like(there), where=spread > 0)
    order = np.argsort(-strength, kind="stable")[:count]
    return [ChannelAt(int(c), float(strength[c]), stretched(values[c])) for c in order]


def stretched(channel: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return a map as grey values from its own least (0) to its own most (255); one that is flat is black."""
    low, high = float(channel.min()), float(channel.max())
    grey = np.zeros(channel.shape) if high <= low else (channel - low) / (high - low) * 255
    made: npt.NDArray[np.uint8] = np.rint(grey).astype(np.uint8)
    return made


def embedding_maps(predictor: Predictor, pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return the trunk's last map of an image, float32 (C, h, w): the vectors that places are compared by.

    Raises
    ------
    ModelError
        A network without a trunk of known kind.
    """
    trunk = _trunk(network_of(predictor))
    if trunk is None:
        raise ModelError(f"{predictor.bundle.name}: its network has no trunk to compare places by")
    with torch.inference_mode(False), torch.no_grad():
        maps = trunk(_tensor(predictor, pixels))
    last: npt.NDArray[np.float32] = maps[-1][0].float().cpu().numpy()
    return last


def embedding_at(
    maps: npt.NDArray[np.float32], cell: tuple[int, int], reach: int = 1
) -> npt.NDArray[np.float32]:
    """Return the mean vector of the cells around one, float32 (C,)."""
    row, col = cell
    around = maps[:, max(0, row - reach) : row + reach + 1, max(0, col - reach) : col + reach + 1]
    vector: npt.NDArray[np.float32] = around.mean(axis=(1, 2))
    return vector


def image_vector(predictor: Predictor, pixels: Pixels) -> npt.NDArray[np.float32]:
    """Return the vector that whole images are compared by, float32 (C,): the mean of `embedding_maps`.

    Raises
    ------
    ModelError
        A network without a trunk of known kind.
    """
    vector: npt.NDArray[np.float32] = embedding_maps(predictor, pixels).mean(axis=(1, 2))
    return vector


def _trunk(network: nn.Module) -> nn.Module | None:
    """Return the first module named trunk: of a detector its pyramid's, of an ensemble the first member's.

    Of two scales it is the fine one's: the other's is not shown the image at its own pixels.
    """
    if isinstance(network, TwoScaleDetector | TwoScaleEnsemble):
        network = network.pairs[0].fine
    named: Iterator[tuple[str, nn.Module]] = network.named_modules()
    return next((part for name, part in named if name.rpartition(".")[2] == "trunk"), None)


def _tensor(predictor: Predictor, pixels: Pixels) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels))[None].to(predictor.device)

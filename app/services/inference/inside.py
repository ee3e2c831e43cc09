"""A look into a network at one place: feature maps and the nearest training cases; run beside the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.core.reading.inside import ChannelPicture, InsidePlace, LikeCase
from app.core.settings import Device
from model_zoo.contract import ArrayView
from model_zoo.errors import BundleError, ModelError

if TYPE_CHECKING:
    from model_zoo.predictor import Predictor

CHANNELS = 12
CASES = 6


@dataclass(frozen=True, slots=True, eq=False)
class PlaceRequest:
    """All that a look inside needs.

    Attributes
    ----------
    folder
        The bundle.
    key
        Of the image; comes back in the answer.
    place
        (row, col) in stored pixels.
    layer
        0-based among the network's convolutions; None: the last of its trunk.
    """

    folder: Path
    device: Device
    key: tuple[str, str]
    view: ArrayView
    place: tuple[float, float]
    layer: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VectorRequest:
    """All that an image's vector needs; `folder` is the bundle's."""

    folder: Path
    device: Device
    view: ArrayView


def vector_of(request: VectorRequest, predictor: Predictor) -> npt.NDArray[np.float32] | None:
    """Return what a network makes of a whole image, float32 (C,); None: it takes no such image.

    Imports torch, so not in the window's process.

    Raises
    ------
    ModelError
        A network that has no such vectors.
    """
    from model_zoo.features import image_vector
    from model_zoo.preprocess import prepare
    from model_zoo.suitability import judge

    spec = predictor.bundle.spec
    if judge(request.view, spec.views, spec.domain).level != "suits":
        return None
    try:
        pixels = prepare(request.view, spec.preprocess).pixels
    except ValueError:
        return None  # one without millimetres, say
    return image_vector(predictor, pixels)


def see(request: PlaceRequest, predictor: Predictor) -> InsidePlace:
    """Return what a network sees at a place; imports torch, so not in the window's process.

    Raises
    ------
    ModelError
        An image that the bundle does not read, in one sentence.
    """
    from model_zoo.features import cell_at, convolutions, layer_maps, network_of, strongest_at
    from model_zoo.geometry import inverse, map_points
    from model_zoo.preprocess import prepare
    from model_zoo.suitability import judge

    spec = predictor.bundle.spec
    suits = judge(request.view, spec.views, spec.domain)
    if suits.level == "refuse":
        raise ModelError(f"{spec.name}: {suits.reason}")
    prepared = prepare(request.view, spec.preprocess)
    inside = map_points(inverse(prepared.to_stored), [request.place])[0]
    size = (prepared.pixels.shape[1], prepared.pixels.shape[2])
    at = (float(inside[0]), float(inside[1]))
    if not (-0.5 <= at[0] <= size[0] - 0.5 and -0.5 <= at[1] <= size[1] - 0.5):
        raise ModelError(f"{spec.name} does not see this place: it was cut off around the breast")
    names = convolutions(network_of(predictor))
    # Heads have a channel or a few: the trunk's last layer is the last that has something to choose from.
    trunk = [number for number, name in enumerate(names) if "trunk." in name] or [len(names) - 1]
    layer = trunk[-1] if request.layer is None else request.layer
    maps = layer_maps(predictor, prepared.pixels, layer + 1)
    cell = cell_at(at, size, (maps.values.shape[1], maps.values.shape[2]))
    channels = tuple(
        ChannelPicture(one.channel, one.strength, one.picture)
        for one in strongest_at(maps.values, cell, CHANNELS)
    )
    alike, note = _alike(predictor, prepared.pixels, at, size)
    facts = (request.key, request.place, tuple(names), layer, cell)
    return InsidePlace(spec.name, *facts, channels, alike, note)


def _alike(
    predictor: Predictor, pixels: npt.NDArray[np.float32], at: tuple[float, float], size: tuple[int, int]
) -> tuple[tuple[LikeCase, ...], str]:
    """Return the nearest training cases and which data they are of, or why there are none."""
    from model_zoo.features import cell_at, embedding_at, embedding_maps
    from model_zoo.index import read_index

    try:
        index = read_index(predictor.bundle)
        if index is None:
            return (), "This model has no index of its training cases (mammoview-trainer embed makes one)."
        maps = embedding_maps(predictor, pixels)
    except (BundleError, ModelError) as error:
        return (), str(error)
    vector = embedding_at(maps, cell_at(at, size, (maps.shape[1], maps.shape[2])))
    found = tuple(
        LikeCase(one.entry.image, one.entry.what, one.similarity, one.entry.box, one.entry.licence)
        for one in index.nearest(vector, CASES)
    )
    return found, f"Nearest of {len(index.entries)} places in training images ({index.data})."

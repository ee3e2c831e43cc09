"""What a network sees at one place of an image, in the workstation's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class ChannelPicture:
    """One channel of a layer.

    Attributes
    ----------
    channel
        0-based.
    strength
        Its value at the place, in standard deviations of its own map above the mean.
    pixels
        uint8 (h, w): the map as the network sees the image (turned and cut out), stretched on its own.
    """

    channel: int
    strength: float
    pixels: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class LikeCase:
    """A training case whose vector is near that of the place.

    Attributes
    ----------
    image
        Hash of the image's id in its manifest.
    what
        What its data set says is there.
    similarity
        Cosine, -1..1.
    box
        (row0, col0, row1, col1) in its stored pixels.
    licence
        The manifest's word: pictures are shown by it.
    """

    image: str
    what: str
    similarity: float
    box: tuple[float, float, float, float]
    licence: str


@dataclass(frozen=True, slots=True, eq=False)
class InsidePlace:
    """The answer about one place.

    Attributes
    ----------
    key, place
        Of the image, and (row, col) in its stored pixels.
    layers, layer
        Names of the convolutions, and the one shown (0-based among them).
    cell
        (row, col) of the cell over the place on the pictures' grid.
    channels
        The strongest there, the strongest first.
    alike
        The nearest training cases; empty without an index.
    note
        Why there are none, or of which data they are.
    """

    model: str
    key: tuple[str, str]
    place: tuple[float, float]
    layers: tuple[str, ...]
    layer: int
    cell: tuple[int, int]
    channels: tuple[ChannelPicture, ...]
    alike: tuple[LikeCase, ...]
    note: str

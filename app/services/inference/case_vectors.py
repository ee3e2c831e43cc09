"""Vectors that tell the images of a data set apart, from a bundle's own index of its training cases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import MammoviewError
from app.core.manifest import Row
from model_zoo.bundle import load_bundle
from model_zoo.errors import ModelError
from model_zoo.index import image_mark, read_index


def vectors_of(folder: Path, rows: Sequence[Row]) -> npt.NDArray[np.float32]:
    """Return (rows, width): the mean of each image's places in the bundle's index, nan where it has none.

    No network is run: an image that the index does not know has no vector.

    Raises
    ------
    MammoviewError
        The bundle has no index, or one that is not to be used; none of the images is in it.
    """
    try:
        bundle = load_bundle(folder)
        index = read_index(bundle)
    except ModelError as error:
        raise MammoviewError(str(error)) from error
    if index is None:
        raise MammoviewError(
            f"diversity needs vectors of the cases, and {bundle.name} has no index "
            "(mammoview-trainer embed makes one; next-cases --embed works without)"
        )
    places: dict[str, list[int]] = {}
    for number, entry in enumerate(index.entries):
        places.setdefault(entry.image, []).append(number)
    found = np.full((len(rows), index.vectors.shape[1]), np.nan, np.float32)
    for number, row in enumerate(rows):
        own = places.get(image_mark(row.image_id))
        if own:
            found[number] = index.vectors[own].mean(axis=0)
    if np.isnan(found).all():
        raise MammoviewError(
            f"diversity needs vectors of the cases, and the index of {bundle.name} has none of them"
        )
    return found

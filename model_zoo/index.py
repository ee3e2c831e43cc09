"""The bundle's own index of what it was trained on: vectors and marks of image ids, no pixel of anyone.

``index.safetensors`` holds ``vectors`` float16 (N, D), ``mean`` float32 (D,) and, as metadata, ``entries``:
a JSON list of `Entry` in the order of the vectors, with what made them. Numpy only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model_zoo.bundle import Bundle, amend
from model_zoo.errors import BundleError
from model_zoo.seal import WEIGHTS_FILE

INDEX_FILE = "index.safetensors"
_FORMAT, _VERSION = "mammoview-index", "1"
_MOST_SHOWN = 50

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in a training image.

    Attributes
    ----------
    image
        `image_mark` of the manifest's image id: it leads back to the image for who has the manifest, or can
        guess the id.
    what
        What the data set says is there, for example ``mass, malignant`` or ``no lesion``; known words of
        lesions alone, never a reader's own.
    box
        (row0, col0, row1, col1) in stored pixels.
    licence
        The manifest's word on the image's licence; thumbnails are shown by it.
    """

    image: str
    what: str
    box: tuple[float, float, float, float]
    licence: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry and how alike it is: the cosine of the angle between the vectors, -1..1."""

    entry: Entry
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Entries and their vectors, float32 (N, D)."""

    entries: tuple[Entry, ...]
    vectors: Vectors
    mean: Vectors
    data: str

    def nearest(self, vector: Vectors, count: int) -> list[Neighbour]:
        """Return the entries most like a vector, the most alike first; one for each image.

        Vectors are compared after the mean of the index is taken off: what all places share says nothing.
        """
        own = _directions((vector.astype(np.float32) - self.mean)[None])[0]
        alike = _directions(self.vectors - self.mean) @ own
        found: dict[str, Neighbour] = {}
        for place in np.argsort(-alike, kind="stable"):
            entry = self.entries[place]
            if entry.image not in found:
                found[entry.image] = Neighbour(entry, float(alike[place]))
            if len(found) == min(count, _MOST_SHOWN):
                break
        return list(found.values())


def _directions(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: Vectors = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0)
    return made


def image_mark(image_id: str) -> str:
    """Return the hash by which an image stands in an index: 16 hexadecimal digits of SHA-256, no salt.

    Whoever can guess an image's id can check it: train on a de-identified copy before a bundle leaves the
    house.
    """
    return hashlib.sha256(image_id.encode()).hexdigest()[:16]


def store_index(bundle: Bundle, entries: Sequence[Entry], vectors: Vectors, data: str) -> Bundle:
    """Put an index into a bundle, in place of an older one, and return it sealed anew.

    Parameters
    ----------
    vectors
        float32 (N, D), one for each entry.
    data
        Which data it is of, in words.

    Raises
    ------
    BundleError
        Where the folder cannot be written.
    ValueError
        Another number of vectors than of entries, or one that is not finite.
    """
    if len(entries) != len(vectors) or not len(entries) or not np.isfinite(vectors).all():
        raise ValueError("an index needs one finite vector for each entry")
    metadata = {
        "format": _FORMAT,
        "version": _VERSION,
        "entries": json.dumps([asdict(entry) for entry in entries]),
        "weights": bundle.spec.files[WEIGHTS_FILE],
        "data": data,
    }
    tensors = {"vectors": vectors.astype(np.float16), "mean": vectors.mean(axis=0).astype(np.float32)}
    return amend(bundle, {INDEX_FILE: save(tensors, metadata=metadata)})


def read_index(bundle: Bundle) -> Index | None:
    """Return a bundle's index; None where it has none.

    Raises
    ------
    BundleError
        One that cannot be understood, or was made with other weights.
    """
    if INDEX_FILE not in bundle.spec.files:
        return None
    path = bundle.folder / INDEX_FILE
    try:
        with safe_open(str(path), framework="np") as file:
            told = file.metadata() or {}
            vectors, mean = file.get_tensor("vectors").astype(np.float32), file.get_tensor("mean")
        entries = tuple(_entry(one) for one in json.loads(told["entries"]))
        fits = told["format"] == _FORMAT and told["version"] == _VERSION and len(entries) == len(vectors)
        fits = fits and vectors.ndim == 2 and mean.shape == vectors.shape[1:]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{bundle.folder}: {INDEX_FILE} cannot be understood: {error}") from error
    if not fits:
        raise BundleError(f"{bundle.folder}: {INDEX_FILE} is no index of this format")
    if told.get("weights") != bundle.spec.files[WEIGHTS_FILE]:
        raise BundleError(
            f"{bundle.folder}: {INDEX_FILE} was made with other weights; embed the bundle again"
        )
    return Index(entries, vectors, mean.astype(np.float32), str(told.get("data", "")))


def _entry(content: Any) -> Entry:
    row0, col0, row1, col1 = (float(edge) for edge in content["box"])
    words = (str(content["image"]), str(content["what"]))
    return Entry(*words, (row0, col0, row1, col1), str(content["licence"]))

"""Prepared images on disk, memory-mapped: each file is decoded once per preprocessing block.

The key is the sha256 of the file, of what the manifest states about it and of the preprocessing
block, so that a changed file or a changed block can never meet an old entry.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import platformdirs

from app.core.errors import MammoviewError
from app.core.imaging import greyscale, model_input
from model_zoo import breast, geometry, preprocess
from model_zoo.preprocess import Prepared, Preprocess, prepare
from trainer.datasets import stored_orientation
from trainer.errors import TrainerError
from trainer.manifest import Row, check_file, file_sha256
from trainer.views import read_view

_REVISION = 1
"""Raised whenever reading gives other values for the same file."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One prepared image.

    Attributes
    ----------
    pixels
        float32, shape (1, H, W), read-only and memory-mapped: what the network is given.
    mask
        bool, shape (H, W), True on the breast.
    to_stored
        2x3 affine from (row, col) of prepared to stored pixel centres.
    stored_shape
        (rows, columns) of the stored image.
    """

    pixels: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    to_stored: npt.NDArray[np.float64]
    stored_shape: tuple[int, int]

    @property
    def prepared(self) -> Prepared:
        """The entry as `model_zoo.preprocess` knows it, for mapping boxes."""
        return Prepared(self.pixels, self.mask, self.to_stored, self.stored_shape)


def cache_folder() -> Path:
    """Return the folder of prepared images: MAMMOVIEW_CACHE, else the user's cache folder."""
    named = os.environ.get("MAMMOVIEW_CACHE")
    return (Path(named) if named else platformdirs.user_cache_path("mammoview", appauthor=False)) / "prepared"


@cache
def _code() -> str:
    """Return a hash of the code that prepares images, where it lies as source beside us.

    An old entry must not meet a new way of preparing; a frozen build has no source and never changes.
    """
    digest = hashlib.sha256()
    for module in (breast, geometry, preprocess, model_input, greyscale):
        source = Path(module.__file__ or "")
        if source.suffix == ".py" and source.is_file():
            digest.update(source.read_bytes())
    return digest.hexdigest()


def key_of(row: Row, block: Preprocess) -> str:
    """Return the name under which a row's prepared image is kept."""
    facts = {
        "revision": _REVISION,
        "code": _code(),
        "file": row.sha256,
        "frame": row.frame,
        "laterality": row.laterality,
        "view": row.view,
        "spacing": row.spacing_mm,
        "source": row.source,
        "orientation": stored_orientation(row),
        "preprocess": block.to_json(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:40]


def _write(path: Path, array: npt.NDArray[np.generic]) -> None:
    """Write an array whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "wb") as stream:
        np.save(stream, array, allow_pickle=False)
    os.replace(name, path)


def _prepare(row: Row, block: Preprocess, stem: Path) -> None:
    check_file(row)
    if file_sha256(row.path) != row.sha256:
        raise TrainerError(f"{row.path}: the file has changed since the manifest was made")
    try:
        made = prepare(read_view(row), block)
    except ValueError as error:
        raise TrainerError(f"{row.path}: {error}") from error
    _write(stem.with_suffix(".mask.npy"), np.packbits(made.mask, axis=1))
    place = np.vstack([made.to_stored, [*made.stored_shape, 0.0]])
    _write(stem.with_suffix(".place.npy"), place)
    # Last: an entry exists once its pixels do.
    _write(stem.with_suffix(".npy"), made.pixels)


def load(row: Row, block: Preprocess, folder: Path | None = None) -> Entry:
    """Return a row's prepared image, from the cache or made now.

    Raises
    ------
    TrainerError, ReadError
        The file is missing, changed, unreadable, or cannot be prepared.
    """
    base = folder or cache_folder()
    stem = base / key_of(row, block)
    pixels = stem.with_suffix(".npy")
    if not pixels.is_file():
        try:
            base.mkdir(parents=True, exist_ok=True)
            _prepare(row, block, stem)
        except OSError as error:
            raise TrainerError(f"{base}: the cache cannot be written ({error.strerror})") from error
    mapped = np.load(pixels, mmap_mode="r", allow_pickle=False)
    packed = np.load(stem.with_suffix(".mask.npy"), allow_pickle=False)
    place = np.load(stem.with_suffix(".place.npy"), allow_pickle=False)
    mask = np.unpackbits(packed, axis=1, count=mapped.shape[2]).astype(np.bool_)
    return Entry(mapped, mask, place[:2], (int(place[2, 0]), int(place[2, 1])))


def fill(
    rows: Sequence[Row],
    block: Preprocess,
    report: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
) -> None:
    """Prepare every row that is not in the cache yet; `report(done, total)` after each."""
    for number, row in enumerate(rows, start=1):
        try:
            load(row, block, folder)
        except MammoviewError as error:
            raise TrainerError(str(error)) from error
        if report is not None:
            report(number, len(rows))

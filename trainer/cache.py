"""Prepared images on disk, memory-mapped: each file is decoded once per preprocessing block.

The key is the sha256 of the file, of what the manifest states about it, of the preprocessing block and
of the code that prepares, so that nothing changed can meet an old entry. An entry that is cut off or
damaged is made anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import platformdirs

import app.core.dicom
import app.core.imaging
from app.core.errors import MammoviewError
from app.core.files import whole, write_json
from app.core.manifest import Row
from app.core.spread import spread
from app.core.stated import stored_orientation
from model_zoo import breast, geometry, preprocess
from model_zoo.preprocess import Prepared, Preprocess, prepare
from trainer import views
from trainer.errors import TrainerError
from trainer.processes import leads
from trainer.views import read_view

_REVISION = 2
"""Raised whenever an entry is written in another form."""
_ABANDONED = 600
"""Seconds after which a half-written file has no writer any more."""


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


def _sources() -> Iterator[Path]:
    """Give every source file that has a say in prepared pixels: reading, grey scale, preparing."""
    for package in (app.core.dicom, app.core.imaging):
        for folder in package.__path__:
            yield from sorted(Path(folder).glob("*.py"))
    for module in (breast, geometry, preprocess, views):
        yield Path(module.__file__ or "")


@cache
def reading_code() -> str:
    """Return a hash of the code that prepares images: its sources, or the program frozen from them."""
    frozen = getattr(sys, "frozen", False)
    digest = hashlib.sha256(f"cv2 {cv2.__version__}, numpy {np.__version__}".encode())
    for source in [Path(sys.executable)] if frozen else _sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()


def key_of(row: Row, block: Preprocess) -> str:
    """Return the name under which a row's prepared image is kept."""
    facts = {
        "revision": _REVISION,
        "code": reading_code(),
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
    # Through memory: numpy writes to a file by itself, and on a full disk does not say why it failed.
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    with whole(path) as part:
        part.write_bytes(content.getbuffer())


def _prepare(row: Row, block: Preprocess, stem: Path) -> None:
    try:
        made = prepare(read_view(row), block)
    except ValueError as error:
        raise TrainerError(f"{row.path}: {error}") from error
    _write(stem.with_suffix(".mask.npy"), np.packbits(made.mask, axis=1))
    _write(stem.with_suffix(".npy"), made.pixels)
    place = {"to_stored": made.to_stored.tolist(), "stored_shape": list(made.stored_shape)}
    # Last: an entry exists once this does.
    write_json(stem.with_suffix(".json"), place | {"crc32": _checksum(stem, json.dumps(place))})


def _checksum(stem: Path, place: str) -> int:
    """Return the CRC-32 of an entry's arrays and of its place, one after the other."""
    found = zlib.crc32(place.encode())
    for suffix in (".mask.npy", ".npy"):
        found = zlib.crc32(stem.with_suffix(suffix).read_bytes(), found)
    return found


@lru_cache(maxsize=100_000)
def _is_sound(stem: Path, place: str, crc32: int, changed_ns: tuple[int, int]) -> bool:
    """Return whether an entry is the one that was written; asked once per process and change."""
    return _checksum(stem, place) == crc32


def _read(stem: Path) -> Entry | None:
    """Return an entry, or None where there is none, or not a whole one."""
    files = stem.with_suffix(".npy"), stem.with_suffix(".mask.npy")
    try:
        facts = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        crc32 = facts.pop("crc32")
        changed = files[0].stat().st_mtime_ns, files[1].stat().st_mtime_ns
        if not _is_sound(stem, json.dumps(facts), crc32, changed):
            return None
        mapped = np.load(files[0], mmap_mode="r", allow_pickle=False)
        mask = np.unpackbits(np.load(files[1], allow_pickle=False), axis=1, count=mapped.shape[2])
        rows, columns = facts["stored_shape"]
        place = np.array(facts["to_stored"], np.float64).reshape(2, 3)
    except (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError):
        return None
    return Entry(mapped, mask.astype(np.bool_), place, (int(rows), int(columns)))


def load(row: Row, block: Preprocess, folder: Path | None = None) -> Entry:
    """Return a row's prepared image, from the cache or made now.

    Raises
    ------
    TrainerError, ReadError
        The file is missing, changed, unreadable, or cannot be prepared.
    """
    base = folder or cache_folder()
    stem = base / key_of(row, block)
    entry = _read(stem)
    if entry is None:
        try:
            _prepare(row, block, stem)
        except OSError as error:
            raise TrainerError(f"{base}: the cache cannot be written ({error.strerror})") from error
        entry = _read(stem)
    if entry is None:
        raise TrainerError(f"{base}: the cache does not give back what was written to it")
    return entry


def _made(work: tuple[Row, Preprocess, Path]) -> str:
    """Prepare one image in whatever process; return "" or why it could not be done."""
    try:
        load(*work)
    except MammoviewError as error:
        return str(error)
    return ""


def _is_there(stem: Path) -> bool:
    """Return whether an entry was finished; `load` looks at whether it is sound."""
    return all(stem.with_suffix(suffix).is_file() for suffix in (".json", ".npy", ".mask.npy"))


def _sweep(folder: Path) -> None:
    """Remove what writers that were killed left half-written."""
    for part in folder.glob(".*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink()


def fill(
    rows: Sequence[Row],
    block: Preprocess,
    report: Callable[[int, int], None] | None = None,
    folder: Path | None = None,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
) -> None:
    """Prepare every row that is not in the cache yet, in parallel; `report(done, total)` after each.

    What is finished stays: ended at any moment, the same call goes on from there.

    Parameters
    ----------
    scheduler
        Address of a dask cluster whose workers see the images and the cache under the same paths;
        None: processes of this machine.
    workers
        Processes here; None: as many as there are cores and as the work is worth.

    Raises
    ------
    TrainerError
        The first image that cannot be prepared, a worker that was killed, no cluster, a full disk.
    """
    base = folder or cache_folder()
    _sweep(base)
    missing = [row for row in rows if not _is_there(base / key_of(row, block))]
    done = len(rows) - len(missing)
    if report is not None and rows:
        report(done, len(rows))
    if not leads():
        # The first process of a training spreads the work; the others find its entries as they come.
        workers = 1
    pieces = [(row, block, base) for row in missing]
    for _, reason in spread(_made, pieces, scheduler=scheduler, workers=workers):
        if reason:
            raise TrainerError(reason)
        done += 1
        if report is not None:
            report(done, len(rows))

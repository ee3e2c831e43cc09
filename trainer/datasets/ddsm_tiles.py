"""DDSM tiles of 299 x 299 pixels (Kaggle ``skooch/ddsm-mammography``, data set 10): TFRecords and npy.

``training10_[0-4].tfrecords`` to train; ``test10_data.npy`` and ``cv10_data.npy`` with their labels to test:
the first holds masses only, the second nearly only calcifications, so that they are one test part
here (their author says so too). Traps:

* no patient ids: three crops of each lesion, turned and mirrored, were made before the set was divided.
  Nobody can split it by patient, and every report says so;
* the writer drops the last row of each shard;
* negative tiles are of DDSM, positive ones of CBIS-DDSM: other scanners and another processing, so a
  model can tell them apart by brightness alone.

A manifest needs a file per image, so each tile is written once as a lossless PNG named after its pixels,
into ``tiles`` of the cache folder (``MAMMOVIEW_CACHE``).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError

import cv2
import numpy as np
import numpy.typing as npt
import platformdirs

from app.core.files import whole
from app.core.manifest import NO_PATIENT, Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import files_below
from trainer.tfrecords import parse_example, records

LICENCE = "research: licence of the Kaggle edition not stated (DDSM, CBIS-DDSM CC BY 3.0)"
SIDE = 299
KINDS = (
    ("normal", None),
    ("benign", "calcification"),
    ("benign", "mass"),
    ("malignant", "calcification"),
    ("malignant", "mass"),
)
"""(label, finding) of the classes 0 to 4."""
_TRAIN = re.compile(r"training10_[0-9]+\.tfrecords?", re.IGNORECASE)
_TEST = ("test10", "cv10")
_SOURCES = "negatives come from DDSM, positives from CBIS-DDSM: other scanners, which a model can learn"

_BROKEN = (OSError, ValueError, EOFError, SyntaxError, TypeError, KeyError, OverflowError, MemoryError,
           TokenError)  # fmt: skip
"""What numpy raises on the header of a broken npy file."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One tile: its name, (299, 299) pixels, class 0 to 4, part."""

    name: str
    pixels: Pixels
    number: int
    part: str


def tiles_folder() -> Path:
    """Return the folder of unpacked tiles: in MAMMOVIEW_CACHE, else in the user's cache folder."""
    named = os.environ.get("MAMMOVIEW_CACHE")
    return (Path(named) if named else platformdirs.user_cache_path("mammoview", appauthor=False)) / "tiles"


def _tile_of(data: bytes) -> tuple[Pixels, int]:
    example = parse_example(data)
    images, labels = example.get("image", []), example.get("label", [])
    if len(images) != 1 or not isinstance(images[0], bytes) or len(images[0]) != SIDE * SIDE:
        raise ValueError(f"image is not {SIDE} x {SIDE} bytes")
    if len(labels) != 1 or not isinstance(labels[0], int) or not 0 <= labels[0] < len(KINDS):
        raise ValueError(f"label is not one of 0 to {len(KINDS) - 1}")
    normal = example.get("label_normal", [])
    if normal and normal != [int(labels[0] > 0)]:
        raise ValueError("label and label_normal contradict each other")
    return np.frombuffer(images[0], np.uint8).reshape(SIDE, SIDE), labels[0]


def _training(path: Path, report: Callable[[str], None]) -> Iterator[Tile]:
    try:
        for number, data in records(path):
            if isinstance(data, str):
                report(data)
                continue
            try:
                pixels, kind = _tile_of(data)
            except ValueError as error:
                report(f"{path}: record {number} left out: {error}")
                continue
            yield Tile(f"{path.stem}-{number:05d}", pixels, kind, "train")
    except TrainerError as error:
        report(str(error))


def _array(path: Path) -> npt.NDArray[np.generic]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except _BROKEN as error:
        raise TrainerError(f"{path}: cannot be read as an array ({error.__class__.__name__})") from error
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "uif":
        raise TrainerError(f"{path}: is no array of numbers")
    return found


def _bytes_of(values: npt.NDArray[np.generic]) -> Pixels:
    """Return a tile as bytes; raises ValueError unless each value is a whole number of 0 to 255."""
    found = np.asarray(values, np.float32)
    if not np.isfinite(found).all() or found.min() < 0 or found.max() > 255 or (found % 1).any():
        raise ValueError("holds values that are no whole numbers of 0 to 255")
    return found.astype(np.uint8)


def _testing(data: Path, labels: Path, report: Callable[[str], None]) -> Iterator[Tile]:
    images, kinds = _array(data), _array(labels)
    shape = images.shape[:-1] if images.ndim == 4 and images.shape[-1] == 1 else images.shape
    if len(shape) != 3 or shape[1:] != (SIDE, SIDE):
        raise TrainerError(f"{data}: holds no tiles of {SIDE} x {SIDE} pixels but {images.shape}")
    if kinds.shape[:1] != shape[:1] or kinds.size != shape[0]:
        raise TrainerError(f"{labels}: {kinds.size} labels for the {shape[0]} tiles of {data.name}")
    for number, kind in enumerate(kinds.reshape(-1).tolist()):
        try:
            if kind not in range(len(KINDS)):
                raise ValueError(f"label {kind} is not one of 0 to {len(KINDS) - 1}")
            pixels = _bytes_of(images[number].reshape(SIDE, SIDE))
        except ValueError as error:
            report(f"{data}: tile {number} left out: {error}")
            continue
        yield Tile(f"{data.stem.removesuffix('_data')}-{number:05d}", pixels, int(kind), "test")


def _store(tile: Tile, folder: Path) -> tuple[Path, str]:
    """Write a tile, unless it is there; return its file and that file's sha256."""
    # In digits alone: among the letters of a hexadecimal name there may be a "cc", which reads as a view.
    name = str(int(hashlib.sha256(tile.pixels.tobytes()).hexdigest()[:32], 16)).zfill(39)
    path = folder / name[-2:] / f"{name}.png"
    # The same library gives the same bytes; an older one's file is taken as it is.
    if path.is_file():
        kept = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if kept is not None and np.array_equal(kept, tile.pixels):
            return path, hashlib.sha256(path.read_bytes()).hexdigest()
    done, encoded = cv2.imencode(".png", tile.pixels, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise TrainerError(f"{path}: the tile cannot be written as PNG")
    content = encoded.tobytes()
    with whole(path) as part:
        part.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def _row(tile: Tile, folder: Path) -> Row:
    path, sha256 = _store(tile, folder)
    label, finding = KINDS[tile.number]
    findings = (Lesion(finding, None, None, label),) if finding else ()
    return Row(
        image_id=tile.name,
        patient_id=NO_PATIENT + tile.name,
        study_id=tile.name,
        laterality="",
        view="",
        path=path.resolve(),
        frame=0,
        sha256=sha256,
        rows=SIDE,
        columns=SIDE,
        spacing_mm=None,
        source="film",
        density="",
        age="",
        vendor="CBIS-DDSM" if finding else "DDSM",
        label=label,
        label_source="ddsm-tiles: class of the tile (pathology of CBIS-DDSM; DDSM's normals)",
        findings=findings,
        official_split=tile.part,
        licence=LICENCE,
    )


def _tiles(root: Path, report: Callable[[str], None]) -> Iterator[Tile]:
    files = files_below(root, (".tfrecords", ".tfrecord", ".npy"))
    shards = [path for path in files if _TRAIN.fullmatch(path.name)]
    if not shards:
        report(f"{root}: no training10_0.tfrecords, so there is nothing to train on")
    for path in shards:
        yield from _training(path, report)
    by_name = {path.name.lower(): path for path in files}
    for part in _TEST:
        data, labels = by_name.get(f"{part}_data.npy"), by_name.get(f"{part}_labels.npy")
        if data is None or labels is None:
            report(f"{root}: no {part}_data.npy with {part}_labels.npy, a half of the test part")
            continue
        try:
            yield from _testing(data, labels, report)
        except TrainerError as error:
            report(f"{error}; left out")


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per tile, training shards first, then the two halves of the test part.

    Raises
    ------
    TrainerError
        A tile that cannot be written to the cache folder.
    """
    folder = tiles_folder()
    rows = [_row(tile, folder) for tile in _tiles(root, report)]
    if rows:
        report(f"{root}: {_SOURCES}")
    return rows

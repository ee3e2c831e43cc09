"""A manifest's images as 16-bit PNG files, in the grey values that a model is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.core.errors import ReadError
from app.core.files import whole
from app.core.manifest import Box, Lesion, Manifest, Row, file_sha256, write_manifest
from trainer.errors import TrainerError
from trainer.views import read_view

MANIFEST = "manifest.csv"
Pixels = npt.NDArray[np.uint16]


def to_png(
    manifest: Manifest,
    folder: Path,
    tell: Callable[[str], None],
    report: Callable[[int, int], None] | None,
    *,
    crops: float | None = None,
) -> Manifest:
    """Write one PNG per image and a manifest of them; return that manifest.

    Pixels are uint16 P-values after the file's first VOI, higher is denser, MONOCHROME1 turned round,
    in stored orientation and size: none is resized and none squeezed into 8 bits. Padding is 0.

    Parameters
    ----------
    crops
        Each lesion that has a box as a picture of its own, so many times as large as the box; its label is
        the lesion's pathology, else its kind. None: whole images.

    Raises
    ------
    TrainerError
        A folder that holds something, files that moved or changed, no image that can be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainerError(f"{folder}: exists already and is not empty; take another name")
    if crops is not None and not 0.5 <= crops <= 20:
        raise TrainerError(f"--crops {crops:g}: must lie in 0.5 to 20")
    made: list[Row] = []
    for number, row in enumerate(manifest.rows, start=1):
        try:
            made += _written(row, folder / f"{number:06d}.png", crops)
        except ReadError as error:
            tell(f"{row.path}: {error.reason}; left out")
        if report is not None:
            report(number, len(manifest.rows))
    if not made:
        raise TrainerError(f"{manifest.path}: none of its images can be read")
    return write_manifest(made, folder / MANIFEST)


def _written(row: Row, path: Path, crops: float | None) -> list[Row]:
    view = read_view(row)
    pixels = view.pixels
    if view.padding is not None:
        pixels = pixels.copy()
        pixels[view.padding] = 0
    if crops is None:
        return [_picture(row, pixels, path)]
    made = []
    for number, lesion in enumerate(row.findings, start=1):
        if lesion.box is not None:
            own = path.with_stem(f"{path.stem}-{number}")
            made.append(_crop(row, lesion, lesion.box, pixels, own, crops))
    return made


def _crop(row: Row, lesion: Lesion, box: Box, pixels: Pixels, path: Path, factor: float) -> Row:
    """Write a lesion with its surroundings, within the image, and return its row."""
    edges = []
    for low, high, size in ((box[0], box[2], row.rows), (box[1], box[3], row.columns)):
        middle, half = (low + high) / 2, (high - low) / 2 * factor
        edges.append((max(0, int(middle - half)), min(size, int(middle + half) + 1)))
    (row0, row1), (col0, col1) = edges
    moved = (box[0] - row0, box[1] - col0, box[2] - row0, box[3] - col0)
    cut = (max(0.0, moved[0]), max(0.0, moved[1]), min(row1 - row0, moved[2]), min(col1 - col0, moved[3]))
    own = replace(
        row,
        image_id=f"{row.image_id}#{path.stem.rpartition('-')[2]}",
        rows=row1 - row0,
        columns=col1 - col0,
        label=lesion.pathology or lesion.label,
        findings=(replace(lesion, box=cut, mask=None),),
    )
    return _picture(own, pixels[row0:row1, col0:col1], path)


def _picture(row: Row, pixels: Pixels, path: Path) -> Row:
    done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    if not done:
        raise TrainerError(f"{path}: the picture cannot be encoded")
    with whole(path) as part:
        part.write_bytes(encoded.tobytes())
    # Names are numbers: an image id may be a path or hold a patient's name.
    return replace(row, path=path.resolve(), frame=0, sha256=file_sha256(path))

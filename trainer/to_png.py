"""A manifest's images as 16-bit PNG files, in the grey values that a model is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2

from app.core.errors import ReadError
from trainer.errors import TrainerError
from trainer.files import whole
from trainer.manifest import Manifest, Row, file_sha256, write_manifest
from trainer.views import read_view

MANIFEST = "manifest.csv"


def to_png(
    manifest: Manifest, folder: Path, tell: Callable[[str], None], report: Callable[[int, int], None] | None
) -> Manifest:
    """Write one PNG per image and a manifest of them; return that manifest.

    Pixels are uint16 P-values after the file's first VOI, higher is denser, MONOCHROME1 turned round,
    in stored orientation and size: none is resized and none squeezed into 8 bits. Padding is 0.

    Raises
    ------
    TrainerError
        A folder that holds something, files that moved or changed, no image that can be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainerError(f"{folder}: exists already and is not empty; take another name")
    made: list[Row] = []
    for number, row in enumerate(manifest.rows, start=1):
        try:
            made.append(_written(row, folder / f"{number:06d}.png"))
        except ReadError as error:
            tell(f"{row.path}: {error.reason}; left out")
        if report is not None:
            report(number, len(manifest.rows))
    if not made:
        raise TrainerError(f"{manifest.path}: none of its images can be read")
    return write_manifest(made, folder / MANIFEST)


def _written(row: Row, path: Path) -> Row:
    view = read_view(row)
    pixels = view.pixels
    if view.padding is not None:
        pixels = pixels.copy()
        pixels[view.padding] = 0
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise TrainerError(f"{path}: the picture cannot be encoded")
    with whole(path) as part:
        part.write_bytes(encoded.tobytes())
    # Names are numbers: an image id may be a path or hold a patient's name.
    return replace(row, path=path.resolve(), frame=0, sha256=file_sha256(path))

"""Pictures of training cases that look alike: from the reader's own copy of the data, never from a bundle."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.errors import MammoviewError
from app.core.imaging.background import padding_mask
from app.core.imaging.model_input import model_pixels
from app.core.manifest import Row, read_manifest
from app.core.reading.inside import LikeCase
from model_zoo.index import image_mark

Picture = npt.NDArray[np.uint8]
SIDE = 144
"""Of a picture, in pixels."""
_AROUND = 1.6
"""How much is shown, in sides of the place's box."""
_ALLOWED = ("any:", "research:")
"""Licences whose images a researcher may look at here; what a manifest says otherwise is not shown."""


def like_pictures(
    manifest: Path, cases: Sequence[LikeCase], *, report: Callable[[int, int], None]
) -> dict[LikeCase, Picture]:
    """Return the pictures of those cases whose file is where the manifest says and may be shown.

    Parameters
    ----------
    manifest
        Of the data set that the bundle was trained on.

    Raises
    ------
    MammoviewError
        A manifest that cannot be read.
    """
    wanted = {case.image for case in cases}
    rows = {}
    for row in read_manifest(manifest).rows:
        mark = image_mark(row.image_id)
        if mark in wanted:
            rows[mark] = row
    made = {}
    for number, case in enumerate(cases, start=1):
        own = rows.get(case.image)
        if own is not None and own.licence.startswith(_ALLOWED) and own.path.is_file():
            # A file that cannot be read has no picture; its line stays.
            with suppress(MammoviewError, OSError, ValueError, cv2.error):
                made[case] = _picture(own, case.box)
        report(number, len(cases))
    return made


def _picture(row: Row, box: tuple[float, float, float, float]) -> Picture:
    """Return a square around a box, its grey values from the least to the greatest there."""
    image = read_image(row.path)
    stored = read_frame(image, row.frame).stored
    image = complete(image, stored)
    grey = image.grey_of(row.frame)
    pixels = model_pixels(stored, grey, padding_mask(stored, grey))
    half = math.ceil(max(box[2] - box[0], box[3] - box[1], 32.0) * _AROUND / 2)
    row0, col0 = round((box[0] + box[2]) / 2), round((box[1] + box[3]) / 2)
    top, left = max(0, row0 - half), max(0, col0 - half)
    part = pixels[top : max(0, row0 + half), left : max(0, col0 + half)]
    if not part.size:
        raise ValueError("the place lies outside its image")
    low, high = float(part.min()), float(part.max())
    shown = (part.astype(np.float32) - low) * (255.0 / max(high - low, 1.0))
    scale = SIDE / max(part.shape)
    size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
    made: Picture = cv2.resize(np.rint(shown).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return made

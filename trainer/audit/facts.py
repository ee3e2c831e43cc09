"""What the audit knows of one picture: a record of fixed size, made once per file and kept.

Records hold no place and no identity, only what the pixels and the header say, so that 50,000 of them are
some 30 MB.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.imaging.background import padding_mask
from app.core.imaging.image import Image, Laterality
from app.core.imaging.model_input import model_pixels
from app.core.manifest import Row, check_unchanged
from trainer.audit.marks import SIDE, picture_code, pixel_mark

Facts = npt.NDArray[np.void]
"""Records, one a row, of the type `KIND`."""

BINS = 32
EDGES = ("top", "bottom", "left", "right")
KIND = np.dtype(
    [
        ("mark", "S64"),
        ("has_code", "?"),
        ("code", "i1", (SIDE, SIDE)),
        ("rows", "<i4"),
        ("columns", "<i4"),
        ("bits_stored", "<i2"),
        ("bits_used", "<i2"),
        ("low", "<f8"),
        ("high", "<f8"),
        ("mean", "<f4"),
        ("std", "<f4"),
        ("at_low", "<f4"),
        ("at_high", "<f4"),
        ("grey", "<f4", (BINS,)),
        ("edge_mean", "<f4", (len(EDGES),)),
        ("edge_std", "<f4", (len(EDGES),)),
        ("chest", "S6"),
        ("orientation", "S8"),
        ("contradicted", "?"),
        ("laterality", "S1"),
        ("photometric", "S16"),
    ]
)
"""One picture. `mean`, `std`, `edge_*`: P-values as 0..1; `grey`: shares of pixels in 32 equal steps of them;
`low`, `high`: stored values, `at_low`, `at_high`: shares of pixels there; `edge_*`: the outermost 2 % at top,
bottom, left, right; `chest`: the side on which the pixels show the chest wall, or nothing; `orientation`,
`laterality`, `photometric`: as the file states them; `contradicted`: its orientation, by its pixels."""

CHEST = {"A": "left", "P": "right"}
"""The side of the chest wall when rows run to anterior or posterior."""
_UPRIGHT = {"A": "top", "P": "bottom"}


def chest_side(orientation: tuple[str, str] | None) -> str:
    """Return the side of the chest wall that Patient Orientation names; "" where it names none."""
    row, column = orientation or ("", "")
    for letters, sides in ((row, CHEST), (column, _UPRIGHT)):
        for letter, side in sides.items():
            if letter in letters:
                return side
    return ""


def _chest(image: Image, row: Row, stored: npt.NDArray[Any]) -> tuple[str, bool]:
    """Return where the pixels show the chest wall, and whether they contradict what the file states."""
    side = cast(Laterality, row.laterality if row.laterality in ("L", "R") else "L")
    known = replace(image, laterality=side, view=row.view or image.view, notes=())
    found = complete(replace(known, orientation=None), stored).orientation
    doubts = complete(known, stored).notes if image.orientation else ()
    return chest_side(found), any(note.code == "orientation-contradicted" for note in doubts)


def look(row: Row) -> bytes:
    """Return the record of a row's picture.

    Raises
    ------
    TrainerError
        The file is not there, or is no longer the one that was indexed.
    ReadError
        It cannot be read.
    """
    check_unchanged(row)
    image = read_image(row.path)
    stored = read_frame(image, row.frame).stored
    grey = image.grey_of(row.frame)
    values = model_pixels(stored, grey, padding_mask(stored, grey))
    code = picture_code(values)
    low, high = int(stored.min()), int(stored.max())
    shown = values.astype(np.float32) / np.float32(65535)
    strips = _strips(shown)
    chest, contradicted = _chest(image, row, stored)
    facts = {
        "mark": pixel_mark(stored).encode(),
        "has_code": code is not None,
        "code": np.zeros((SIDE, SIDE)) if code is None else code,
        "rows": stored.shape[0],
        "columns": stored.shape[1],
        "bits_stored": grey.bits_stored,
        "bits_used": max(abs(low), abs(high)).bit_length(),
        "low": low,
        "high": high,
        "mean": shown.mean(),
        "std": shown.std(),
        "at_low": np.mean(stored == low),
        "at_high": np.mean(stored == high),
        "grey": np.bincount((values >> 11).ravel(), minlength=BINS) / values.size,
        "edge_mean": [strip.mean() for strip in strips],
        "edge_std": [strip.std() for strip in strips],
        "chest": chest.encode(),
        "orientation": "\\".join(image.orientation or ()).encode(),
        "contradicted": contradicted,
        "laterality": (image.laterality or "").encode(),
        "photometric": image.photometric.encode(),
    }
    record = np.zeros(1, KIND)
    for name, value in facts.items():
        record[name] = value
    return record.tobytes()


def _strips(shown: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    deep = max(1, round(0.02 * min(shown.shape)))
    return [shown[:deep], shown[-deep:], shown[:, :deep], shown[:, -deep:]]

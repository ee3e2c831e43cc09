"""The audit: no patient and no picture in two parts of a split, however it was turned or mirrored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.errors import ReadError
from trainer.errors import TrainerError
from trainer.files import write_json
from trainer.manifest import Manifest, Row, check_unchanged
from trainer.splits import PARTS, Splits, overlaps


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Attributes
    ----------
    leaks
        One sentence per patient or picture in two parts of a fold.
    twins
        Groups of image ids with identical pixels (turned by 90 degrees and mirrored too).
    unreadable
        One sentence per file that cannot be read.
    caveats
        What every report on these images must say.
    """

    images: int
    leaks: tuple[str, ...]
    twins: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]
    caveats: tuple[str, ...] = ()


def pixel_mark(pixels: npt.NDArray[np.generic]) -> str:
    """Return a mark that all eight turned and mirrored copies of a picture share, and no other picture."""
    marks = []
    for turned in (pixels, pixels.T):
        for one in (turned, turned[::-1], turned[:, ::-1], turned[::-1, ::-1]):
            digest = hashlib.sha256(f"{one.dtype} {one.shape}".encode())
            digest.update(np.ascontiguousarray(one).tobytes())
            marks.append(digest.hexdigest())
    return min(marks)


def _mark(row: Row) -> str:
    check_unchanged(row)
    return pixel_mark(read_frame(read_image(row.path), row.frame).stored)


def _twins(
    manifest: Manifest, report: Callable[[int, int], None] | None
) -> tuple[list[list[Row]], list[str]]:
    groups: dict[str, list[Row]] = {}
    unreadable = []
    for number, row in enumerate(manifest.rows, start=1):
        try:
            groups.setdefault(_mark(row), []).append(row)
        except ReadError as error:
            unreadable.append(str(error))
        if report is not None:
            report(number, len(manifest.rows))
    return [rows for rows in groups.values() if len(rows) > 1], unreadable


def _leaks(twins: list[list[Row]], splits: Splits) -> list[str]:
    found = list(overlaps(splits))
    for number, fold in enumerate(splits.folds):
        place = {name: set(fold.part(name)) for name in PARTS}
        for rows in twins:
            parts = {name for name in PARTS for row in rows if row.patient_id in place[name]}
            if len(parts) > 1:
                names = ", ".join(row.image_id for row in rows)
                found.append(f"identical pixels in {' and '.join(sorted(parts))} of fold {number}: {names}")
    return found


def audit(
    manifest: Manifest, splits: Splits | None, *, report: Callable[[int, int], None] | None = None
) -> Audit:
    """Look at every picture of a manifest; without splits only twins of different patients are listed.

    Raises
    ------
    TrainerError
        A file that is not there or has changed, or splits of another manifest.
    """
    if splits is not None and splits.manifest_sha256 != manifest.sha256:
        raise TrainerError(f"{manifest.path}: the splits were made for another manifest")
    twins, unreadable = _twins(manifest, report)
    return Audit(
        len(manifest.rows),
        tuple(_leaks(twins, splits)) if splits is not None else (),
        tuple(tuple(row.image_id for row in rows) for rows in twins),
        tuple(unreadable),
        manifest.caveats,
    )


def write_audit(found: Audit, folder: Path) -> None:
    """Write audit.json into a report folder."""
    try:
        write_json(folder / "audit.json", {"format": "mammoview-audit", "version": 1, **asdict(found)})
    except OSError as error:
        raise TrainerError(f"{folder}: the report cannot be written ({error.strerror})") from error

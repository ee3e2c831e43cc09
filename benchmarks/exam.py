"""The exam that benchmarks read: four synthetic views of full size, JPEG 2000 lossless."""

from __future__ import annotations

from pathlib import Path

from pydicom.uid import JPEG2000Lossless

from app.core.phantom.exam import make_exam
from app.core.phantom.write import write_exam

SHAPE = (4096, 3328)
VIEWS = 4
PIXEL_BYTES = VIEWS * SHAPE[0] * SHAPE[1] * 2
"""Bytes of the stored values of the exam, uint16."""


def four_views(folder: Path) -> list[Path]:
    """Write the exam below `folder`, or find it there, and return its files."""
    exam = folder / "exam"
    if not (exam / "truth.json").exists():
        write_exam(make_exam(1, shape=SHAPE, density="c"), exam, transfer_syntax=JPEG2000Lossless)
    return sorted(exam.glob("*.dcm"))

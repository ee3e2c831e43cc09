"""The exams that benchmarks read: synthetic views, JPEG 2000 lossless."""

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


def eight_views(folder: Path) -> list[Path]:
    """Write an exam and its prior below ``folder/pair``, or find them there, and return their files."""
    pair = folder / "pair"
    if not (pair / "prior" / "truth.json").exists():
        exam = make_exam(1, shape=SHAPE, density="c", prior=True)
        assert exam.prior is not None
        write_exam(exam, pair / "current", transfer_syntax=JPEG2000Lossless)
        write_exam(exam.prior, pair / "prior", transfer_syntax=JPEG2000Lossless)
    return sorted(pair.glob("*/*.dcm"))


def two_studies(folder: Path) -> Path:
    """Write the exams of two patients below ``folder/two``, and return that folder."""
    for number in range(2):
        study = folder / "two" / str(number)
        if not (study / "truth.json").exists():
            write_exam(make_exam(31 + number, shape=SHAPE), study, transfer_syntax=JPEG2000Lossless)
    return folder / "two"


def small_studies(folder: Path, count: int, shape: tuple[int, int] = (1024, 832)) -> Path:
    """Write `count` studies of as many patients below ``folder/worklist``, and return that folder."""
    worklist = folder / "worklist"
    for number in range(count):
        study = worklist / f"{number:02d}"
        if not (study / "truth.json").exists():
            write_exam(make_exam(100 + number, shape=shape), study, transfer_syntax=JPEG2000Lossless)
    return worklist

"""Scored exams made up for reports: one image each."""

from __future__ import annotations

from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.units import ExamResult, ImageResult

WHOLE = (0.0, 0.0, 100.0, 100.0)
BOX = (10.0, 10.0, 30.0, 30.0)


def exam(
    number: int,
    score: float,
    *,
    sick: bool,
    patient: str = "",
    kind: str = "CIRC",
    box: tuple[float, float, float, float] = BOX,
    density: str = "",
    age: str = "",
) -> ExamResult:
    label = "malignant" if sick else "normal"
    row = Row(
        f"i{number}", patient or f"p{number:02d}", f"s{number}", "L", "MLO", Path("/nowhere"), 0, "", 100,
        100, (0.5, 0.5), "film", density, age, "", label, "test: made up",
        (Lesion(kind, BOX),) if sick else (),
    )  # fmt: skip
    image = ImageResult(row, score, None, ((score, box),), WHOLE)
    return ExamResult((image,), {"L": score}, score)

"""Phantom exams to train on: as many as wanted, none of them the demo's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

from app.core.phantom.anatomy import Breast, Density, Side, draw_breast
from app.core.phantom.exam import LesionChoice, PhantomExam, choose_lesions, make_exam
from app.core.phantom.write import write_exam
from trainer.errors import TrainerError

LESIONS = ("mixed", "none", "mass", "calc", "asymmetry", "any")
DENSITIES: tuple[Density, ...] = ("b", "c", "b", "c", "a", "b", "c", "d")
"""BI-RADS densities in turn where they are not drawn, near their frequency in screening."""
_STREAM = 100_000
"""Exams per stream; stream S holds the exam seeds 100000 * (S + 1) onwards, so never the demo's small one."""


def parse_shape(text: str) -> tuple[int, int]:
    """Return (rows, columns) of ``RxC``; raises TrainerError for anything but two numbers of 64 to 8192."""
    rows, _, columns = text.lower().partition("x")
    if not (rows.isdigit() and columns.isdigit()):
        raise TrainerError(f"--shape {text}: the form is ROWSxCOLUMNS")
    shape = (int(rows), int(columns))
    if not all(64 <= side <= 8192 for side in shape):
        raise TrainerError(f"--shape {text}: each side must lie in 64 to 8192")
    return shape


def make_phantoms(
    folder: Path,
    exams: int,
    seed: int,
    shape: tuple[int, int],
    *,
    lesions: str = "mixed",
    calc_scale: float = 1.0,
    contrast: float = 1.0,
    report: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write exams as DICOM with truth.json, one folder each; return the folders.

    Parameters
    ----------
    seed
        Names the stream of exams; the same arguments write the same files.
    shape
        (rows, columns) of each view; the field keeps its size in millimetres.
    lesions
        ``mixed`` (half of the exams are normal), ``none``, ``any`` (one lesion each), or one kind.
    calc_scale, contrast
        Multiply the size of calcifications and the contrast of every lesion, for training at reduced
        resolution.

    Raises
    ------
    TrainerError
        Wrong arguments, or a folder that cannot be written.
    """
    if not 1 <= exams <= _STREAM:
        raise TrainerError(f"--exams {exams}: 1 to {_STREAM} exams can be made")
    if seed < 0:
        raise TrainerError(f"--seed {seed}: must not be negative")
    if not (0.1 <= calc_scale <= 10 and 0.1 <= contrast <= 10):
        raise TrainerError("--calc-scale and --contrast must lie in 0.1 to 10")
    choice = None if lesions == "mixed" else cast(LesionChoice, lesions)
    made = []
    for number in range(exams):
        own = _STREAM * (seed + 1) + number
        target = folder / f"exam-{own}"
        try:
            write_exam(_exam(own, shape, choice, calc_scale, contrast), target)
        except OSError as error:
            raise TrainerError(f"{target}: cannot be written ({error.strerror})") from error
        made.append(target)
        if report is not None:
            report(number + 1, exams)
    return made


def _exam(
    seed: int, shape: tuple[int, int], choice: LesionChoice, calc_scale: float, contrast: float
) -> PhantomExam:
    """Return one exam; with a contrast other than 1 its lesions are drawn first and then strengthened."""
    if contrast == 1.0:
        return make_exam(seed, shape=shape, lesions=choice, calc_scale=calc_scale)
    density: Density = DENSITIES[seed % len(DENSITIES)]
    breasts: dict[Side, Breast] = {side: draw_breast(seed, side, density) for side in ("R", "L")}
    drawn = choose_lesions(seed, breasts, choice)
    stronger = [replace(lesion, contrast=lesion.contrast * contrast) for lesion in drawn]
    return make_exam(seed, shape=shape, density=density, lesions=stronger, calc_scale=calc_scale)

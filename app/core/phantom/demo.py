"""The demo exam: one fixed synthetic patient with known lesions, and her exam two years earlier."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom.uid import JPEG2000Lossless

from app.core.errors import MammoviewError
from app.core.phantom.anatomy import Density, Position
from app.core.phantom.exam import VIEWS, PhantomExam, make_exam
from app.core.phantom.lesions import Lesion
from app.core.phantom.write import write_exam

DEMO_SEED = 4
DEMO_SHAPE = (2560, 2048)
_DENSITY: Density = "b"
_VERSION = 3
"""Raised whenever the demo's pixels change: a folder with another number is made anew."""
_STAMP = "demo.json"


@dataclass(frozen=True, slots=True)
class DemoExam:
    """Files of the demo.

    Attributes
    ----------
    current, prior
        RCC, LCC, RMLO, LMLO of each exam.
    truth
        ``truth.json`` of the current exam: boxes in stored pixels by SOP Instance UID.
    """

    current: tuple[Path, ...]
    prior: tuple[Path, ...]
    truth: Path


def demo_lesions() -> tuple[Lesion, ...]:
    """Return the demo's lesions: a spiculated mass on the right, a cluster of calcifications on the left."""
    mass = Lesion(
        kind="mass",
        label="spiculated irregular mass",
        side="R",
        position=Position(80, 36, 4),
        diameter_mm=16,
        contrast=0.55,
        form="irregular",
        margin="spiculated",
        seed=11,
    )
    cluster = Lesion(
        kind="calc",
        label="cluster of pleomorphic calcifications",
        side="L",
        position=Position(40, 8, 16),
        diameter_mm=10,
        contrast=1.7,
        form="pleomorphic",
        seed=12,
    )
    return mass, cluster


def make_demo(shape: tuple[int, int] = DEMO_SHAPE) -> PhantomExam:
    """Return the demo's exam with its prior."""

    def one(index: int) -> PhantomExam:
        return make_exam(
            DEMO_SEED,
            shape=shape,
            density=_DENSITY,
            lesions=demo_lesions(),
            prior=True,
            views=VIEWS[index : index + 1],
        )

    # Threads, not processes: the time is spent in cv2 and numpy, which let go of the interpreter.
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(one, range(len(VIEWS))))
    priors = [part.prior for part in parts if part.prior is not None]
    prior = replace(priors[0], views=tuple(view for part in priors for view in part.views))
    return replace(parts[0], views=tuple(view for part in parts for view in part.views), prior=prior)


def demo_exam(folder: Path, *, shape: tuple[int, int] = DEMO_SHAPE) -> DemoExam:
    """Return the demo exam's files below `folder`, made on first use and then kept.

    The files appear all at once: they are written beside `folder` and moved. A folder whose stamp is of
    another version of the demo is replaced; anything else at `folder` is left alone.

    Raises
    ------
    MammoviewError
        If something that is not the demo exam lies at `folder`, or it cannot be written.
    """
    stamp = {"format": "mammoview-demo", "version": _VERSION, "shape": list(shape)}
    found = _stamp(folder)
    if found == stamp:
        return _files(folder)
    if folder.exists() and found is None and any(folder.iterdir()):
        raise MammoviewError(f"{folder}: the demo exam cannot be put here, other files are in the way")
    exam = make_demo(shape)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            made = Path(scratch) / "new"
            write_exam(exam, made / "current", transfer_syntax=JPEG2000Lossless)
            if exam.prior is not None:
                write_exam(exam.prior, made / "prior", transfer_syntax=JPEG2000Lossless)
            (made / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            made.rename(folder)
    except OSError as error:
        if _stamp(folder) == stamp:  # another process was faster
            return _files(folder)
        raise MammoviewError(f"{folder}: the demo exam cannot be written, {error.strerror}") from error
    return _files(folder)


def _stamp(folder: Path) -> object:
    """Return what the folder's stamp says, or None if it has none that can be read."""
    try:
        return json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _files(folder: Path) -> DemoExam:
    names = [f"{side}{view}.dcm" for side, view in VIEWS]
    return DemoExam(
        tuple(folder / "current" / name for name in names),
        tuple(folder / "prior" / name for name in names),
        folder / "current" / "truth.json",
    )

"""A data folder with a made manifest, its splits, a frozen test and a trainer that only pretends."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core.manifest import Row, write_manifest
from app.services.training import alive, asked, frozen
from app.services.training.asked import Wish
from app.services.training.job import Job, jobs_folder, read_state
from app.services.training.look import Broken, JobView, Looker

FAKE = Path(__file__).with_name("fake_trainer.py")
TRAIN, VAL, TEST = ("p1", "p2", "p3"), ("p4",), ("p5", "p6")
DEADLINE_S = 180


def nothing(done: int, total: int) -> None:
    """Report to nobody."""


def row(number: int, patient: str, folder: Path, **facts: object) -> Row:
    given: dict[str, object] = {
        "image_id": f"image-{number}",
        "patient_id": patient,
        "study_id": patient,
        "laterality": "L",
        "view": "CC",
        "path": folder / f"{number}.dcm",
        "frame": 0,
        "sha256": hashlib.sha256(f"{patient}{number}".encode()).hexdigest(),
        "rows": 64,
        "columns": 64,
        "spacing_mm": None,
        "source": "phantom",
        "density": "b",
        "age": "",
        "vendor": "",
        "label": "lesion" if number % 2 else "normal",
        "label_source": "made: here",
    }
    return Row(**(given | facts))  # type: ignore[arg-type]


def write_splits(path: Path, manifest: Path, *folds: tuple[tuple[str, ...], ...]) -> Path:
    """Write a splits.json of (train, val, test) patients; the hash as docs and trainer have it."""
    lists = [dict(zip(("train", "val", "test"), map(list, fold), strict=True)) for fold in folds]
    sha256 = hashlib.sha256(manifest.read_bytes()).hexdigest()
    own = {"manifest_sha256": sha256, "seed": 0, "folds": lists}
    said = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"format": "mammoview-splits", "version": 1, **own, "hash": said}))
    return path


@dataclass(frozen=True)
class Desk:
    """Where everything lies."""

    folder: Path
    manifest: Path
    splits: Path

    def wish(self, **facts: object) -> Wish:
        given: dict[str, object] = {
            "recipe": "phantom-lesions",
            "manifest": str(self.manifest),
            "frozen": "phantoms",
            "name": "my-model",
        }
        return Wish(**(given | facts))  # type: ignore[arg-type]

    def begin(self, **facts: object) -> Job:
        return asked.begin(self.wish(**facts), report=nothing)

    def hold(self, patch: pytest.MonkeyPatch) -> None:
        """Have trainings stay in their last epoch until `release`."""
        patch.setenv("FAKE_HOLD", str(self.folder / "hold"))
        (self.folder / "hold").touch()

    def release(self) -> None:
        (self.folder / "hold").unlink()

    def manifest_of(self, name: str, *rows: Row) -> Path:
        return write_manifest(rows, self.folder / name).path


def make_desk(folder: Path, patch: pytest.MonkeyPatch) -> Desk:
    """Set up a data folder of its own, with six patients of whom two are the frozen test ``phantoms``."""
    for name in ("DATA", "MODELS", "CONFIG"):
        patch.setenv(f"MAMMOVIEW_{name}", str(folder / name.lower()))
    program = folder / "trainer"
    program.write_text(
        f"#!{sys.executable}\nimport runpy\nrunpy.run_path({str(FAKE)!r}, run_name='__main__')\n"
    )
    program.chmod(0o755)
    patch.setenv("MAMMOVIEW_TRAINER", str(program))
    rows = [row(number, patient, folder) for number, patient in enumerate(TRAIN + VAL + TEST)]
    manifest = write_manifest(rows, folder / "manifest.csv").path
    splits = write_splits(folder / "splits.json", manifest, (TRAIN, VAL, TEST))
    frozen.freeze("phantoms", manifest, splits, 0, "Dr. Who")
    return Desk(folder, manifest, splits)


def look(job: Job) -> JobView:
    view = Looker().look(jobs_folder() / job.id)
    assert not isinstance(view, Broken), view.sentence
    return view


def until(job: Job, wanted: Callable[[JobView], bool], seconds: float = DEADLINE_S) -> JobView:
    """Wait until a training stands as wanted; one that does not is ended: nothing outlives the tests."""
    end = time.monotonic() + seconds
    while not wanted(view := look(job)):
        if time.monotonic() > end:
            kill(job)
            pytest.fail(f"{view.status}: {view.sentence}\n{view.log}")
        time.sleep(0.05)
    return view


def kill(job: Job) -> None:
    """End a training and its keeper at once."""
    state = read_state(job.folder)
    for one in (state.keeper, state.process) if state else ():
        if one is not None:
            alive.tell(one, signal.SIGKILL)

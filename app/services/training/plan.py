"""The steps of a training, and the trainer's words for each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.services.training.frozen import FrozenTest
from app.services.training.job import Job

Words = tuple[str, ...]

SPLIT: Final = "split"
GUARD: Final = "guard"
FIT: Final = "fit"
EXPORT: Final = "export"
EVALUATE: Final = "evaluate"
COMPARE: Final = "compare"

WORDS: Final = {
    SPLIT: "dividing the patients",
    GUARD: "looking for patients of the frozen test",
    FIT: "training",
    EXPORT: "making the model",
    EVALUATE: "measuring on the frozen test",
    COMPARE: "comparing with the model in use",
}
"""What a step does, for people."""

OPTIONAL: Final = (COMPARE,)
"""Steps whose failure leaves the rest as it is."""


def steps(job: Job) -> tuple[str, ...]:
    """Return the steps of a training, in order."""
    made = [GUARD, FIT, EXPORT, EVALUATE]
    if not job.splits:
        made.insert(0, SPLIT)
    if job.against:
        made.append(COMPARE)
    return tuple(made)


def splits_of(job: Job) -> Path:
    """Return the splits.json that a training uses."""
    return Path(job.splits) if job.splits else job.folder / "splits.json"


def words(job: Job, step: str, frozen: FrozenTest) -> Words:
    """Return what the trainer is told for a step (all but `GUARD`, which is done here)."""
    folder = job.folder
    part: Words = ("--manifest", str(frozen.manifest), "--splits", str(frozen.splits), "--part", "test")
    part += ("--fold", str(frozen.fold), "--device", job.device)
    if step == SPLIT:
        like = ("--like", str(frozen.splits), "--fold", str(frozen.fold))
        return ("split", job.manifest, *like, "-o", str(splits_of(job)))
    if step == FIT:
        return _fit(job)
    if step == EXPORT:
        return ("export", str(folder / "run"), "-o", str(folder / "bundles"))
    if step == EVALUATE:
        return ("evaluate", str(job.bundle), *part, "-o", str(folder / "report"))
    if step == COMPARE:
        return ("compare", job.against, str(job.bundle), *part, "-o", str(folder / "comparison"))
    raise ValueError(step)


def _fit(job: Job) -> Words:
    run = job.folder / "run"
    made: Words = ("fit", job.recipe, "--manifest", job.manifest, "--splits", str(splits_of(job)))
    made += ("-o", str(run))
    made += ("--fold", str(job.fold), "--seed", str(job.seed), "--device", job.device)
    made += ("--events", str(job.folder / "events.jsonl"))
    if run.is_dir() and any(run.iterdir()):
        made += ("--resume",)
    return (*made, "--set", f"name={job.name}", f"version={job.version}", *job.changes)

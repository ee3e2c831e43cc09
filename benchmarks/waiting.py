"""``train-data-wait``: the share of a training's time in which it waits for its next batch.

A real training of the recipe ``phantom-lesions`` (its canvas, networks, losses and augmentation) on phantom
exams, from a full cache: the share that its own events say, epoch by epoch, the first left out. The peer is
the goal of a tenth. On a GPU, where one is there, its queue goes on meanwhile: the share is then at most
what is said.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch

from app.core.errors import MammoviewError
from app.core.manifest import Manifest, read_manifest, write_manifest
from benchmarks.result import BenchmarkError, Result, judge
from model_zoo.errors import ModelError
from trainer.datasets import index
from trainer.engine import Machine
from trainer.events import Events
from trainer.fit import fit
from trainer.phantoms import make_phantoms
from trainer.recipe import read_recipe
from trainer.splits import make_splits, write_splits

RECIPE = "phantom-lesions"
EXAMS, EPOCHS = 5, 3
SHAPE = (832, 640)
GOAL = 0.1


def run(name: str, folder: Path) -> Result:
    """Measure the share beside its goal."""
    place = folder / "waiting"
    try:
        waits = _waits(_manifest(place), place)
    except (ModelError, MammoviewError) as error:
        raise BenchmarkError(str(error)) from None
    device = "GPU" if torch.cuda.is_available() else "CPU"
    # A share of nothing would have no ratio.
    runs = [(max(wait, 1e-4), GOAL) for wait in waits]
    config = f"goal; {RECIPE} on the {device}, {EXAMS} exams of {SHAPE[0]} x {SHAPE[1]}, epochs 2 to {EPOCHS}"
    return judge(name, "share of the time", runs, better="lower", peer="goal", peer_config=config)


def _manifest(place: Path) -> Manifest:
    if not (place / "manifest.csv").is_file():
        make_phantoms(place, EXAMS, 7, SHAPE)
        return write_manifest(index("phantom", place, lambda said: None), place / "manifest.csv")
    return read_manifest(place / "manifest.csv")


def _waits(manifest: Manifest, place: Path) -> list[float]:
    """Return the share of each epoch but the first, in which processes and libraries start."""
    splits = make_splits(manifest, seed=0)
    write_splits(splits, place / "splits.json")
    shutil.rmtree(place / "run", ignore_errors=True)
    events = place / "events.jsonl"
    events.unlink(missing_ok=True)
    recipe = read_recipe(RECIPE, ["pretrained=", f"epochs={EPOCHS}", "validate_every=100"])
    fit(
        recipe,
        manifest,
        splits,
        place / "splits.json",
        place / "run",
        machine=Machine(),
        events=Events(events),
    )
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    return [line["metrics"]["data_wait"] for line in lines if line["kind"] == "epoch"][1:]

"""``predict-batch``: images an hour through the audit's engine beside the same network in a bare loop.

The bare loop has the decoded arrays in memory and calls prepare and network only, with all processors. Ours
reads, checks and decodes the files, aggregates, and keeps each answer on disk; it runs with one and with two
worker processes, which share the processors.
"""

from __future__ import annotations

import time
from pathlib import Path

from app.core.errors import MammoviewError
from app.core.manifest import Row, read_manifest, write_manifest
from app.core.settings import Device
from app.core.spread import cores
from app.services.audit.predicting import Run, plan_of, predict
from app.services.inference.audited import audit_model
from benchmarks.result import BenchmarkError, Result, judge
from model_zoo.errors import ModelError
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.preprocess import prepare
from trainer.datasets import index
from trainer.evaluate import find_bundle, read_study, studies
from trainer.phantoms import make_phantoms

MODEL = "phantom-lesions"
EXAMS, ROUNDS = 24, 3
SHAPE = (1280, 1024)
DEVICE: Device = "cpu"


def run(name: str, folder: Path) -> Result:
    """Measure both; the time until the first answer (starting the processes) does not count."""
    try:
        bundle = find_bundle(MODEL)
        rows = _rows(folder)
        predictor = load_predictor(bundle, DEVICE)
        views = [view for study in studies(rows) for view in read_study(study)]
        one, two, runs = [], [], []
        for turn in range(ROUNDS):
            one.append(_ours(bundle.folder, rows, folder / f"one-{turn}.sqlite", 1))
            two.append(_ours(bundle.folder, rows, folder / f"two-{turn}.sqlite", 2))
            runs.append((max(one[-1], two[-1]), _theirs(predictor, views)))
    except (ModelError, MammoviewError) as error:
        raise BenchmarkError(str(error)) from None
    gain = sum(two) / sum(one)
    config = (
        f"arrays in memory, prepare and network only, {cores()} processors; goal 0.8; {MODEL} on {DEVICE}, "
        f"{len(rows)} images of {SHAPE[0]} x {SHAPE[1]}; two workers {gain:.2f} times one (goal 1.6)"
    )
    return judge(name, "images an hour", runs, better="higher", peer="bare loop", peer_config=config)


def _rows(folder: Path) -> tuple[Row, ...]:
    place = folder / "predicted"
    if not (place / "manifest.csv").is_file():
        make_phantoms(place, EXAMS, 11, SHAPE)
        write_manifest(index("phantom", place, lambda sentence: None), place / "manifest.csv")
    return read_manifest(place / "manifest.csv").rows


def _ours(bundle: Path, rows: tuple[Row, ...], kept: Path, workers: int) -> float:
    """Return images an hour from the first answer to the last."""
    model = audit_model(find_bundle(str(bundle)))
    run = Run((model,), plan_of(rows, [[True] * len(rows)]))
    first: list[tuple[float, int]] = []

    def report(done: int, total: int) -> None:
        # Each worker's first exam comes with loading the network.
        if done >= 2 * workers and not first:
            first.append((time.perf_counter(), run.images_done))

    predict(run, [bundle], kept, DEVICE, workers, report=report)
    seconds = time.perf_counter() - first[0][0]
    return 3600 * (run.images_done - first[0][1]) / seconds


def _theirs(predictor: Predictor, views: list) -> float:
    block = predictor.bundle.spec.preprocess
    start = time.perf_counter()
    for view in views:
        predictor.answer(prepare(view, block).pixels)
    return 3600 * len(views) / (time.perf_counter() - start)

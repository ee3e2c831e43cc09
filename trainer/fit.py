"""Training: a recipe on one fold of a manifest, into a run folder, through PyTorch Lightning."""

from __future__ import annotations

import gc
import logging
import os
import platform
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
import torchvision
from lightning.fabric.utilities.exceptions import MisconfigurationException

from app.core.manifest import Manifest, Row, check_file
from trainer.ancestry import Ancestry, ancestry, check_unseen, load_pretrained
from trainer.augment import Augment
from trainer.cache import fill
from trainer.checkpoints import Start, start_of
from trainer.engine import Data, Machine, accelerator_of, engine_of
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.insert import inserted_of
from trainer.processes import leads
from trainer.recipe import Recipe
from trainer.runs import (
    Run,
    has_ended,
    need_ended,
    read_run,
    write_run,
)
from trainer.samples import PartSamples, need_both_classes
from trainer.solving import settle
from trainer.splits import Part, Splits, check_seed, part_of, refit_part
from trainer.task import LesionTask
from trainer.watch import number

Report = Callable[[int, int], None]

_LOG = "trainer.log"


def quiet(log: Path | None) -> None:
    """Send what libraries log and warn to a file (or nowhere), so that stderr stays ours."""
    warnings.simplefilter("ignore")
    handler: logging.Handler = logging.NullHandler()
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(log, encoding="utf-8", delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    for name in (
        "lightning",
        "lightning.pytorch",
        "lightning.fabric",
        "lightning_fabric",
        "pytorch_lightning",
        "torch",
        "py.warnings",
        "tensorboard",
        "trainer",
    ):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _parts(manifest: Manifest, splits: Splits, fold: int) -> tuple[Part, Part | None]:
    """Return what trains and what tunes; a refit (-1) tunes on nothing."""
    if fold < 0:
        return refit_part(manifest, splits), None
    train = part_of(manifest, splits, fold, "train")
    return train, part_of(manifest, splits, fold, "val")


def _may_start(folder: Path, run: Run, resume: bool) -> Start | None:
    """Return the checkpoint to go on from, or None to start; the leader refuses what stands in the way.

    A run that was stopped before its first checkpoint starts again in its folder.
    """
    started = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if leads() and started:
        if not resume:
            raise TrainerError(f"{folder}: exists already; take another name, or --resume")
        before = read_run(folder)
        for name in ("recipe", "manifest_sha256", "split_hash", "fold", "seed"):
            if getattr(before, name) != getattr(run, name):
                raise TrainerError(f"{folder}: cannot go on, the run was started with another {name}")
    return start_of(folder) if resume else None


def _describe(
    manifest: Manifest,
    splits_path: Path,
    recipe: Recipe,
    train: Part,
    val: Part | None,
    seed: int,
    before: Ancestry,
) -> Run:
    rows = (*train.rows, *(val.rows if val else ()))
    return Run(
        recipe=recipe.raw,
        manifest=str(manifest.path),
        manifest_sha256=manifest.sha256,
        splits=str(splits_path),
        split_hash=train.split_hash,
        fold=train.fold,
        seed=seed,
        trained_on=tuple(dict.fromkeys(row.patient_id for row in train.rows)),
        tuned_on=tuple(dict.fromkeys(row.patient_id for row in (val.rows if val else ()))),
        licences=tuple(sorted({row.licence for row in rows} | set(before.licences))),
        images=len(rows),
        positives=sum(recipe.target.is_positive(row) for row in rows),
        ancestors=before.sentences,
        seen_before=before.seen,
        versions={
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "torchvision": str(torchvision.__version__),
            "lightning": str(lightning.__version__),
        },
    )


def fit(
    recipe: Recipe,
    manifest: Manifest,
    splits: Splits,
    splits_path: Path,
    folder: Path,
    *,
    fold: int = 0,
    seed: int = 0,
    machine: Machine | None = None,
    resume: bool = False,
    events: Events | None = None,
    callbacks: Sequence[Any] = (),
    report: Report | None = None,
) -> Path:
    """Train and return the run folder.

    Parameters
    ----------
    fold
        0-based; -1 trains on every patient with no tuning part (a refit), but for official test patients.
    resume
        Go on from the last checkpoint of `folder`, or start again where there is none; the result is
        that of an uninterrupted training.
    callbacks
        More Lightning callbacks.
    report
        Called with (done, total) while images are prepared.

    Raises
    ------
    TrainerError
        Wrong splits, one class only, an existing folder, a moved or unreadable file, no such device,
        an interruption.
    """
    machine, stream = machine or Machine(), events or Events()
    accelerator_of(machine)
    check_seed(seed)
    train, val, before = _usable(recipe, manifest, splits, fold)
    run = _describe(manifest, splits_path, recipe, train, val, seed, before)
    start = _may_start(folder, run, resume)
    _say_start(stream, recipe, fold, len(train.rows), folder, start)
    if start is not None and not start.batches and has_ended(start.content, recipe.train.epochs):
        stream.write("done", folder=str(folder), epochs=recipe.train.epochs, metrics={})
        return folder
    _prepare((*train.rows, *(val.rows if val else ())), recipe, stream, report)
    own = (*callbacks, *(() if leads() else (_LogLater(folder / _LOG),)))
    job = _Job(recipe, folder, machine, seed, train, val, stream, own, report is not None)
    return _kept(job, run, start)


def _usable(
    recipe: Recipe, manifest: Manifest, splits: Splits, fold: int
) -> tuple[Part, Part | None, Ancestry]:
    """Return the parts that train and tune and the weights begun from, all of which may be used."""
    if (recipe.config("detector") or ("",))[0] == "two-scale-detector":
        raise TrainerError(f"recipe {recipe.name}: a two-scale-detector is made by join, of two trained runs")
    for row in manifest.rows:
        check_file(row)
    train, val = _parts(manifest, splits, fold)
    samples = PartSamples(train, recipe)
    need_both_classes(samples)
    inserted_of(recipe, samples)
    before = ancestry(recipe)
    check_unseen(before, recipe, manifest, splits, fold)
    return train, val, before


def _say_start(
    stream: Events, recipe: Recipe, fold: int, images: int, folder: Path, start: Start | None
) -> None:
    stream.write(
        "start",
        recipe=recipe.name,
        fold=fold,
        images=images,
        folder=str(folder),
        epochs=recipe.train.epochs,
        resumed=start is not None,
    )


def _kept(job: _Job, run: Run, start: Start | None) -> Path:
    """Train, keeping the run's record and log, and return its folder."""
    recipe, folder = job.recipe, job.folder
    if leads():
        write_run(run, folder)
    # The leader alone makes the folder, after it has seen that there is none: under SLURM and torchrun all
    # processes begin at once.
    quiet(folder / _LOG if leads() else None)
    engine = _train(job, start)
    if leads():
        need_ended(folder, recipe.train.epochs)
    final = {name: number(value) for name, value in engine.callback_metrics.items()}
    job.stream.write("done", folder=str(folder), epochs=int(engine.current_epoch), metrics=final)
    return folder


class _LogLater(lightning.Callback):  # type: ignore[misc]
    """Sends what a further process says into the run's log, once all processes have met."""

    def __init__(self, log: Path) -> None:
        self._place = log

    def setup(self, trainer: Any, module: Any, stage: str) -> None:
        """Open the log."""
        quiet(self._place)


def _prepare(rows: Sequence[Row], recipe: Recipe, stream: Events, report: Report | None) -> None:
    """Fill the cache, and tell at most once a second how far it is."""
    told = [0.0]

    def tell(done: int, total: int) -> None:
        if report is not None:
            report(done, total)
        now = time.monotonic()
        if done == total or now - told[0] >= 1:
            told[0] = now
            stream.write("metric", name="prepared", value=done, total=total)

    fill(rows, recipe.preprocess, tell)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a training is told, however often it has to begin."""

    recipe: Recipe
    folder: Path
    machine: Machine
    seed: int
    train: Part
    val: Part | None
    stream: Events
    callbacks: tuple[Any, ...]
    bar: bool


def _train(job: _Job, start: Start | None) -> Any:
    """Train to the end; where memory runs out, go on from the last checkpoint with smaller pieces."""
    pieces = start.pieces if start else job.recipe.train.accumulate
    while True:
        engine = _session(job, start, pieces)
        if engine is not None:
            return engine
        if 2 * pieces > job.recipe.train.batch or job.machine.devices * job.machine.nodes > 1:
            raise TrainerError(
                f"{job.folder}: the training ran out of memory; take fewer images a batch (train.batch), "
                "more pieces of it (train.accumulate) or a smaller canvas (size)"
            )
        pieces *= 2
        sentence = (
            f"memory ran out: batches of {job.recipe.train.batch} are now computed in {pieces} pieces, with "
            "the same step and learning rate"
        )
        job.stream.write("warning", message=sentence)
        logging.getLogger("trainer").warning(sentence)
        print(f"Warning: {sentence}.", flush=True)
        start = start_of(job.folder, pieces)


def _session(job: _Job, start: Start | None, pieces: int) -> Any | None:
    """Train in so many pieces and return Lightning's trainer; None where memory ran out."""
    recipe = job.recipe
    task = LesionTask(recipe.raw, job.seed)
    task.pieces = pieces
    samples = PartSamples(job.train, recipe)
    task.augment = Augment(job.train, recipe.augment, job.seed, inserted_of(recipe, samples))
    task.batch = min(recipe.train.batch, len(samples))
    if recipe.pretrained and start is None:
        load_pretrained(task, recipe.pretrained)
    settle(task, samples, solve=start is None)
    val = PartSamples(job.val, recipe) if job.val else None
    data = Data(samples, val, recipe, job.seed, pieces, start)
    with _sentences(job.folder):
        engine = engine_of(
            recipe, job.folder, job.machine, pieces, job.callbacks, val is not None, job.stream, job.bar
        )
        try:
            engine.fit(task, datamodule=data, ckpt_path=str(start.path) if start else None, weights_only=True)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
        else:
            return engine
    # Outside of the block above nothing holds the tensors of what failed.
    del engine, task, data
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _out_of_memory(error: RuntimeError) -> bool:
    """Return whether PyTorch found no memory, on a GPU or (by its words only) on the CPU."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or (
        ("DefaultCPUAllocator" in said and "memory" in said) or "CUDA out of memory" in said
    )


@contextmanager
def _sentences(folder: Path) -> Iterator[None]:
    """Turn what ends a training before its time into one sentence."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning ends by SystemExit and leaves Ctrl-C switched off.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)
        raise TrainerError(f"{folder}: interrupted; --resume goes on from the last finished epoch") from error
    except (RuntimeError, ValueError, MisconfigurationException) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        if "exited unexpectedly" in reason:  # of torch's DataLoader
            reason = "a process that reads samples was ended from outside; --resume goes on"
        raise TrainerError(f"{folder}: the training failed ({reason})") from error

"""Training: a recipe on one fold of a manifest, into a run folder, through PyTorch Lightning."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
import threading
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
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from app.core.manifest import Manifest, check_file
from trainer.ancestry import Ancestry, ancestry, check_unseen, load_pretrained
from trainer.augment import Augment
from trainer.cache import fill
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.processes import leads
from trainer.recipe import Recipe
from trainer.runs import (
    Run,
    has_ended,
    load_checkpoint,
    need_ended,
    read_run,
    write_run,
)
from trainer.samples import PartSamples, collate, need_both_classes
from trainer.sampling import batches_of
from trainer.splits import Part, Splits, check_seed, part_of, refit_part
from trainer.task import LesionTask
from trainer.watch import EventCallback, number

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to train.

    Attributes
    ----------
    device
        ``auto``, ``cpu`` or ``cuda``.
    devices, nodes
        Processes per node and nodes; more than one in all means distributed data parallel.
    """

    device: str = "auto"
    devices: int = 1
    nodes: int = 1


class _Data(lightning.LightningDataModule):  # type: ignore[misc]
    """Loaders made anew each epoch: the batches are a function of seed and epoch."""

    def __init__(self, train: PartSamples, val: PartSamples | None, recipe: Recipe, seed: int) -> None:
        super().__init__()
        self.train = train
        self.val = val
        self.recipe = recipe
        self.seed = seed

    def _workers(self) -> dict[str, Any]:
        count = self.recipe.train.workers
        # Spawned, not forked: the decoders hold threads and a process pool.
        return {"num_workers": count, "multiprocessing_context": "spawn" if count else None}

    def train_dataloader(self) -> Any:
        """Return the loader of the current epoch."""
        batches = batches_of(
            self.recipe.train,
            self.train.positives,
            self.seed,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
        )
        batches.set_epoch(self.trainer.current_epoch)
        return DataLoader(self.train, batch_sampler=batches, collate_fn=collate, **self._workers())

    def val_dataloader(self) -> Any:
        """Return the loader of the tuning part, in order."""
        if self.val is None:
            return []
        return DataLoader(self.val, batch_size=self.recipe.train.batch, collate_fn=collate, **self._workers())


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


def _accelerator(machine: Machine) -> str:
    """Return Lightning's word for the device; refuses what this machine cannot do."""
    for option, count in (("--devices", machine.devices), ("--nodes", machine.nodes)):
        if count < 1:
            raise TrainerError(f"{option} {count}: at least 1 is needed")
    if machine.device not in ("auto", "cpu", "cuda"):
        raise TrainerError(f"--device {machine.device}: must be auto, cpu or cuda")
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if machine.device == "cuda" and not gpus:
        raise TrainerError("--device cuda: there is no GPU that PyTorch can use")
    on_gpu = machine.device == "cuda" or (machine.device == "auto" and gpus > 0)
    if on_gpu and machine.devices > gpus:
        raise TrainerError(f"--devices {machine.devices}: there are {gpus} GPUs that PyTorch can use")
    if machine.devices * machine.nodes > 1 and getattr(sys, "frozen", False):
        raise TrainerError(
            f"--devices {machine.devices}: training in several processes needs an installation with Python"
        )
    return "gpu" if on_gpu else "cpu"


def _parts(manifest: Manifest, splits: Splits, fold: int) -> tuple[Part, Part | None]:
    """Return what trains and what tunes; a refit (-1) tunes on nothing."""
    if fold < 0:
        return refit_part(manifest, splits), None
    train = part_of(manifest, splits, fold, "train")
    return train, part_of(manifest, splits, fold, "val")


def _may_start(folder: Path, run: Run, resume: bool) -> Path | None:
    """Return the checkpoint to go on from, or None to start; the leader refuses what stands in the way.

    A run that was stopped before its first checkpoint starts again in its folder.
    """
    last = folder / "checkpoints" / "last.ckpt"
    started = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if leads() and started:
        if not resume:
            raise TrainerError(f"{folder}: exists already; take another name, or --resume")
        before = read_run(folder)
        for name in ("recipe", "manifest_sha256", "split_hash", "fold", "seed"):
            if getattr(before, name) != getattr(run, name):
                raise TrainerError(f"{folder}: cannot go on, the run was started with another {name}")
    return last if resume and last.is_file() else None


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
        positives=sum(row.label in recipe.target.positive for row in rows),
        ancestors=before.sentences,
        seen_before=before.seen,
        versions={
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "torchvision": str(torchvision.__version__),
            "lightning": str(lightning.__version__),
        },
    )


def _callbacks(recipe: Recipe, folder: Path, tuned: bool, events: Events) -> list[Any]:
    place = folder / "checkpoints"
    made: list[Any] = [EventCallback(events)]
    if tuned and recipe.train.patience:
        made.append(EarlyStopping("val_loss", patience=recipe.train.patience))
    if tuned:
        best = ModelCheckpoint(
            dirpath=place, filename="best", monitor="val_loss", save_top_k=1, enable_version_counter=False
        )
        made.append(best)
    # After all others: what it saves holds their state, so that a resumed training knows the best so far.
    last = ModelCheckpoint(
        dirpath=place,
        filename="last",
        save_top_k=1,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    return [*made, last]


def _loggers(folder: Path) -> list[Any]:
    """Return loggers into the run folder; the table of an interrupted session is kept as metrics-1.csv."""
    table = folder / "logs" / "metrics.csv"
    if leads() and table.is_file():
        earlier = len(list(table.parent.glob("metrics-*.csv")))
        table.rename(table.with_name(f"metrics-{earlier + 1}.csv"))
    return [
        CSVLogger(folder, "logs", version="", flush_logs_every_n_steps=1),
        TensorBoardLogger(str(folder), "logs", version=""),
    ]


def _engine(
    recipe: Recipe,
    folder: Path,
    machine: Machine,
    accelerator: str,
    callbacks: Sequence[Any],
    tuned: bool,
    stream: Events,
    report: Report | None,
) -> Any:
    """Return Lightning's trainer as the recipe and the machine want it."""
    return lightning.Trainer(
        accelerator=accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        # Not every parameter has a part in every loss: a recipe may switch losses off.
        strategy="ddp_find_unused_parameters_true" if machine.devices * machine.nodes > 1 else "auto",
        precision=recipe.train.precision,
        max_epochs=recipe.train.epochs,
        gradient_clip_val=recipe.train.clip or None,
        callbacks=[*callbacks, *_callbacks(recipe, folder, tuned, stream)],
        logger=_loggers(folder),
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=min(recipe.train.validate_every, recipe.train.epochs),
        enable_progress_bar=sys.stderr.isatty() and report is not None,
        enable_model_summary=False,
        use_distributed_sampler=False,
        reload_dataloaders_every_n_epochs=1,
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
    accelerator = _accelerator(machine)
    check_seed(seed)
    for row in manifest.rows:
        check_file(row)
    train, val = _parts(manifest, splits, fold)
    train_samples = PartSamples(train, recipe)
    need_both_classes(train_samples)
    before = ancestry(recipe)
    check_unseen(before, recipe, manifest, splits, fold)
    run = _describe(manifest, splits_path, recipe, train, val, seed, before)
    start = _may_start(folder, run, resume)
    stream.write("start", recipe=recipe.name, fold=fold, images=len(train.rows), folder=str(folder))
    if start is not None and has_ended(load_checkpoint(start), recipe.train.epochs):
        stream.write("done", folder=str(folder), epochs=recipe.train.epochs, metrics={})
        return folder
    fill((*train.rows, *(val.rows if val else ())), recipe.preprocess, report)
    if leads():
        write_run(run, folder)
    task = LesionTask(recipe.raw, seed)
    task.augment = Augment(train, recipe.augment, seed)
    if recipe.pretrained and start is None:
        load_pretrained(task, recipe.pretrained)
    quiet(folder / "trainer.log")
    data = _Data(train_samples, PartSamples(val, recipe) if val else None, recipe, seed)
    with _sentences(folder):
        engine = _engine(recipe, folder, machine, accelerator, callbacks, val is not None, stream, report)
        engine.fit(task, datamodule=data, ckpt_path=str(start) if start else None, weights_only=True)
    if leads():
        need_ended(folder, recipe.train.epochs)
    final = {name: number(value) for name, value in engine.callback_metrics.items()}
    stream.write("done", folder=str(folder), epochs=int(engine.current_epoch), metrics=final)
    return folder


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
        raise TrainerError(f"{folder}: the training failed ({reason})") from error

"""Lightning as a recipe and a machine want it: loaders, callbacks, loggers, checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.fabric.plugins.environments import SLURMEnvironment
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from trainer.averaging import MovingAverage
from trainer.budget import Budget
from trainer.checkpoints import Start, WholeCheckpoints
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.processes import leads
from trainer.recipe import Recipe
from trainer.samples import PartSamples, collate
from trainer.sampling import Pieces, batches_of
from trainer.stopping import StopOnSignal
from trainer.waiting import Waiting
from trainer.watch import EventCallback


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


class Data(lightning.LightningDataModule):  # type: ignore[misc]
    """Loaders of a training; its batches are a function of seed and epoch.

    Parameters
    ----------
    pieces
        In which each batch is computed, one after the other.
    start
        Where a resumed training goes on: what is done of its epoch is left out.
    """

    def __init__(
        self,
        train: PartSamples,
        val: PartSamples | None,
        recipe: Recipe,
        seed: int,
        pieces: int,
        start: Start | None,
    ) -> None:
        super().__init__()
        self.train = train
        self.val = val
        self.recipe = recipe
        self.seed = seed
        self.pieces = pieces
        self.start = start

    def _workers(self) -> dict[str, Any]:
        count = self.recipe.train.workers
        # Spawned, not forked: the decoders hold threads and a process pool. They stay from epoch to epoch,
        # as each of them needs seconds to import torch.
        return {
            "num_workers": count,
            "multiprocessing_context": "spawn" if count else None,
            "persistent_workers": bool(count),
        }

    def train_dataloader(self) -> Any:
        """Return the loader of the training; Lightning tells its batches each epoch."""
        batches = batches_of(
            self.recipe.train,
            self.train.positives,
            self.seed,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
        )
        done = (self.start.epoch, self.start.batches) if self.start else (0, 0)
        pieces = Pieces(batches, self.pieces, done)
        # A resumed training's first batches are asked for before its first epoch is told.
        batches.set_epoch(done[0])
        return DataLoader(self.train, batch_sampler=pieces, collate_fn=collate, **self._workers())

    def val_dataloader(self) -> Any:
        """Return the loader of the tuning part, in order."""
        if self.val is None:
            return []
        size = max(1, self.recipe.train.batch // self.pieces)
        return DataLoader(self.val, batch_size=size, collate_fn=collate, **self._workers())


def accelerator_of(machine: Machine) -> str:
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


def _callbacks(recipe: Recipe, folder: Path, tuned: bool, events: Events, waiting: Waiting) -> list[Any]:
    place = folder / "checkpoints"
    made: list[Any] = [EventCallback(events, waiting)]
    if recipe.train.ema:
        made.append(MovingAverage(recipe.train.ema))
    if tuned and recipe.train.patience:
        made.append(EarlyStopping("val_loss", patience=recipe.train.patience))
    if tuned:
        best = ModelCheckpoint(
            dirpath=place, filename="best", monitor="val_loss", save_top_k=1, enable_version_counter=False
        )
        made.append(best)
    if recipe.train.hours:
        made.append(Budget(recipe.train.hours))
    # After the average: what it saves holds this step's.
    made.append(StopOnSignal(folder))
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


def engine_of(
    recipe: Recipe,
    folder: Path,
    machine: Machine,
    pieces: int,
    callbacks: Sequence[Any],
    tuned: bool,
    stream: Events,
    bar: bool,
) -> Any:
    """Return Lightning's trainer as the recipe and the machine want it.

    Parameters
    ----------
    pieces
        In which each batch is computed; a step is taken once all of them are.
    tuned
        There is a tuning part.
    bar
        Draw progress on a terminal.
    """
    waiting = Waiting()
    plugins: list[Any] = [WholeCheckpoints()]
    if SLURMEnvironment.detect():
        # The batch script decides whether the job comes back; then it goes on with --resume.
        plugins.append(SLURMEnvironment(auto_requeue=False))
    return lightning.Trainer(
        accelerator=accelerator_of(machine),
        plugins=plugins,
        profiler=waiting,
        accumulate_grad_batches=pieces,
        devices=machine.devices,
        num_nodes=machine.nodes,
        # Not every parameter has a part in every loss: a recipe may switch losses off.
        strategy="ddp_find_unused_parameters_true" if machine.devices * machine.nodes > 1 else "auto",
        precision=recipe.train.precision,
        max_epochs=recipe.train.epochs,
        gradient_clip_val=recipe.train.clip or None,
        callbacks=[*callbacks, *_callbacks(recipe, folder, tuned, stream, waiting)],
        logger=_loggers(folder),
        log_every_n_steps=1,
        num_sanity_val_steps=0,
        check_val_every_n_epoch=min(recipe.train.validate_every, recipe.train.epochs),
        enable_progress_bar=bar and sys.stderr.isatty(),
        enable_model_summary=False,
        use_distributed_sampler=False,
    )

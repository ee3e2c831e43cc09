"""Training: a recipe on one fold of a manifest, into a run folder, through PyTorch Lightning."""

from __future__ import annotations

import logging
import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning
import torch
import torchvision
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from torch.utils.data import DataLoader

from trainer.augment import Augment
from trainer.cache import fill
from trainer.errors import TrainerError
from trainer.events import EventCallback, Events
from trainer.manifest import Manifest, check_file
from trainer.recipe import Recipe, resolve
from trainer.runs import Run, checkpoint_path, load_checkpoint, read_run, write_run
from trainer.samples import EpochBatches, PartSamples, collate, need_both_classes
from trainer.splits import Part, Splits, part_of
from trainer.task import LesionTask

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
        batches = EpochBatches(
            self.train.positives,
            min(self.recipe.train.batch, len(self.train)),
            self.seed,
            balance=self.recipe.train.balance,
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
    ):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _accelerator(device: str) -> str:
    if device not in ("auto", "cpu", "cuda"):
        raise TrainerError(f"--device {device}: must be auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainerError("--device cuda: there is no GPU that PyTorch can use")
    return "gpu" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"


def _parts(manifest: Manifest, splits: Splits, fold: int) -> tuple[Part, Part | None]:
    """Return what trains and what tunes; a refit (-1) trains on everything and tunes on nothing."""
    if fold < 0:
        return Part("train", manifest.rows, -1, splits.hash), None
    train = part_of(manifest, splits, fold, "train")
    return train, part_of(manifest, splits, fold, "val")


def _may_start(folder: Path, run: Run, resume: bool) -> Path | None:
    """Return the checkpoint to go on from, or None for a new run; refuses what stands in the way."""
    if not resume:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise TrainerError(f"{folder}: exists already; take another name, or --resume")
        return None
    before = read_run(folder)
    for name in ("recipe", "manifest_sha256", "split_hash", "fold", "seed"):
        if getattr(before, name) != getattr(run, name):
            raise TrainerError(f"{folder}: cannot go on, the run was started with another {name}")
    return checkpoint_path(folder, "last")


def _ancestry(recipe: Recipe) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the licences and the sentences of a recipe's pretraining."""
    if not recipe.pretrained:
        return (), ()
    before = read_run(Path(recipe.pretrained))
    sentence = (
        f"{before.recipe['name']}, {len(before.trained_on)} patients of the manifest "
        f"{before.manifest_sha256[:12]}, split {before.split_hash[:12]}, fold {before.fold}"
    )
    return before.licences, (*before.ancestors, sentence)


def _check_unseen(recipe: Recipe, splits: Splits, fold: int) -> None:
    """Refuse pretrained weights that have seen patients of the parts that tune and test."""
    if not recipe.pretrained or fold < 0:
        return
    before = read_run(Path(recipe.pretrained))
    seen = {*before.trained_on, *before.tuned_on}
    if before.split_hash == splits.hash and before.fold == fold:
        return
    met = seen & {*splits.folds[fold].val, *splits.folds[fold].test}
    if met:
        raise TrainerError(
            f"{recipe.pretrained}: its weights have seen {len(met)} patients that tune or test here"
        )


def _load_pretrained(task: LesionTask, folder: str) -> None:
    """Take over every tensor of the same name and shape from another run."""
    before = read_run(Path(folder))
    which = resolve(before.recipe, folder).train.keep
    state = load_checkpoint(checkpoint_path(Path(folder), "best" if which == "best" else "last"))[
        "state_dict"
    ]
    own = task.state_dict()
    fitting = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    # What turns a map into cells' logits belongs to one kind of classifier and fits no other.
    kind = (task.recipe.config("classifier") or ("", {}))[0]
    if before.recipe["networks"].get("classifier", {}).get("architecture") != kind:
        fitting = {name: value for name, value in fitting.items() if name.startswith("networks.")}
    if not fitting:
        raise TrainerError(f"{folder}: none of its weights fits the recipe's networks")
    task.load_state_dict({**own, **fitting})


def _describe(
    manifest: Manifest, splits_path: Path, recipe: Recipe, train: Part, val: Part | None, seed: int
) -> Run:
    rows = (*train.rows, *(val.rows if val else ()))
    licences, ancestors = _ancestry(recipe)
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
        licences=tuple(sorted({row.licence for row in rows} | set(licences))),
        images=len(rows),
        positives=sum(row.label in recipe.target.positive for row in rows),
        ancestors=ancestors,
        versions={
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "torchvision": str(torchvision.__version__),
            "lightning": str(lightning.__version__),
        },
    )


def _callbacks(recipe: Recipe, folder: Path, tuned: bool, events: Events) -> list[Any]:
    place = folder / "checkpoints"
    last = ModelCheckpoint(
        dirpath=place,
        filename="last",
        save_top_k=1,
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    made: list[Any] = [EventCallback(events), last]
    if tuned:
        best = ModelCheckpoint(
            dirpath=place, filename="best", monitor="val_loss", save_top_k=1, enable_version_counter=False
        )
        made.append(best)
    if tuned and recipe.train.patience:
        made.append(EarlyStopping("val_loss", patience=recipe.train.patience))
    return made


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
        strategy="ddp" if machine.devices * machine.nodes > 1 else "auto",
        precision=recipe.train.precision,
        max_epochs=recipe.train.epochs,
        gradient_clip_val=recipe.train.clip or None,
        callbacks=[*_callbacks(recipe, folder, tuned, stream), *callbacks],
        logger=[CSVLogger(folder, "logs", version=""), TensorBoardLogger(str(folder), "logs", version="")],
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
    events: Path | None = None,
    callbacks: Sequence[Any] = (),
    report: Report | None = None,
) -> Path:
    """Train and return the run folder.

    Parameters
    ----------
    fold
        0-based; -1 trains on every patient with no tuning part (a refit).
    resume
        Go on from the last checkpoint of `folder`; the result is that of an uninterrupted training.
    callbacks
        More Lightning callbacks.
    report
        Called with (done, total) while images are prepared.

    Raises
    ------
    TrainerError
        Wrong splits, one class only, an existing folder, a moved or unreadable file, no such device.
    """
    machine = machine or Machine()
    accelerator = _accelerator(machine.device)
    for row in manifest.rows:
        check_file(row)
    train, val = _parts(manifest, splits, fold)
    train_samples = PartSamples(train, recipe)
    need_both_classes(train_samples)
    run = _describe(manifest, splits_path, recipe, train, val, seed)
    _check_unseen(recipe, splits, fold)
    start = _may_start(folder, run, resume)
    stream = Events(events)
    stream.write("start", recipe=recipe.name, fold=fold, images=len(train.rows), folder=str(folder))
    try:
        fill((*train.rows, *(val.rows if val else ())), recipe.preprocess, report)
        if start is None:
            folder.mkdir(parents=True, exist_ok=True)
            write_run(run, folder)
        task = LesionTask(recipe.raw, seed)
        task.augment = Augment(train, recipe.augment, seed)
        if recipe.pretrained and start is None:
            _load_pretrained(task, recipe.pretrained)
        quiet(folder / "trainer.log")
        engine = _engine(recipe, folder, machine, accelerator, callbacks, val is not None, stream, report)
        data = _Data(train_samples, PartSamples(val, recipe) if val else None, recipe, seed)
        engine.fit(task, datamodule=data, ckpt_path=str(start) if start else None, weights_only=True)
    except (TrainerError, RuntimeError, ValueError, KeyboardInterrupt) as error:
        stream.write("failed", message=" ".join(str(error).split()) or type(error).__name__)
        if isinstance(error, TrainerError | KeyboardInterrupt):
            raise
        raise TrainerError(f"{folder}: the training failed ({' '.join(str(error).split())[:300]})") from error
    if engine.interrupted:
        stream.write("failed", message="interrupted")
        raise TrainerError(f"{folder}: interrupted; --resume goes on from the last finished epoch")
    final = {name: float(value) for name, value in engine.callback_metrics.items()}
    stream.write("done", folder=str(folder), epochs=int(engine.current_epoch), metrics=final)
    return folder

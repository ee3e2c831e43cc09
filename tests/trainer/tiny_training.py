"""The smallest training there is: where its data lies, and how it is run and looked at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightning
import torch

from app.core.manifest import Manifest
from trainer.fit import fit
from trainer.recipe import Recipe
from trainer.runs import checkpoint_path, load_checkpoint
from trainer.splits import Splits

EPOCHS = 8
BATCH = 2
TINY = (
    "size=64x64",
    "mm=2.0",
    f"batch={BATCH}",
    f"epochs={EPOCHS}",
    "lr=5e-3",
    "image_weight=1.0",
    "networks.classifier.config.stem=8",
    "networks.classifier.config.widths=[8, 16]",
    "networks.classifier.config.blocks=[1, 1]",
    "networks.classifier.config.strides=[1, 2]",
)
"""Changes that make the recipe mias-abnormality learn the miniature's bright spots in a second."""


@dataclass(frozen=True, slots=True)
class Miniature:
    """Where everything lies."""

    folder: Path
    manifest: Manifest
    splits: Splits
    splits_path: Path
    recipe: Recipe


def train(
    miniature: Miniature, folder: Path, *, fold: int = 0, recipe: Recipe | None = None, **options: object
) -> Path:
    return fit(
        recipe or miniature.recipe,
        miniature.manifest,
        miniature.splits,
        miniature.splits_path,
        folder,
        fold=fold,
        **options,  # type: ignore[arg-type]
    )


def weights(run: Path) -> dict[str, torch.Tensor]:
    state = load_checkpoint(checkpoint_path(run, "last"))["state_dict"]
    return {name: value for name, value in state.items() if name.startswith("networks.")}


class Stop(lightning.Callback):  # type: ignore[misc]
    """Ends a training at the start of an epoch, as a power cut or a person would."""

    def __init__(self, epoch: int = 1, error: type[BaseException] = RuntimeError) -> None:
        self.epoch = epoch
        self.error = error

    def on_train_epoch_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        if trainer.current_epoch == self.epoch:
            raise self.error("power cut")

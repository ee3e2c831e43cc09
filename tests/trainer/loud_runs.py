"""Runs of small detectors with random weights that say much: what is told of them needs no learning."""

from __future__ import annotations

from pathlib import Path

import torch
from tiny_training import Miniature

from trainer.recipe import read_recipe
from trainer.runs import Run, Seen, write_run
from trainer.task import LesionTask

TINY = (
    "size=64x64",
    "mm=2.0",
    "epochs=1",
    "networks.detector.config.stem=8",
    "networks.detector.config.widths=[8, 16]",
    "networks.detector.config.blocks=[1, 1]",
    "networks.detector.config.strides=[1, 2]",
    "networks.detector.config.channels=32",
    "networks.detector.config.convs=1",
)
"""Changes that make a recipe of an fcos-detector small."""


def make_run(
    miniature: Miniature, folder: Path, fold: int, name: str, *changes: str, start: str = ""
) -> Path:
    """Write a run that seems to have ended; `start` names its beginning, which has seen one other patient."""
    recipe = read_recipe(name, changes)
    task = LesionTask(recipe.raw, fold)
    for key, value in task.state_dict().items():
        if "head" in key and value.ndim == 4:
            value.normal_(0.0, 0.15)
        if key.endswith("cls_logits.bias"):
            value.zero_()
    (folder / "checkpoints").mkdir(parents=True)
    for which in ("best", "last"):
        content = {"epoch": recipe.train.epochs - 1, "state_dict": task.state_dict()}
        torch.save(content, folder / "checkpoints" / f"{which}.ckpt")
    part = miniature.splits.folds[fold]
    run = Run(
        recipe.raw,
        str(miniature.manifest.path),
        miniature.manifest.sha256,
        str(miniature.splits_path),
        miniature.splits.hash,
        fold,
        0,
        part.train,
        part.val,
        (f"any: {name}",),
        ancestors=(start or f"start of {name}",),
        seen_before=(Seen(f"before {name}", (f"other-{fold}",), ()),),
    )
    write_run(run, folder)
    return folder

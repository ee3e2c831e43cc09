"""From a part of a split to batches: prepared pixels, breast mask, lesions as ellipses, target.

Lesions travel as ellipses (the one inscribed in the box), because an ellipse stays an ellipse under
rotation and scaling and its bounding box is exact, where a rotated box would grow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from app.core.manifest import Row
from trainer.cache import load
from trainer.classes import said_of
from trainer.errors import TrainerError
from trainer.recipe import Recipe
from trainer.splits import Part

Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image, prepared.

    Attributes
    ----------
    pixels, mask
        float32 (1, H, W) of values, and of 0 or 1 on the breast.
    ellipses
        float32 (N, 4): centre row and column, half height and half width, prepared pixels with
        centres at whole numbers.
    classes
        int64 (N,), 0-based class of each ellipse.
    positive
        1.0 or 0.0: the image's target.
    located
        1.0 when every lesion has a place: only then a cell without one is known to be free of lesions.
    view
        CC, MLO, ...
    said
        float32 (K,), 0 or 1 for each further class of the target; not a number where nothing is known.
    """

    pixels: Tensor
    mask: Tensor
    ellipses: Tensor
    classes: Tensor
    positive: float
    located: float
    view: str
    image_id: str
    said: Tensor = field(default_factory=lambda: torch.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples stacked; ellipses and classes stay one tensor per image."""

    pixels: Tensor
    mask: Tensor
    ellipses: list[Tensor]
    classes: list[Tensor]
    positive: Tensor
    located: Tensor
    views: list[str]
    image_ids: list[str]
    said: Tensor = field(default_factory=lambda: torch.zeros(0))

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(
            self.pixels.to(device),
            self.mask.to(device),
            [one.to(device) for one in self.ellipses],
            [one.to(device) for one in self.classes],
            self.positive.to(device),
            self.located.to(device),
            self.views,
            self.image_ids,
            self.said.to(device),
        )


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples."""
    return Batch(
        torch.stack([sample.pixels for sample in samples]),
        torch.stack([sample.mask for sample in samples]),
        [sample.ellipses for sample in samples],
        [sample.classes for sample in samples],
        torch.tensor([sample.positive for sample in samples], dtype=torch.float32),
        torch.tensor([sample.located for sample in samples], dtype=torch.float32),
        [sample.view for sample in samples],
        [sample.image_id for sample in samples],
        torch.stack([sample.said for sample in samples]),
    )


class PartSamples(Dataset[Sample]):
    """The images of one part of a split, through the cache.

    Parameters
    ----------
    part
        Of a split: there is no other way to samples.
    recipe
        Its preprocessing block and target.
    folder
        Of the cache; None: the user's.
    """

    def __init__(self, part: Part, recipe: Recipe, folder: Path | None = None) -> None:
        self.part = part
        self.recipe = recipe
        self.folder = folder

    def __len__(self) -> int:
        return len(self.part.rows)

    def is_positive(self, row: Row) -> bool:
        """Return whether a row counts as positive under the recipe."""
        return self.recipe.target.is_positive(row)

    @property
    def positives(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which images are positive, in order."""
        return np.array([self.is_positive(row) for row in self.part.rows], dtype=np.bool_)

    def __getitem__(self, index: int) -> Sample:
        row = self.part.rows[index]
        entry = load(row, self.recipe.preprocess, self.folder)
        boxes, classes, located = [], [], 1.0
        for lesion in row.findings:
            target = self.recipe.target
            number = target.class_of(lesion.label, lesion.pathology) if target.findings else 0
            if number is None:
                continue
            if lesion.box is None:
                located = 0.0
                continue
            boxes.append(lesion.box)
            classes.append(number)
        ellipses = np.zeros((0, 4), np.float32)
        if boxes:
            mapped = entry.prepared.boxes_to_prepared(np.array(boxes, np.float64))
            ellipses = ellipses_of(mapped)
        return Sample(
            torch.from_numpy(np.array(entry.pixels)),
            torch.from_numpy(entry.mask.astype(np.float32))[None],
            torch.from_numpy(ellipses),
            torch.tensor(classes, dtype=torch.int64),
            float(self.is_positive(row)),
            located,
            row.view,
            row.image_id,
            torch.from_numpy(said_of(row, self.recipe.target.classes)),
        )


def ellipses_of(
    boxes: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return centre and half axes of the ellipses inscribed in boxes (edges at pixel corners)."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.concatenate([centre, half], axis=1).astype(np.float32)


def boxes_of(ellipses: Tensor) -> Tensor:
    """Return bounding boxes (x0, y0, x1, y1), edges at pixel corners, as torchvision takes them."""
    row, col, high, wide = ellipses.unbind(1)
    return torch.stack([col - wide + 0.5, row - high + 0.5, col + wide + 0.5, row + high + 0.5], dim=1)


def need_both_classes(samples: PartSamples) -> None:
    """Refuse a part with one class only; raises TrainerError."""
    positives = samples.positives
    if not len(positives) or positives.all() or not positives.any():
        what = "no image" if not len(positives) else "positives only" if positives.all() else "negatives only"
        raise TrainerError(
            f"the {samples.part.name} part of fold {samples.part.fold} holds {what} "
            f"(positive: {', '.join(samples.recipe.target.positive)}), so there is nothing to tell apart"
        )


class EpochBatches(Sampler[list[int]]):
    """Index lists of an epoch's batches, a function of seed, epoch and rank alone.

    That makes a resumed training see the same batches as one that was never interrupted.

    Parameters
    ----------
    positives
        Which images are positive.
    balance
        Half of each batch positive: the rarer class is drawn again within an epoch.
    rank, world
        This process and the number of processes; each takes every world-th batch.
    """

    def __init__(
        self,
        positives: np.ndarray[tuple[int], np.dtype[np.bool_]],
        batch: int,
        seed: int,
        *,
        balance: bool,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.positives = positives
        self.batch = batch
        self.seed = seed
        self.balance = balance and batch > 1 and 0 < int(positives.sum()) < len(positives)
        self.rank = rank
        self.world = world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return max(1, len(self.positives) // self.batch // self.world)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        total = len(self) * self.world
        if self.balance:
            half = self.batch // 2
            first = repeated(np.flatnonzero(self.positives), total * half, generator)
            rest = repeated(np.flatnonzero(~self.positives), total * (self.batch - half), generator)
            lists = np.concatenate([first.reshape(total, half), rest.reshape(total, -1)], axis=1)
        else:
            lists = repeated(np.arange(len(self.positives)), total * self.batch, generator).reshape(total, -1)
        for number in range(self.rank, total, self.world):
            yield [int(index) for index in lists[number]]


def repeated(
    indices: np.ndarray[tuple[int], np.dtype[np.intp]], count: int, generator: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Return `count` indices: shuffled rounds one after the other, so that none is drawn far more often."""
    rounds = -(-count // len(indices))
    return np.concatenate([generator.permutation(indices) for _ in range(rounds)])[:count]

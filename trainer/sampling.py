"""Which images meet in a batch where positives are rare: so many in each, over- or under-sampled."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
from torch.utils.data import Sampler

from trainer.recipe_blocks import Train
from trainer.samples import Bools, EpochBatches, repeated


class RareBatches(Sampler[list[int]]):
    """Batches with a fixed number of positives, a function of seed, epoch and rank alone.

    Parameters
    ----------
    positives
        Which images are positive.
    batch, per_batch
        Images, and positives among them, of each batch.
    under
        An epoch ends when every positive was drawn once, with as many negatives as its batches need, others
        in the next epoch. Otherwise it is as long as there are images, and positives are drawn again.
    rank, world
        This process and the number of processes; each takes every world-th batch.
    """

    def __init__(
        self,
        positives: Bools,
        batch: int,
        per_batch: int,
        seed: int,
        *,
        under: bool = False,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.positives = positives
        self.batch = batch
        self.per_batch = per_batch
        self.under = under
        self.seed = seed
        self.rank = rank
        self.world = world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next."""
        self.epoch = epoch

    def __len__(self) -> int:
        if self.under:
            return max(1, int(self.positives.sum()) // self.per_batch // self.world)
        return max(1, len(self.positives) // self.batch // self.world)

    def __iter__(self) -> Iterator[list[int]]:
        generator = np.random.default_rng([self.seed, self.epoch])
        total = len(self) * self.world
        rest = self.batch - self.per_batch
        rare = repeated(np.flatnonzero(self.positives), total * self.per_batch, generator)
        other = repeated(np.flatnonzero(~self.positives), total * rest, generator)
        lists = np.concatenate([rare.reshape(total, -1), other.reshape(total, -1)], axis=1)
        for number in range(self.rank, total, self.world):
            yield [int(index) for index in lists[number]]


class Pieces(Sampler[list[int]]):
    """Batches in pieces that are computed one after the other, where memory holds no whole batch.

    A piece takes every so-manyth image, so that positives, which come first in a batch, are in all of them.

    Parameters
    ----------
    sampler
        The whole batches. Lightning tells it each epoch by this name.
    pieces
        Of each batch, as equal as can be; at most as many as it has images.
    done
        (epoch, pieces) that a resumed training has behind it: they are left out of that epoch.
    """

    def __init__(
        self, sampler: EpochBatches | RareBatches, pieces: int = 1, done: tuple[int, int] = (0, 0)
    ) -> None:
        self.sampler = sampler
        self.pieces = max(1, min(pieces, sampler.batch))
        self.done = done

    def __len__(self) -> int:
        return len(self.sampler) * self.pieces

    def __iter__(self) -> Iterator[list[int]]:
        behind = self.done[1] if self.sampler.epoch == self.done[0] else 0
        each = (batch[piece :: self.pieces] for batch in self.sampler for piece in range(self.pieces))
        return islice(each, behind, None)


def batches_of(
    train: Train, positives: Bools, seed: int, *, rank: int = 0, world: int = 1
) -> EpochBatches | RareBatches:
    """Return the batches that a recipe asks for, no larger than the part."""
    batch = min(train.batch, len(positives))
    half = batch // 2 if train.sampling == "under" else 0
    per_batch = min(train.positives or half, batch - 1)
    if per_batch < 1:
        return EpochBatches(positives, batch, seed, balance=train.balance, rank=rank, world=world)
    under = train.sampling == "under"
    return RareBatches(positives, batch, per_batch, seed, under=under, rank=rank, world=world)

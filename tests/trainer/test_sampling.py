"""Rare positives: how many meet in a batch, and how often each image is drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainer.recipe_blocks import Train
from trainer.samples import EpochBatches
from trainer.sampling import RareBatches, batches_of

POSITIVES = np.arange(100) % 25 == 0  # 0, 25, 50, 75


def test_every_batch_holds_the_same_number_of_positives() -> None:
    batches = list(RareBatches(POSITIVES, 8, 1, 0))
    assert len(batches) == 100 // 8
    assert [sum(POSITIVES[one]) for one in batches] == [1] * 12
    # 84 negatives are drawn of 96: none of them twice.
    drawn = Counter(index for one in batches for index in one if not POSITIVES[index])
    assert set(drawn.values()) == {1}
    assert {index for one in batches for index in one if POSITIVES[index]} == {0, 25, 50, 75}


def test_under_sampling_draws_each_positive_once_and_other_negatives_in_the_next_epoch() -> None:
    sampler = RareBatches(POSITIVES, 4, 2, 0, under=True)
    first = list(sampler)
    assert sorted(index for one in first for index in one if POSITIVES[index]) == [0, 25, 50, 75]
    sampler.set_epoch(1)
    later = list(sampler)
    negatives = [{index for one in each for index in one if not POSITIVES[index]} for each in (first, later)]
    assert [len(each) for each in negatives] == [4, 4]
    assert negatives[0] != negatives[1]


def test_two_processes_share_an_epoch_without_overlap() -> None:
    whole = [RareBatches(POSITIVES, 8, 1, 0, rank=rank, world=2) for rank in (0, 1)]
    drawn = [[index for one in part for index in one if not POSITIVES[index]] for part in whole]
    assert len(drawn[0]) == len(drawn[1]) == 6 * 7
    assert not set(drawn[0]) & set(drawn[1])


@pytest.mark.parametrize(
    ("train", "per_batch"),
    [(Train(batch=8, positives=1), 1), (Train(batch=8, sampling="under"), 4), (Train(batch=8), None)],
)
def test_the_recipe_chooses(train: Train, per_batch: int | None) -> None:
    made = batches_of(train, POSITIVES, 0)
    if per_batch is None:
        assert isinstance(made, EpochBatches)
    else:
        assert isinstance(made, RareBatches)
        assert made.per_batch == per_batch

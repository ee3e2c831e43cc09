"""Seeds of a training: each that `check_seed` allows can be drawn from, small ones as they always were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from test_batches import batch
from tiny_training import TINY, Miniature, train

from trainer.augment import Augment
from trainer.recipe import read_recipe
from trainer.recipe_blocks import Augmentation
from trainer.splits import part_of
from trainer.task import LesionTask

LARGEST = 2**32 - 1


def test_the_largest_seed_trains(miniature: Miniature, tmp_path: Path) -> None:
    recipe = read_recipe("mias-abnormality", [*TINY, "epochs=1"])
    run = train(miniature, tmp_path / "run", recipe=recipe, seed=LARGEST)
    assert (run / "checkpoints" / "last.ckpt").is_file()


@pytest.mark.parametrize(
    ("seed", "drawn"),
    # By hand: ((7 * 1000003 + 3) * 1000003 + 5) * 64 + 1, and the remainder of 2**63.
    [
        (7, 448_002_880_004_929),
        (LARGEST, ((LARGEST * 1_000_003 + 3) * 1_000_003 + 5) * 64 + 1 - 29_802 * 2**63),
    ],
)
def test_augmentation_draws_from_seed_epoch_step_and_rank(
    miniature: Miniature, monkeypatch: pytest.MonkeyPatch, seed: int, drawn: int
) -> None:
    seen: list[int] = []
    right = Augment._grey

    def grey(self: Augment, pixels: torch.Tensor, mask: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        seen.append(draw.initial_seed())
        return right(self, pixels, mask, draw)

    monkeypatch.setattr(Augment, "_grey", grey)
    part = part_of(miniature.manifest, miniature.splits, 0, "train")
    Augment(part, Augmentation(), seed)(batch(), epoch=3, step=5, rank=1)
    assert seen == [drawn]


@pytest.mark.parametrize(("seed", "drawn"), [(7, 7_000_042_000_068), (LARGEST, None)])
def test_dropout_draws_from_seed_and_step(miniature: Miniature, seed: int, drawn: int | None) -> None:
    task = LesionTask(miniature.recipe.raw, seed)
    with torch.random.fork_rng():
        task.on_train_batch_start(batch(), 5)
        first = torch.initial_seed()
        task.on_train_batch_start(batch(), 6)
        assert torch.initial_seed() == first + 1
        assert drawn is None or first == drawn

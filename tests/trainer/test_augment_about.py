"""What rotations turn about."""

from __future__ import annotations

import math

import pytest
import torch
from test_batches import batch
from tiny_training import Miniature

from trainer.augment import Augment
from trainer.recipe_blocks import Augmentation
from trainer.splits import part_of


@pytest.mark.parametrize(("about", "pivot"), [("wall", (47.5, 0.0)), ("centre", (47.5, 31.5))])
def test_the_pivot_stays_and_all_else_turns_about_it(
    about: str, pivot: tuple[float, float], miniature: Miniature
) -> None:
    part = part_of(miniature.manifest, miniature.splits, 0, "train")
    augment = Augment(part, Augmentation(rotate=180, about=about), 3)
    affine = augment._affine(batch(), torch.Generator().manual_seed(5))
    assert affine is not None
    place = torch.tensor([*pivot, 1.0])
    torch.testing.assert_close(affine[0] @ place, place[:2], atol=1e-3, rtol=0)
    away = affine[0] @ torch.tensor([pivot[0] + 3.0, pivot[1] + 4.0, 1.0]) - place[:2]
    assert math.hypot(*away.tolist()) == pytest.approx(5.0, abs=1e-3)
    assert (away - torch.tensor([3.0, 4.0])).abs().max() > 0.1, "nothing turned"

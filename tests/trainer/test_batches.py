"""Batches and augmentation: boxes follow pixels, nothing is lost of 16 bits, epochs repeat by seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.augment import Augment, move_ellipses, warp
from trainer.recipe_blocks import Augmentation
from trainer.samples import Batch, EpochBatches, boxes_of, ellipses_of
from trainer.splits import Part
from trainer.task import cell_loss, cell_targets

TRAIN = Part("train", (), 0, "hash")


def batch(row: float = 40.0, col: float = 30.0, radius: float = 6.0, view: str = "CC") -> Batch:
    """One image of 96 x 64 with a bright disc and its ellipse."""
    rows, columns = torch.meshgrid(torch.arange(96.0), torch.arange(64.0), indexing="ij")
    disc = ((rows - row) ** 2 + (columns - col) ** 2 <= radius**2).float()
    return Batch(
        disc[None, None],
        torch.ones(1, 1, 96, 64),
        [torch.tensor([[row, col, radius + 0.5, radius + 0.5]])],
        [torch.tensor([0])],
        torch.tensor([1.0]),
        torch.tensor([1.0]),
        [view],
        ["image"],
    )


def centre_of_mass(pixels: torch.Tensor) -> tuple[float, float]:
    rows, columns = torch.meshgrid(
        torch.arange(float(pixels.shape[0])), torch.arange(float(pixels.shape[1])), indexing="ij"
    )
    total = pixels.sum()
    return float((rows * pixels).sum() / total), float((columns * pixels).sum() / total)


@pytest.mark.parametrize("seed", range(6))
def test_the_lesion_moves_with_the_pixels(seed: int) -> None:
    ranges = Augmentation(flip_rows=0.5, rotate=20, scale=0.2, shift=0.05)
    changed = Augment(TRAIN, ranges, seed)(batch(), 0, 0)
    row, col = centre_of_mass(changed.pixels[0, 0])
    assert changed.ellipses[0][0, 0].item() == pytest.approx(row, abs=0.3)
    assert changed.ellipses[0][0, 1].item() == pytest.approx(col, abs=0.3)


@pytest.mark.parametrize("seed", range(6))
def test_the_lesion_moves_with_a_crop(seed: int) -> None:
    changed = Augment(TRAIN, Augmentation(crop=(64, 32), rotate=10), seed)(batch(), 0, 0)
    assert changed.pixels.shape == (1, 1, 64, 32)
    inside = bool(len(changed.ellipses[0]))
    assert changed.positive.tolist() == [float(inside)]
    if inside and changed.pixels.sum() > 100:
        row, col = centre_of_mass(changed.pixels[0, 0])
        assert changed.ellipses[0][0, 0].item() == pytest.approx(row, abs=2.0)
        assert changed.ellipses[0][0, 1].item() == pytest.approx(col, abs=2.0)


def test_an_affine_of_whole_pixels_moves_without_blurring() -> None:
    images = torch.rand(1, 1, 12, 10)
    affine = torch.tensor([[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]])
    moved = warp(images, affine)
    assert torch.allclose(moved[0, 0, 2:, 3:], images[0, 0, :-2, :-3], atol=1e-6)
    assert moved[0, 0, :2].abs().max() < 1e-6


def test_a_turned_ellipse_keeps_its_exact_bounding_box() -> None:
    # A quarter turn swaps the half axes; 45 degrees give sqrt((a^2 + b^2) / 2) for both.
    quarter = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
    assert move_ellipses(torch.tensor([[5.0, 7.0, 2.0, 4.0]]), quarter).tolist() == [[-7.0, 5.0, 4.0, 2.0]]
    c = 0.5**0.5
    half = move_ellipses(torch.tensor([[0.0, 0.0, 2.0, 4.0]]), torch.tensor([[c, -c, 0.0], [c, c, 0.0]]))
    assert half[0, 2:].tolist() == pytest.approx([10**0.5, 10**0.5])


def test_only_views_without_muscle_above_are_flipped() -> None:
    always = Augment(TRAIN, Augmentation(flip_rows=1.0), 0)
    assert always(batch(view="CC"), 0, 0).ellipses[0][0, 0].item() == pytest.approx(95 - 40)
    assert always(batch(view="MLO"), 0, 0).ellipses[0][0, 0].item() == pytest.approx(40)


def test_grey_changes_keep_all_sixteen_bits_apart() -> None:
    levels = torch.arange(65536.0).reshape(1, 1, 256, 256) / 65535
    one = Batch(
        levels, torch.ones_like(levels), [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.int64)],
        torch.zeros(1), torch.ones(1), ["CC"], ["ramp"],
    )  # fmt: skip
    changed = Augment(TRAIN, Augmentation(contrast=0.3, brightness=0.2), 3)(one, 0, 0)
    assert len(torch.unique(changed.pixels)) > 65000


def test_the_same_epoch_and_step_draw_the_same_changes() -> None:
    augment = Augment(TRAIN, Augmentation(rotate=10, noise=0.1, contrast=0.1), 5)
    first, again, other = augment(batch(), 2, 3), augment(batch(), 2, 3), augment(batch(), 2, 4)
    assert torch.equal(first.pixels, again.pixels)
    assert not torch.equal(first.pixels, other.pixels)


def test_half_of_a_balanced_batch_is_positive_and_every_image_gets_its_turn() -> None:
    positives = np.array([True] * 5 + [False] * 35)
    batches = EpochBatches(positives, 8, 0, balance=True)
    lists = list(batches)
    assert len(lists) == len(batches) == 5
    assert all(sum(positives[index] for index in one) == 4 for one in lists)
    counts = np.bincount([index for one in lists for index in one], minlength=40)[:5]
    assert counts.max() - counts.min() <= 1


def test_epochs_differ_and_repeat_by_seed() -> None:
    positives = np.array([True, False] * 20)

    def epoch(number: int) -> list[list[int]]:
        batches = EpochBatches(positives, 4, 7, balance=True)
        batches.set_epoch(number)
        return list(batches)

    assert epoch(0) == epoch(0)
    assert epoch(0) != epoch(1)


def test_two_processes_share_the_batches_of_one() -> None:
    positives = np.array([True, False] * 16)
    both = [list(EpochBatches(positives, 4, 1, balance=True, rank=rank, world=2)) for rank in range(2)]
    assert len(both[0]) == len(both[1]) == 4
    assert not {tuple(one) for one in both[0]} & {tuple(one) for one in both[1]}


def test_boxes_and_ellipses_say_the_same_place() -> None:
    box = np.array([[10.0, 20.0, 30.0, 60.0]])
    ellipse = ellipses_of(box)
    # Edges at pixel corners: the middle of rows 10..30 is row 20 at corners, 19.5 at centres.
    assert ellipse.tolist() == [[19.5, 39.5, 10.0, 20.0]]
    assert boxes_of(torch.from_numpy(ellipse)).tolist() == [[20.0, 10.0, 60.0, 30.0]]


def test_cells_inside_an_ellipse_are_targets_and_a_tiny_lesion_keeps_one() -> None:
    big = cell_targets([torch.tensor([[19.5, 19.5, 10.0, 10.0]])], (5, 5), 8)
    # Cells are centred on 3.5, 11.5, 19.5, 27.5, 35.5: within 10 of (19.5, 19.5) lie the plus of five.
    expected = torch.zeros(5, 5)
    expected[2, 1:4] = expected[1:4, 2] = 1
    assert torch.equal(big[0], expected)
    tiny = cell_targets([torch.tensor([[15.0, 15.0, 0.5, 0.5]])], (5, 5), 8)
    assert tiny.sum() >= 1


def test_cells_of_weight_zero_do_not_count() -> None:
    logits = torch.tensor([[[3.0, -2.0]]])
    target = torch.tensor([[[1.0, 0.0]]])
    left = cell_loss(logits, target, torch.tensor([[[1.0, 0.0]]]))
    also = cell_loss(torch.tensor([[[3.0, 99.0]]]), target, torch.tensor([[[1.0, 0.0]]]))
    assert torch.equal(left, also)

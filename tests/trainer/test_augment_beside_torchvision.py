"""The one interpolation of the augmentations beside torchvision.transforms.v2; 16 bits stay apart."""

from __future__ import annotations

import math

import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as v2

from trainer.augment import warp


def about_centre(
    degrees: float, scale: float, down: float, right: float, shape: tuple[int, int]
) -> torch.Tensor:
    """(1, 2, 3) from old to new (row, col): turned and scaled about the middle, then moved."""
    angle = math.radians(degrees)
    turn = scale * torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float32
    )
    middle = torch.tensor([(shape[0] - 1) / 2, (shape[1] - 1) / 2])
    offset = middle + torch.tensor([down, right]) - turn @ middle
    return torch.cat([turn, offset[:, None]], dim=1)[None]


@pytest.mark.parametrize(
    ("degrees", "scale", "down", "right"),
    [(0, 1.0, 3, 0), (0, 1.0, 0, -5), (17, 1.0, 0, 0), (-40, 1.2, 4, -3), (90, 0.8, 0, 0)],
)
def test_a_warp_is_that_of_torchvision(degrees: float, scale: float, down: int, right: int) -> None:
    image = torch.rand((1, 2, 48, 40), generator=torch.Generator().manual_seed(0))
    ours = warp(image, about_centre(degrees, scale, down, right, (48, 40)))
    # v2 counts degrees clockwise, and (x, y).
    theirs = v2.affine(
        image,
        angle=-degrees,
        translate=[right, down],
        scale=scale,
        shear=[0.0, 0.0],
        interpolation=InterpolationMode.BILINEAR,
    )
    # v2 fills what comes in from beyond the frame by a mask of its own: the edge is not compared.
    inner = warp(torch.ones_like(image), about_centre(degrees, scale, down, right, (48, 40))) > 0.999
    assert inner.sum() > 500
    assert (ours - theirs)[inner].abs().max() < 2e-3


def test_neighbouring_values_of_16_bits_stay_apart() -> None:
    image = torch.full((1, 1, 32, 32), 40000 / 65535)
    image[..., 16:] = 40001 / 65535
    moved = warp(image, about_centre(0, 1.0, 2, 0, (32, 32)))
    left, right = moved[0, 0, 10, 4].item(), moved[0, 0, 10, 28].item()
    assert round(left * 65535) == 40000
    assert round(right * 65535) == 40001

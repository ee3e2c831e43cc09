"""Random changes to a training batch that a mammogram could have had by itself.

Everything is float32 on whole batches: no step through 8 bits, one interpolation. The chest wall
stays on the left (a mirrored breast is the other breast and is already turned), and a flip top to
bottom is left to views that have no muscle above (CC).
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as functional
from torch import Tensor

from trainer.errors import TrainerError
from trainer.insert import Inserted, insert_lesions
from trainer.recipe_blocks import Augmentation
from trainer.samples import Batch
from trainer.splits import Part


class Augment:
    """Changes batches of one training part.

    Parameters
    ----------
    part
        The training part of a split. Anything else is refused: images must be divided between
        patients before they are multiplied.
    ranges
        How much.
    seed
        With epoch and step it decides every draw, so that a resumed training draws the same.
    inserted
        Which synthetic lesions come first, or None.

    Raises
    ------
    TrainerError
        The part does not train.
    """

    def __init__(self, part: Part, ranges: Augmentation, seed: int, inserted: Inserted | None = None) -> None:
        if part.name != "train":
            raise TrainerError(f"only the train part of a split is augmented, not {part.name}")
        self.ranges = ranges
        self.seed = seed
        self.inserted = inserted

    def __call__(self, batch: Batch, epoch: int, step: int, rank: int = 0) -> Batch:
        """Return the changed batch; with a crop an image is positive if a lesion is left in it."""
        number = ((self.seed * 1_000_003 + epoch) * 1_000_003 + step) * 64 + rank
        draw = torch.Generator().manual_seed(number % 2**63)  # torch takes no larger one
        if self.inserted is not None:
            batch = insert_lesions(batch, self.inserted, draw)
        affine = self._affine(batch, draw)
        if affine is not None:
            batch = self._moved(batch, affine.to(batch.pixels.device))
        return replace(batch, pixels=self._grey(batch.pixels, batch.mask, draw))

    def _moved(self, batch: Batch, affine: Tensor) -> Batch:
        """Return the batch resampled, on the crop's canvas if there is one, lesions with it."""
        shape = self.ranges.crop or tuple(batch.pixels.shape[2:])
        # What comes in from beyond the frame is air, the darkest value, and not a value of 0.
        air = batch.pixels.amin(dim=(2, 3), keepdim=True)
        moved = warp(torch.cat([batch.pixels - air, batch.mask], dim=1), affine, (shape[0], shape[1]))
        ellipses, classes, positive = [], [], batch.positive.clone()
        for number, (own, kinds) in enumerate(zip(batch.ellipses, batch.classes, strict=True)):
            places = move_ellipses(own, affine[number])
            if self.ranges.crop:
                limit = torch.tensor(shape, device=places.device)
                inside = ((places[:, :2] >= 0) & (places[:, :2] < limit)).all(dim=1)
                places, kinds = places[inside], kinds[inside]
                if len(own):
                    positive[number] *= float(inside.any())
            ellipses.append(places)
            classes.append(kinds)
        return replace(
            batch,
            pixels=moved[:, :1] + air,
            mask=moved[:, 1:],
            ellipses=ellipses,
            classes=classes,
            positive=positive,
        )

    def _affine(self, batch: Batch, draw: torch.Generator) -> Tensor | None:
        """Return (B, 2, 3) affines from old to new (row, col), or None where nothing moves."""
        ranges, count = self.ranges, len(batch.views)
        if not (ranges.flip_rows or ranges.rotate or ranges.scale or ranges.shift or ranges.crop):
            return None
        rows, columns = batch.pixels.shape[2:]
        angle = _either(count, draw) * math.radians(ranges.rotate)
        factor = torch.exp(_either(count, draw) * ranges.scale)
        allowed = torch.tensor([view in ranges.flip_views for view in batch.views])
        flip = torch.where((torch.rand(count, generator=draw) < ranges.flip_rows) & allowed, -1.0, 1.0)
        linear = torch.stack(
            [
                torch.stack([torch.cos(angle) * factor * flip, -torch.sin(angle) * factor], dim=1),
                torch.stack([torch.sin(angle) * factor * flip, torch.cos(angle) * factor], dim=1),
            ],
            dim=1,
        )
        if ranges.crop:
            before = torch.stack([self._middle(batch, number, draw) for number in range(count)])
            extent = torch.tensor(ranges.crop, dtype=torch.float32)
            after = (extent - 1) / 2 + torch.stack(
                [_either(count, draw), _either(count, draw)], 1
            ) * extent * 0.35
        else:
            # About the middle of the chest wall's edge the breast stays attached to it.
            across = 0.0 if ranges.about == "wall" else (columns - 1) / 2
            before = torch.tensor([(rows - 1) / 2, across]).expand(count, 2)
            shift = torch.stack([_either(count, draw) * rows, _either(count, draw) * columns], dim=1)
            after = before + shift * ranges.shift
        offset = after - torch.einsum("bij,bj->bi", linear, before)
        return torch.cat([linear, offset[:, :, None]], dim=2)

    @staticmethod
    def _middle(batch: Batch, number: int, draw: torch.Generator) -> Tensor:
        """Return the place that the crop is drawn around: a lesion in three of four, else breast."""
        own = batch.ellipses[number].cpu()
        if len(own) and torch.rand((), generator=draw) < 0.75:
            return own[int(torch.randint(len(own), (), generator=draw)), :2]
        breast = batch.mask[number, 0].cpu().nonzero()
        if not len(breast):
            return torch.tensor([(side - 1) / 2 for side in batch.mask.shape[2:]])
        return breast[int(torch.randint(len(breast), (), generator=draw))].float()

    def _grey(self, pixels: Tensor, mask: Tensor, draw: torch.Generator) -> Tensor:
        ranges, count = self.ranges, len(pixels)
        device = pixels.device

        def shaped(values: Tensor) -> Tensor:
            return values.to(device).reshape(count, 1, 1, 1)

        inside = (mask > 0.5).to(pixels.dtype)
        if ranges.contrast:
            middle = (pixels * inside).sum((1, 2, 3), keepdim=True) / inside.sum(
                (1, 2, 3), keepdim=True
            ).clamp(1)
            factor = shaped(torch.exp(_either(count, draw) * ranges.contrast))
            pixels = torch.where(inside > 0, (pixels - middle) * factor + middle, pixels)
        if ranges.brightness:
            pixels = pixels + shaped(_either(count, draw) * ranges.brightness) * inside
        if ranges.noise:
            strength = shaped(torch.rand(count, generator=draw) * ranges.noise)
            grain = torch.randn(pixels.shape, generator=draw).to(device)
            pixels = pixels + grain * strength * inside
        return pixels


def _either(count: int, draw: torch.Generator) -> Tensor:
    """Return `count` uniform numbers in -1..1."""
    return torch.rand(count, generator=draw) * 2 - 1


def warp(images: Tensor, affine: Tensor, shape: tuple[int, int] | None = None) -> Tensor:
    """Return images resampled (bilinear, 0 outside) so that old place p lies at ``affine @ (p, 1)``.

    Parameters
    ----------
    images
        float32 (B, C, H, W).
    affine
        (B, 2, 3) from old to new (row, col) pixel centres.
    shape
        (rows, columns) of the result; None: as the images.
    """
    device = images.device
    old = torch.tensor(images.shape[2:], dtype=torch.float32, device=device)
    new = old if shape is None else torch.tensor(shape, dtype=torch.float32, device=device)
    linear = torch.linalg.inv(affine[:, :, :2])
    offset = -(linear @ affine[:, :, 2:])[:, :, 0]
    # torch wants (x, y) in units where -1..1 spans pixel corner to pixel corner.
    scaled = linear * (new / 2)[None, None, :] / (old / 2)[None, :, None]
    shifted = (linear @ ((new - 1) / 2) + offset - (old - 1) / 2) / (old / 2)
    theta = torch.cat([scaled.flip(1).flip(2), shifted.flip(1)[:, :, None]], dim=2)
    size = [len(images), images.shape[1], int(new[0]), int(new[1])]
    grid = functional.affine_grid(theta, size, align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def move_ellipses(ellipses: Tensor, affine: Tensor) -> Tensor:
    """Return the upright ellipses that bound moved ones: exact centres and exact bounding boxes."""
    if not len(ellipses):
        return ellipses
    linear, offset = affine[:, :2], affine[:, 2]
    centre = ellipses[:, :2] @ linear.T + offset
    half = torch.sqrt((ellipses[:, 2:] ** 2) @ (linear.T**2))
    return torch.cat([centre, half], dim=1)

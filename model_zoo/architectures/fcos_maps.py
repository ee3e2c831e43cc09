"""FCOS's answer cell by cell, before it becomes boxes: computed, turned over, averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision.models.detection.fcos import FCOS

from model_zoo.errors import ModelError

_TURNED = (0, 3, 2, 1)
"""Left, top, right, bottom of an image turned top to bottom: top and bottom have changed places."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseMaps:
    """What the dense heads say of one image, per level of the pyramid, finest first.

    Attributes
    ----------
    logits
        float32 (h, w, classes).
    distances
        float32 (h, w, 4): from the cell's centre to the box's left, top, right and bottom edge, >= 0, in
        strides of the level.
    centreness
        float32 (h, w, 1), logits.
    anchors
        (h * w, 4) as (x0, y0, x1, y1), row by row.
    shape
        (rows, columns) of the image.
    """

    logits: tuple[Tensor, ...]
    distances: tuple[Tensor, ...]
    centreness: tuple[Tensor, ...]
    anchors: tuple[Tensor, ...]
    shape: tuple[int, int]

    def turned(self) -> DenseMaps:
        """Return what is said of the image turned top to bottom, where this is said of the image."""
        return replace(
            self,
            logits=tuple(level.flip(0) for level in self.logits),
            distances=tuple(level.flip(0)[..., _TURNED] for level in self.distances),
            centreness=tuple(level.flip(0) for level in self.centreness),
        )


def dense_maps(fcos: FCOS, image: Tensor) -> DenseMaps:
    """Return the heads' maps of one image.

    Parameters
    ----------
    image
        float32 (1, H, W), as prepared.
    """
    images, _ = fcos.transform([image])
    features = list(fcos.backbone(images.tensors).values())
    sizes = [(int(level.shape[2]), int(level.shape[3])) for level in features]
    cells = [rows * columns for rows, columns in sizes]
    made = fcos.head(features)

    def levels(name: str) -> tuple[Tensor, ...]:
        parts = made[name][0].split(cells)
        return tuple(part.reshape(*size, -1) for part, size in zip(parts, sizes, strict=True))

    (anchors,) = fcos.anchor_generator(images, features)
    return DenseMaps(
        levels("cls_logits"),
        levels("bbox_regression"),
        levels("bbox_ctrness"),
        tuple(anchors.split(cells)),
        (int(image.shape[1]), int(image.shape[2])),
    )


def mean_maps(maps: Sequence[DenseMaps]) -> DenseMaps:
    """Return the mean of several answers on one image, cell by cell: of logits as logits, of distances."""

    def mean(levels: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
        return tuple(torch.stack(same).mean(0) for same in zip(*levels, strict=True))

    return replace(
        maps[0],
        logits=mean([one.logits for one in maps]),
        distances=mean([one.distances for one in maps]),
        centreness=mean([one.centreness for one in maps]),
    )


def averaged_maps(networks: Sequence[FCOS], image: Tensor, *, mirrored: bool) -> DenseMaps:
    """Return the networks' mean answer on one image.

    Parameters
    ----------
    networks
        Of the same shape.
    image
        float32 (1, H, W), as prepared.
    mirrored
        Average with what each says of the image turned top to bottom.

    Raises
    ------
    ModelError
        An image whose rows the coarsest cells do not tile, where it is to be turned over.
    """
    coarsest = networks[0].anchor_generator.sizes[-1][0]
    if mirrored and image.shape[1] % coarsest:
        raise ModelError(
            f"an fcos-detector that is mirrored needs a multiple of {coarsest} rows, not {image.shape[1]}"
        )
    found = []
    for fcos in networks:
        own = dense_maps(fcos, image)
        if mirrored:
            own = mean_maps([own, dense_maps(fcos, image.flip(1)).turned()])
        found.append(own)
    return mean_maps(found)


def boxes_of(fcos: FCOS, maps: DenseMaps) -> dict[str, Tensor]:
    """Turn maps into boxes the way a network does by itself, with its limits.

    Returns
    -------
    dict
        ``boxes`` (N, 4), ``scores`` (N,) falling, ``labels`` (N,) from 0.
    """
    named = {"cls_logits": maps.logits, "bbox_regression": maps.distances, "bbox_ctrness": maps.centreness}
    # torchvision wants a batch, and a level's cells in one row.
    levels = {name: [level.flatten(0, 1)[None] for level in value] for name, value in named.items()}
    found: dict[str, Tensor] = fcos.postprocess_detections(levels, [list(maps.anchors)], [maps.shape])[0]
    return found


def strongest(maps: DenseMaps) -> Tensor:
    """Return what the box of each cell would score before any is dropped: the detector's own evidence.

    Returns
    -------
    Tensor
        0..1, shape (h, w) on the finest level's grid: the best class's score times centre-ness (Tian et
        al. 2019, section 3.3), the largest of the levels' there.
    """
    size = tuple(maps.logits[0].shape[:2])
    levels = [
        interpolate((logits.sigmoid().amax(2) * centre.sigmoid()[..., 0])[None, None], size, mode="nearest")
        for logits, centre in zip(maps.logits, maps.centreness, strict=True)
    ]
    return torch.cat(levels).amax(0)[0]

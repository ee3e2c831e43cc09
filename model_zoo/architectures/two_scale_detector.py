"""Two detectors that look at one image: a coarse one for masses, a fine one for what coarse pixels hide.

The image comes at the fine one's resolution. The coarse one is shown means of its pixels, so that one
preprocessing serves both and neither needs to know of the other. Their boxes are put together with the
fine one's scores brought onto the coarse one's scale, as logits: ``slope * logit + offset``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torchvision.ops import batched_nms

from model_zoo.architectures import fcos_detector
from model_zoo.architectures.fcos_detector import FcosDetector
from model_zoo.architectures.fcos_maps import averaged_maps, boxes_of, strongest
from model_zoo.architectures.trunk import config_fields
from model_zoo.errors import ModelError

_EDGE = 1e-6
"""A score is kept this far from 0 and 1 before it becomes a logit."""


@lru_cache(maxsize=16)
def _shares(fine: int, coarse: int) -> Tensor:
    """Return how much of each coarse pixel every fine one covers, shape (coarse, fine); rows add up to 1."""
    edges = torch.arange(coarse + 1, dtype=torch.float64) * (fine / coarse)
    first, last = edges[:-1, None], edges[1:, None]
    own = torch.arange(fine, dtype=torch.float64)[None]
    covered = (torch.minimum(own + 1, last) - torch.maximum(own, first)).clamp(min=0)
    return (covered / (fine / coarse)).float()


def area_mean(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return an image of fewer pixels, each the mean of the area that it covers.

    torch's own ``area`` takes whole pixels, so that the areas of neighbours overlap wherever one
    resolution is no multiple of the other.

    Parameters
    ----------
    image
        float32, (..., H, W).
    shape
        (rows, columns), at most (H, W).
    """
    rows = _shares(int(image.shape[-2]), shape[0]).to(image)
    columns = _shares(int(image.shape[-1]), shape[1]).to(image)
    return rows @ image @ columns.T


def _tiled(
    shape: tuple[int, int], detector: FcosDetector, shrink: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the smallest image of a detector's pixels that covers the input and that its cells tile.

    Returns
    -------
    own, covered
        Its (rows, columns), and how many of the input it stands for.
    """
    coarsest = int(detector.fcos.anchor_generator.sizes[-1][0])
    rows, columns = (math.ceil(side / shrink / coarsest - 1e-6) * coarsest for side in shape)
    return (rows, columns), (round(rows * shrink), round(columns * shrink))


def _enlarged(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return an image of at least as many rows and columns; what is added repeats the last ones."""
    more = (0, shape[1] - int(image.shape[2]), 0, shape[0] - int(image.shape[1]))
    return pad(image[None], more, mode="replicate")[0]


class _TwoScales(nn.Module):
    """What a pair of detectors and an ensemble of pairs share: answers, and no training.

    Attributes
    ----------
    classes
        How many labels a pair knows together; those of the fine one come after those of the coarse one.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self._nms_iou, self._most = 0.5, 100

    @property
    def pairs(self) -> tuple[TwoScaleDetector, ...]:
        """The pairs whose mean it answers."""
        raise NotImplementedError

    @property
    def mirrored(self) -> bool:
        """Whether a pair's answers are averaged with those on the image turned top to bottom."""
        return self.pairs[0].coarse.mirrored

    @property
    def modes(self) -> tuple[nn.Module, ...]:
        """The parts whose `training` flag decides between losses and boxes."""
        return tuple(fcos for one in self.pairs for part in (one.coarse, one.fine) for fcos in part.networks)

    @property
    def stride(self) -> float:
        """Input pixels per cell of `dense`: those of the fine one's finest level."""
        return self.pairs[0].fine.stride

    def limit(self, score_threshold: float, nms_iou: float, most: int) -> None:
        """Set which boxes come out in evaluation."""
        first = self.pairs[0]
        chance = min(max(score_threshold, _EDGE), 1 - _EDGE)
        lowest = _sigmoid((math.log(chance / (1 - chance)) - first.offset) / first.slope)
        for one in self.pairs:
            one.coarse.limit(score_threshold, nms_iou, most)
            one.fine.limit(lowest if score_threshold > 0 else 0.0, nms_iou, most)
        self._nms_iou, self._most = nms_iou, most

    def forward(self, images: Tensor | list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Return detections, as `FcosDetector` in evaluation.

        Raises
        ------
        ModelError
            Where it is asked to learn.
        """
        if targets is not None or any(fcos.training for fcos in self.modes):
            raise ModelError(
                "a two-scale-detector is joined of two trained runs and cannot be trained itself"
            )
        return [self._look(image)[0] for image in images]

    def dense(self, images: Tensor) -> Tensor:
        """Return the stronger of both detectors' own evidence, on the fine one's finest grid.

        Returns
        -------
        Tensor
            0..1, shape (N, h, w), see `model_zoo.architectures.fcos_maps.strongest`.
        """
        return torch.stack([self._look(image)[1] for image in images])

    def forward_with_dense(self, images: Tensor) -> tuple[list[dict[str, Tensor]], Tensor]:
        """Return detections (evaluation) and `dense`, of one pass."""
        seen = [self._look(image) for image in images]
        return [boxes for boxes, _ in seen], torch.stack([evidence for _, evidence in seen])

    def _look(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        first, shape = self.pairs[0], (int(image.shape[1]), int(image.shape[2]))
        small, shown = _tiled(shape, first.coarse, first.shrink)
        coarse = averaged_maps(
            [one.coarse.fcos for one in self.pairs],
            area_mean(_enlarged(image, shown), small),
            mirrored=first.coarse.mirrored,
        )
        fine = averaged_maps(
            [one.fine.fcos for one in self.pairs],
            _enlarged(image, _tiled(shape, first.fine, 1.0)[1]),
            mirrored=first.fine.mirrored,
        )
        enlarge = (shown[0] / small[0], shown[1] / small[1])
        boxes = self._together(boxes_of(first.coarse.fcos, coarse), boxes_of(first.fine.fcos, fine), *enlarge)
        return boxes, self._evidence(strongest(coarse), strongest(fine), shown, shape)

    def _together(
        self, coarse: dict[str, Tensor], fine: dict[str, Tensor], down: float, across: float
    ) -> dict[str, Tensor]:
        """Return the boxes of both in input pixels, the best first.

        Parameters
        ----------
        down, across
            Input rows and columns per pixel of the coarse one.
        """
        first = self.pairs[0]
        enlarged = coarse["boxes"] * coarse["boxes"].new_tensor([across, down, across, down])
        boxes = torch.cat([enlarged, fine["boxes"]])
        scores = torch.cat([coarse["scores"], first.on_coarse_scale(fine["scores"])])
        labels = torch.cat([coarse["labels"], fine["labels"] + first.coarse.classes])
        kept = batched_nms(boxes, scores, labels, self._nms_iou)[: self._most]
        return {"boxes": boxes[kept], "scores": scores[kept], "labels": labels[kept]}

    def _evidence(
        self, coarse: Tensor, fine: Tensor, shown: tuple[int, int], shape: tuple[int, int]
    ) -> Tensor:
        rows, columns = (math.ceil(side / self.stride) for side in shape)
        size = (round(shown[0] / self.stride), round(shown[1] / self.stride))
        own = self.pairs[0].on_coarse_scale(fine)[:rows, :columns]
        return torch.maximum(
            interpolate(coarse[None, None], size, mode="nearest")[0, 0, :rows, :columns], own
        )


class TwoScaleDetector(_TwoScales):
    """A coarse and a fine `FcosDetector`.

    Attributes
    ----------
    shrink
        Input pixels per pixel of the coarse one.
    slope, offset
        Bring the fine one's scores onto the coarse one's scale.
    """

    def __init__(
        self, coarse: FcosDetector, fine: FcosDetector, shrink: float, slope: float, offset: float
    ) -> None:
        super().__init__(coarse.classes + fine.classes)
        self.coarse = coarse
        self.fine = fine
        self.shrink = shrink
        self.slope = slope
        self.offset = offset

    @property
    def pairs(self) -> tuple[TwoScaleDetector, ...]:
        """The one pair."""
        return (self,)

    def on_coarse_scale(self, scores: Tensor) -> Tensor:
        """Return the fine one's scores as the coarse one would have said them."""
        return torch.sigmoid(self.slope * torch.logit(scores, _EDGE) + self.offset)


class TwoScaleEnsemble(_TwoScales):
    """The mean of several pairs: coarse ones cell by cell, fine ones cell by cell."""

    def __init__(self, members: Sequence[TwoScaleDetector]) -> None:
        super().__init__(members[0].classes)
        self.members = nn.ModuleList(members)

    @property
    def pairs(self) -> tuple[TwoScaleDetector, ...]:
        """The members."""
        return tuple(cast(TwoScaleDetector, member) for member in self.members)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def build(config: Mapping[str, Any]) -> TwoScaleDetector | TwoScaleEnsemble:
    """Return a fresh detector, or an ensemble.

    Parameters
    ----------
    config
        ``coarse`` and ``fine`` (configs of `fcos_detector.build`, of one member each, both mirrored or
        neither), ``shrink`` (input
        pixels per pixel of the coarse one, 1 to 16), ``slope`` (default 1) and ``offset`` (default 0) of
        the fine one's scores, ``members`` (default 1; up to 32).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("two-scale-detector", config)
    coarse, fine = fields.mapping("coarse"), fields.mapping("fine")
    shrink = fields.number("shrink", low=1.0, high=16.0)
    slope = fields.number("slope", 1.0, low=0.05, high=20.0)
    offset = fields.number("offset", 0.0, low=-20.0, high=20.0)
    members = fields.whole("members", 1, low=1, high=32)
    fields.finish()
    for name, part in (("coarse", coarse), ("fine", fine)):
        if part.get("members", 1) != 1:
            raise fields.error(name, "must be of one member: an ensemble is of pairs")
    if coarse.get("mirrored", False) != fine.get("mirrored", False):
        raise fields.error("fine", "must be mirrored if and only if coarse is")

    def one() -> TwoScaleDetector:
        large, small = (cast(FcosDetector, fcos_detector.build(part)) for part in (coarse, fine))
        return TwoScaleDetector(large, small, shrink, slope, offset)

    return one() if members == 1 else TwoScaleEnsemble([one() for _ in range(members)])

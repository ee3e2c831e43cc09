"""A small one-stage detector: torchvision's FCOS (Tian et al. 2019) on a light residual pyramid.

Images come prepared, so FCOS's own resizing and normalising are switched off: boxes are in pixels
of the prepared image, edges at pixel corners, as (x0, y0, x1, y1).

Two things may be averaged in evaluation, cell by cell before boxes are made: several members (the
folds of a cross-validation), and the image with itself turned top to bottom. Boxes themselves cannot
be averaged without first deciding which of them are of the same lesion; cells can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead

from model_zoo.architectures.fcos_maps import DenseMaps, averaged_maps, boxes_of, strongest
from model_zoo.architectures.pyramid import AsPrepared, Pyramid
from model_zoo.architectures.trunk import TrunkConfig, config_fields, read_trunk
from model_zoo.errors import ModelError
from model_zoo.fields import Fields


class FullPrecisionHead(FCOSHead):  # type: ignore[misc]
    """FCOS's head whose answers stay float32 under mixed precision: bfloat16 has no half pixels above 128."""

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        """Return the head's maps by name, float32."""
        return {name: value.float() for name, value in super().forward(x).items()}


class _CellByCell(nn.Module):
    """What a detector and an ensemble of detectors share.

    Attributes
    ----------
    classes
        How many labels it knows.
    mirrored
        Whether its answer is averaged with that on the image turned top to bottom. Training ignores it.
    """

    classes: int
    mirrored: bool

    @property
    def networks(self) -> tuple[FCOS, ...]:
        """The networks whose mean it answers."""
        raise NotImplementedError

    @property
    def modes(self) -> tuple[nn.Module, ...]:
        """The parts whose `training` flag decides between losses and boxes."""
        return self.networks

    @property
    def stride(self) -> float:
        """Input pixels per cell of `dense`: those of the finest level."""
        return float(self.networks[0].anchor_generator.sizes[0][0])

    def dense(self, images: Tensor) -> Tensor:
        """Return what a box proposed by each cell would score, before any is dropped: its own evidence.

        Parameters
        ----------
        images
            float32, (N, 1, H, W).

        Returns
        -------
        Tensor
            0..1, shape (N, h, w), see `strongest`.
        """
        return torch.stack([strongest(maps) for maps in self._maps(images)])

    def forward_with_dense(self, images: Tensor) -> tuple[list[dict[str, Tensor]], Tensor]:
        """Return detections (evaluation) and `dense`, of one pass."""
        maps = self._maps(images)
        return self._boxes(maps), torch.stack([strongest(one) for one in maps])

    def limit(self, score_threshold: float, nms_iou: float, most: int) -> None:
        """Set which boxes come out in evaluation."""
        for fcos in self.networks:
            fcos.score_thresh = score_threshold
            fcos.nms_thresh = nms_iou
            fcos.detections_per_img = most

    def _maps(self, images: Tensor | list[Tensor]) -> list[DenseMaps]:
        return [averaged_maps(self.networks, image, mirrored=self.mirrored) for image in images]

    def _boxes(self, maps: Sequence[DenseMaps]) -> list[dict[str, Tensor]]:
        return [boxes_of(self.networks[0], one) for one in maps]


class FcosDetector(_CellByCell):
    """Boxes on a one-channel image.

    In training it takes images and targets and returns FCOS's losses by name; in evaluation it
    returns one dictionary per image: ``boxes`` (N, 4), ``scores`` (N,), ``labels`` (N,) from 0.
    """

    def __init__(self, fcos: FCOS, classes: int, mirrored: bool = False) -> None:
        super().__init__()
        self.fcos = fcos
        self.classes = classes
        self.mirrored = mirrored

    @property
    def networks(self) -> tuple[FCOS, ...]:
        """The one network."""
        return (self.fcos,)

    def forward(self, images: Tensor | list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Return losses (training) or detections (evaluation).

        Parameters
        ----------
        images
            float32, (N, 1, H, W) or a list of (1, H, W).
        targets
            Per image ``boxes`` (M, 4) as (x0, y0, x1, y1) and ``labels`` (M,) int64 from 0.
        """
        if self.mirrored and not self.fcos.training:
            return self._boxes(self._maps(images))
        return self.fcos(list(images), targets)


class FcosEnsemble(_CellByCell):
    """The mean of several detectors of one shape: it answers as one of them does, and is never trained."""

    def __init__(self, members: Sequence[FcosDetector]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.classes = members[0].classes
        self.mirrored = members[0].mirrored

    @property
    def networks(self) -> tuple[FCOS, ...]:
        """Those of the members, in their order."""
        return tuple(cast(FcosDetector, member).fcos for member in self.members)

    def forward(self, images: Tensor | list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Return detections, as `FcosDetector` in evaluation.

        Raises
        ------
        ModelError
            Where it is asked to learn.
        """
        if targets is not None or any(fcos.training for fcos in self.networks):
            raise ModelError(
                f"an fcos-detector of {len(self.members)} members cannot be trained, only each by itself"
            )
        return self._boxes(self._maps(images))


def build(config: Mapping[str, Any]) -> FcosDetector | FcosEnsemble:
    """Return a fresh detector, or an ensemble.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`), ``classes`` (default 1), ``finest`` (stride of the finest
        pyramid level, 4 to 32, default 8), ``channels`` of the pyramid (a multiple of 32, default
        64), ``convs`` in each head (default 2), ``centre_radius`` of centre sampling in cells
        (default 1.5), ``members`` (default 1; up to 32), ``mirrored`` (default false).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("fcos-detector", config)
    trunk = read_trunk(fields)
    classes = fields.whole("classes", 1, low=1, high=100)
    finest = fields.whole("finest", 8, low=4, high=128)
    channels = fields.whole("channels", 64, low=32, high=1024)
    convs = fields.whole("convs", 2, low=1, high=8)
    radius = fields.number("centre_radius", 1.5, low=0.0, high=10.0)
    members = fields.whole("members", 1, low=1, high=32)
    mirrored = fields.flag("mirrored", False)
    fields.finish()
    if channels % 32:
        raise fields.error("channels", f"must be a multiple of 32, not {channels}")
    first = _first_stage(fields, trunk, finest)

    def one() -> FcosDetector:
        return FcosDetector(_fcos(trunk, first, classes, channels, convs, radius), classes, mirrored)

    return one() if members == 1 else FcosEnsemble([one() for _ in range(members)])


def _fcos(trunk: TrunkConfig, first: int, classes: int, channels: int, convs: int, radius: float) -> FCOS:
    scales = trunk.scales[first:]
    # An anchor's size is its level's stride: FCOS assigns objects to levels by multiples of it.
    anchors = AnchorGenerator(tuple((scale,) for scale in scales), ((1.0,),) * len(scales))
    # torchvision centres anchors on the cells' first pixel corner; ours lie in the cells' middle.
    anchors.cell_anchors = [
        cell + scale / 2 for cell, scale in zip(anchors.cell_anchors, scales, strict=True)
    ]
    fcos = FCOS(
        Pyramid(trunk, first, channels),
        num_classes=classes,
        anchor_generator=anchors,
        head=FullPrecisionHead(channels, 1, classes, convs),
        center_sampling_radius=radius,
        image_mean=[0.0],
        image_std=[1.0],
    )
    fcos.transform = AsPrepared()
    return fcos


def _first_stage(fields: Fields, trunk: TrunkConfig, finest: int) -> int:
    scales = trunk.scales
    if finest not in scales:
        raise fields.error("finest", f"must be one of the trunk's scales {scales}, not {finest}")
    first = scales.index(finest)
    if len(set(scales[first:])) != len(scales[first:]):
        raise fields.error("strides", "must be 2 after the finest level of the pyramid")
    return first


def empty_targets(device: torch.device) -> dict[str, Tensor]:
    """Return the target of an image with nothing to find, as `FcosDetector` takes it."""
    return {
        "boxes": torch.zeros((0, 4), device=device),
        "labels": torch.zeros((0,), dtype=torch.int64, device=device),
    }

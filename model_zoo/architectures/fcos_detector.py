"""A small one-stage detector: torchvision's FCOS (Tian et al. 2019) on a light residual pyramid.

Images come prepared, so FCOS's own resizing and normalising are switched off: boxes are in pixels
of the prepared image, edges at pixel corners, as (x0, y0, x1, y1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOS, FCOSHead

from model_zoo.architectures.pyramid import AsPrepared, Pyramid
from model_zoo.architectures.trunk import TrunkConfig, config_fields, read_trunk
from model_zoo.fields import Fields


class FullPrecisionHead(FCOSHead):  # type: ignore[misc]
    """FCOS's head whose answers stay float32 under mixed precision: bfloat16 has no half pixels above 128."""

    def forward(self, x: list[Tensor]) -> dict[str, Tensor]:
        """Return the head's maps by name, float32."""
        return {name: value.float() for name, value in super().forward(x).items()}


class FcosDetector(nn.Module):
    """Boxes on a one-channel image.

    In training it takes images and targets and returns FCOS's losses by name; in evaluation it
    returns one dictionary per image: ``boxes`` (N, 4), ``scores`` (N,), ``labels`` (N,) from 0.

    Attributes
    ----------
    classes
        How many labels it knows.
    """

    def __init__(self, fcos: FCOS, classes: int) -> None:
        super().__init__()
        self.fcos = fcos
        self.classes = classes

    @property
    def modes(self) -> tuple[nn.Module, ...]:
        """The parts whose `training` flag decides between losses and boxes."""
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
        return self.fcos(list(images), targets)

    def limit(self, score_threshold: float, nms_iou: float, most: int) -> None:
        """Set which boxes come out in evaluation."""
        self.fcos.score_thresh = score_threshold
        self.fcos.nms_thresh = nms_iou
        self.fcos.detections_per_img = most


def build(config: Mapping[str, Any]) -> FcosDetector:
    """Return a fresh detector.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`), ``classes`` (default 1), ``finest`` (stride of the finest
        pyramid level, 4 to 32, default 8), ``channels`` of the pyramid (a multiple of 32, default
        64), ``convs`` in each head (default 2), ``centre_radius`` of centre sampling in cells
        (default 1.5).

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
    fields.finish()
    if channels % 32:
        raise fields.error("channels", f"must be a multiple of 32, not {channels}")
    first = _first_stage(fields, trunk, finest)
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
    return FcosDetector(fcos, classes)


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

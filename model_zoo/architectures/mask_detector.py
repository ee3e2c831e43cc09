"""A small Mask R-CNN (He et al. 2017): torchvision's, on the light pyramid of the one-stage detector.

Lesions are known by their boxes, and mini-MIAS marks circles: the mask that is learnt is the ellipse
inscribed in the box. It teaches the shared layers; what comes out in evaluation are boxes alone.
Images come prepared, so torchvision's own resizing and normalising are switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNN, MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import MultiScaleRoIAlign

from model_zoo.architectures.pyramid import AsPrepared, Pyramid
from model_zoo.architectures.trunk import config_fields, read_trunk


class MaskDetector(nn.Module):
    """Boxes on a one-channel image, learnt with masks; answers and takes what `FcosDetector` does.

    Attributes
    ----------
    classes
        How many labels it knows; torchvision's own label 0, the background, is kept inside.
    """

    def __init__(self, rcnn: MaskRCNN, classes: int) -> None:
        super().__init__()
        self.rcnn = rcnn
        self.classes = classes

    @property
    def modes(self) -> tuple[nn.Module, ...]:
        """The parts whose `training` flag decides between losses and boxes."""
        return (self.rcnn, self.rcnn.rpn, self.rcnn.roi_heads)

    def forward(self, images: Tensor | list[Tensor], targets: list[dict[str, Tensor]] | None = None) -> Any:
        """Return losses by name (training), or boxes, scores and labels from 0 per image (evaluation)."""
        listed = list(images)
        if targets is not None:
            targets = [_with_masks(one, image) for one, image in zip(targets, listed, strict=True)]
        made = self.rcnn(listed, targets)
        if isinstance(made, dict):
            return made
        return [{"boxes": one["boxes"], "scores": one["scores"], "labels": one["labels"] - 1} for one in made]

    def limit(self, score_threshold: float, nms_iou: float, most: int) -> None:
        """Set which boxes come out in evaluation."""
        heads = self.rcnn.roi_heads
        heads.score_thresh, heads.nms_thresh, heads.detections_per_img = score_threshold, nms_iou, most


def _with_masks(target: dict[str, Tensor], image: Tensor) -> dict[str, Tensor]:
    rows = torch.arange(image.shape[1], device=image.device) + 0.5
    columns = torch.arange(image.shape[2], device=image.device) + 0.5
    return {
        "boxes": target["boxes"],
        "labels": target["labels"] + 1,
        "masks": ellipse_masks(target["boxes"], rows, columns),
    }


def ellipse_masks(boxes: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return (N, H, W) uint8: the pixels whose centre lies in the ellipse inscribed in each box.

    Parameters
    ----------
    boxes
        (N, 4) as (x0, y0, x1, y1), edges at pixel corners.
    rows, columns
        Pixel centres from the same corner.
    """
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    across = ((columns[None] - middle[:, :1]) / half[:, :1]).square()
    down = ((rows[None] - middle[:, 1:]) / half[:, 1:]).square()
    return (down[:, :, None] + across[:, None, :] <= 1).to(torch.uint8)


def _sizes(scales: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return one anchor side per level: four cells, as in feature pyramid networks (Lin et al. 2017)."""
    return tuple((4 * scale,) for scale in scales)


def build(config: Mapping[str, Any]) -> MaskDetector:
    """Return a fresh detector.

    Parameters
    ----------
    config
        The trunk's fields (`TrunkConfig`), ``classes`` (default 1), ``channels`` of the pyramid (default 64),
        ``hidden`` of the box head (default 256).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("mask-rcnn", config)
    trunk = read_trunk(fields)
    classes = fields.whole("classes", 1, low=1, high=100)
    channels = fields.whole("channels", 64, low=8, high=1024)
    hidden = fields.whole("hidden", 256, low=8, high=4096)
    fields.finish()
    if len(set(trunk.scales)) != len(trunk.scales):
        raise fields.error("strides", "must be 2 after the first stage")
    levels = [str(level) for level in range(len(trunk.scales))]
    rcnn = MaskRCNN(
        Pyramid(trunk, 0, channels),
        rpn_anchor_generator=AnchorGenerator(_sizes(trunk.scales), ((0.5, 1.0, 2.0),) * len(levels)),
        box_roi_pool=MultiScaleRoIAlign(levels, 7, 2),
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2),
        box_head=TwoMLPHead(channels * 49, hidden),
        box_predictor=FastRCNNPredictor(hidden, classes + 1),
        mask_head=MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, classes + 1),
        image_mean=[0.0],
        image_std=[1.0],
        rpn_pre_nms_top_n_train=500,
        rpn_pre_nms_top_n_test=500,
        rpn_post_nms_top_n_train=200,
        rpn_post_nms_top_n_test=200,
        box_batch_size_per_image=64,
    )
    rcnn.transform = AsPreparedMasks()
    return MaskDetector(rcnn, classes)


class AsPreparedMasks(AsPrepared):
    """As prepared, and boxes come out as they are: masks are not pasted onto the image."""

    def postprocess(self, result: Any, image_shapes: Any, original_image_sizes: Any) -> Any:
        """Return the result unchanged."""
        return result

"""What is optimised: the networks of a bundle with their losses, as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import lightning
import numpy as np
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from app.core.metrics.ranking import auc
from model_zoo.architectures import build_network
from model_zoo.architectures.evidence_classifier import EvidenceClassifier, cut
from model_zoo.architectures.fcos_detector import FcosDetector, empty_targets
from model_zoo.architectures.mask_detector import MaskDetector
from model_zoo.architectures.residual_classifier import ResidualClassifier
from trainer.augment import Augment
from trainer.checkpoints import PIECES
from trainer.classes import class_loss
from trainer.recipe import resolve
from trainer.samples import Batch, boxes_of

_POSITIVE_CELL = 5.0
"""Weight of a cell inside a lesion; normal tissue is a hundred times larger."""


def cell_targets(ellipses: list[Tensor], shape: tuple[int, int], stride: int) -> Tensor:
    """Return (B, h, w) of 0 or 1: the cells of a map whose centre lies inside a lesion's ellipse.

    A lesion smaller than a cell takes the cell around its centre, so that none is lost.

    Parameters
    ----------
    shape
        (h, w) of the map.
    stride
        Prepared pixels per cell; cell i is centred on ``stride * i + (stride - 1) / 2``.
    """
    device = ellipses[0].device
    rows = torch.arange(shape[0], device=device) * stride + (stride - 1) / 2
    columns = torch.arange(shape[1], device=device) * stride + (stride - 1) / 2
    target = torch.zeros((len(ellipses), *shape), device=device)
    for number, own in enumerate(ellipses):
        for row, col, high, wide in own.tolist():
            high, wide = max(high, 0.71 * stride), max(wide, 0.71 * stride)
            inside = ((rows - row) / high).square()[:, None] + ((columns - col) / wide).square()[None, :] <= 1
            target[number][inside] = 1.0
    return target


def cell_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the focal binary cross entropy of cells, per positive cell.

    Parameters
    ----------
    logits, target, weight
        float32 (B, h, w); a weight of 0 leaves a cell out (air, or a lesion without a place).
    """
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wrong = (target - torch.sigmoid(logits)).abs()
    weight = weight * (1 + (_POSITIVE_CELL - 1) * target)
    return (loss * wrong * weight).sum() / (weight * target).sum().clamp_min(4 * _POSITIVE_CELL)


def image_loss(logits: Tensor, positive: Tensor, focal: float = 0.0, weight: float = 1.0) -> Tensor:
    """Return the mean loss of the images' logits against their labels.

    Parameters
    ----------
    focal
        Exponent of the focal loss; 0: cross entropy.
    weight
        Factor of the positives' part.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, positive, reduction="none")
    if focal:
        loss = loss * (positive - torch.sigmoid(logits)).abs() ** focal
    if weight != 1:
        loss = loss * (1 + (weight - 1) * positive)
    return loss.mean()


def _seen(logits: Tensor | None, batch: Batch) -> dict[str, Tensor]:
    return {} if logits is None else {"logits": logits.detach().float(), "positive": batch.positive}


class LesionTask(lightning.LightningModule):  # type: ignore[misc]
    """Classifier and detector of a recipe, trained side by side on the same batches.

    Parameters
    ----------
    recipe
        The recipe's content (plain values, so that a checkpoint holds nothing but plain values).
    seed
        Of weights, batches and augmentation.

    Attributes
    ----------
    pieces, batch
        In which each batch of so many images is computed.
    """

    def __init__(self, recipe: Mapping[str, Any], seed: int) -> None:
        super().__init__()
        self.save_hyperparameters({"recipe": dict(recipe), "seed": seed})
        self.recipe = resolve(recipe, "recipe")
        self.seed = seed
        self.augment: Augment | None = None
        self.pieces = 1
        self.batch = 0
        torch.manual_seed(seed)
        networks = {}
        for role in ("classifier", "detector"):
            block = self.recipe.config(role)
            if block is not None:
                networks[role] = build_network(*block)
        self.networks = nn.ModuleDict(networks)
        # The map's cells as logits: only used while training, the bundle keeps the network's own head.
        self.cell_scale = nn.Parameter(torch.tensor(math.log(0.15)))
        self.cell_offset = nn.Parameter(torch.tensor(-4.0))
        classifier = dict(self.networks.items()).get("classifier")
        if isinstance(classifier, ResidualClassifier) and self.recipe.train.dense_weight:
            # A mean over a thousand cells moves only if a lesion's few cells can be large.
            nn.init.normal_(classifier.head.weight, 0.0, 0.3)
        self._val: list[tuple[Tensor, Tensor]] = []

    @property
    def classifier(self) -> ResidualClassifier | EvidenceClassifier:
        """The classifier."""
        return cast(ResidualClassifier | EvidenceClassifier, self.networks["classifier"])

    @property
    def detector(self) -> FcosDetector | MaskDetector:
        """The detector."""
        return cast(FcosDetector | MaskDetector, self.networks["detector"])

    def losses(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor | None]:
        """Return the weighted losses by name, and the image logits (None without a classifier)."""
        found: dict[str, Tensor] = {}
        logits = None
        train = self.recipe.train
        if "classifier" in self.networks:
            features, cells = self._maps(batch.pixels)
            outputs = self.classifier.logits(features)
            logits = outputs[:, 0]
            classes = self.recipe.target.classes
            if classes is not None and train.classes_weight:
                found["classes"] = train.classes_weight * class_loss(outputs[:, 1:], batch.said, classes)
            if train.image_weight:
                image = image_loss(logits, batch.positive, train.focal, train.positive_weight)
                found["image"] = train.image_weight * image
            if train.dense_weight:
                found["cells"] = train.dense_weight * self._cells(cells, batch)
        if "detector" in self.networks and train.boxes_weight:
            found["boxes"] = train.boxes_weight * self._boxes(batch)
        return found, logits

    def _maps(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classifier's last map and each cell's logit, (N, C, h, w) and (N, h, w)."""
        classifier = self.classifier
        if isinstance(classifier, EvidenceClassifier):
            uncut = classifier.uncut(pixels)
            return cut(uncut), uncut[:, 0]
        features = classifier.features(pixels)
        if not self.recipe.train.dense_weight:
            return features, features[:, 0]
        cells = torch.einsum("nchw,c->nhw", features, classifier.head.weight[0])
        return features, cells * self.cell_scale.exp() + self.cell_offset

    def _cells(self, cells: Tensor, batch: Batch) -> Tensor:
        stride = self.classifier.stride
        target = cell_targets(batch.ellipses, (cells.shape[1], cells.shape[2]), stride)
        breast = functional.avg_pool2d(batch.mask, stride)[:, 0] > 0.3
        return cell_loss(cells, target, breast.float() * batch.located[:, None, None])

    def _boxes(self, batch: Batch) -> Tensor:
        rows, columns = batch.pixels.shape[2:]
        targets = []
        for own, classes in zip(batch.ellipses, batch.classes, strict=True):
            boxes = boxes_of(own)
            limit = torch.tensor([columns, rows, columns, rows], device=boxes.device)
            boxes = torch.minimum(boxes.clamp_min(0), limit)
            kept = ((boxes[:, 2:] - boxes[:, :2]) > 2).all(dim=1)
            target = empty_targets(boxes.device)
            if kept.any():
                target = {"boxes": boxes[kept], "labels": classes[kept]}
            targets.append(target)
        use = [number for number, located in enumerate(batch.located.tolist()) if located]
        if not use:
            return batch.pixels.sum() * 0
        before = [part.training for part in self.detector.modes]
        for part in self.detector.modes:
            part.training = True  # not .train(): batch statistics stay as they are
        try:
            parts = self.detector(batch.pixels[use], [targets[number] for number in use])
        finally:
            for part, mode in zip(self.detector.modes, before, strict=True):
                part.training = mode
        return cast(Tensor, sum(parts.values()))

    def on_train_batch_start(self, batch: Batch, step: int) -> None:
        """Seed dropout by step, so that a resumed training goes on exactly, within an epoch too."""
        number = (self.seed * 1_000_003 + self.current_epoch) * 1_000_003 + step
        torch.manual_seed(number % 2**63)  # torch takes no larger one

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep in how many pieces batches are computed."""
        checkpoint[PIECES] = self.pieces

    def training_step(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Return the loss of an augmented batch, with logits and truth for who watches the training."""
        if self.augment is not None:
            batch = self.augment(batch, self.current_epoch, step, self.global_rank)
        found, logits = self.losses(batch)
        total = torch.stack(list(found.values())).sum()
        if not total.requires_grad:
            # A head that was solved has nothing to step.
            total = total + 0 * self.cell_offset
        size = len(batch.views)
        for name, value in found.items():
            self.log(f"train_{name}", value.detach(), on_step=False, on_epoch=True, batch_size=size)
        self.log("train_loss", total.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=size)
        # Lightning divides by the number of pieces; a smaller piece counts by its images.
        share = size * self.pieces / self.batch if self.pieces > 1 else 1.0
        return {"loss": total * share, **_seen(logits, batch)}

    def validation_step(self, batch: Batch, step: int) -> dict[str, Tensor]:
        """Log the loss and keep the logits for the AUC; return them for who watches the training."""
        found, logits = self.losses(batch)
        total = torch.stack(list(found.values())).sum()
        size = len(batch.views)
        self.log("val_loss", total, prog_bar=True, batch_size=size, sync_dist=True)
        if logits is not None:
            self._val.append((logits.float().cpu(), batch.positive.cpu()))
        return _seen(logits, batch)

    def on_validation_epoch_end(self) -> None:
        """Log the AUC of the tuning part, where both classes are in it."""
        if not self._val:
            return
        logits = torch.cat([one for one, _ in self._val]).numpy().astype(np.float64)
        positive = torch.cat([one for _, one in self._val]).numpy() > 0.5
        self._val.clear()
        if 0 < positive.sum() < len(positive):
            self.log("val_auc", auc(positive, logits), prog_bar=True, sync_dist=True)
        self.log("val_spread", float(logits.std()), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Return AdamW with a warm-up and a cosine over the whole training, stepped per batch."""
        train = self.recipe.train
        decayed = [p for p in self.parameters() if p.ndim > 1]
        rest = [p for p in self.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": train.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=train.lr)
        total = max(1, int(self.trainer.estimated_stepping_batches))
        rise = max(1, round(train.warmup * total))

        def factor(step: int) -> float:
            if step < rise:
                return (step + 1) / rise
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, total - rise)))) + 1e-3

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, index: int) -> Batch:
        """Move a batch."""
        return batch.to(device)

    def bundle_state(self) -> dict[str, Tensor]:
        """Return the tensors that go into a bundle, by ``role.parameter``."""
        return {
            f"{role}.{name}": value.detach().cpu()
            for role, network in self.networks.items()
            for name, value in network.state_dict().items()
        }

"""What in an image spoke for the score: class-activation maps of pooled, linear classifiers.

With global average pooling and one linear head the logit is a sum over cells,
``logit = bias + sum_ij (w . f_ij) / (H W)``, so the map of those terms is exact. HiResCAM (Draelos
and Carin, arXiv 2011.08891) is that map; Grad-CAM (Selvaraju et al. 2017) equals it here up to
its averaging over cells. A map is evidence on its native grid, not a lesion outline.
"""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model_zoo.geometry import Matrix, after, scaled

Method = Literal["signed", "hirescam", "gradcam", "detector"]
"""``detector`` is what the detector's own cells would score; the rest are maps of the classifier."""


class PooledClassifier(Protocol):
    """A classifier whose logits are a function of one last map."""

    stride: float

    def features(self, x: Tensor) -> Tensor:
        """Return the last map, shape (N, C, h, w)."""
        ...

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the last map."""
        ...


@runtime_checkable
class DenseDetector(Protocol):
    """A detector that tells what each cell of a grid would score: its own evidence, without a gradient."""

    @property
    def stride(self) -> float:
        """Input pixels per cell of the map."""
        ...

    def dense(self, images: Tensor) -> Tensor:
        """Return scores 0..1, shape (N, h, w)."""
        ...

    def forward_with_dense(self, images: Tensor) -> tuple[list[dict[str, Tensor]], Tensor]:
        """Return the detections of each image and the map, of one pass."""
        ...


def exact_map(features: Tensor, weight: Tensor) -> Tensor:
    """Return each cell's share of the logit above the bias; they sum to it.

    Parameters
    ----------
    features
        Last map, shape (C, h, w).
    weight
        The head's row for the output, shape (C,).

    Returns
    -------
    Tensor
        Shape (h, w), signed: positive speaks for the output, negative against.
    """
    cells = features.shape[1] * features.shape[2]
    return torch.einsum("c,chw->hw", weight, features) / cells


def hirescam(features: Tensor, gradient: Tensor) -> Tensor:
    """Return HiResCAM: the sum over channels of gradient times map, cell by cell; shape (h, w), signed."""
    return (gradient * features).sum(dim=0)


def gradcam(features: Tensor, gradient: Tensor) -> Tensor:
    """Return Grad-CAM without its last rectifier: channels weighted by their mean gradient; (h, w)."""
    return torch.einsum("c,chw->hw", gradient.mean(dim=(1, 2)), features)


def gradient_of(network: PooledClassifier, features: Tensor, output: int = 0) -> Tensor:
    """Return the gradient of one logit by the last map, shape (C, h, w).

    Only the head is differentiated: the map was made without gradient and is detached here.
    """
    with torch.inference_mode(False), torch.enable_grad():
        leaf = features.detach().clone().unsqueeze(0).requires_grad_(True)
        logit = network.logits(leaf)[0, output]
        (gradient,) = torch.autograd.grad(logit, leaf)
    return gradient[0]


def explain(
    network: PooledClassifier, features: Tensor, method: Method = "signed", output: int = 0
) -> npt.NDArray[np.float32]:
    """Return the map of one output on its native grid, float32 (h, w).

    Parameters
    ----------
    network
        The classifier, in evaluation mode.
    features
        Its last map for one image, shape (C, h, w), as `PooledClassifier.features` made it.
    method
        ``signed``: HiResCAM with evidence against the output as negative values. ``hirescam`` and
        ``gradcam``: evidence for the output only, the rest 0.
    output
        Which logit.
    """
    gradient = gradient_of(network, features, output)
    with torch.no_grad():
        values = gradcam(features, gradient) if method == "gradcam" else hirescam(features, gradient)
        if method != "signed":
            values = values.clamp(min=0.0)
    result: npt.NDArray[np.float32] = values.float().cpu().numpy()
    return result


def map_affine(to_stored: Matrix, stride: float) -> Matrix:
    """Return the 2x3 affine from (row, col) of map cell centres to those of stored pixel centres.

    Parameters
    ----------
    to_stored
        From prepared to stored pixel centres.
    stride
        Prepared pixels per cell; cells tile the prepared image edge on edge.
    """
    return after(to_stored, scaled(stride, stride))

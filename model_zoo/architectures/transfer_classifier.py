"""Well-known networks as pooled classifiers of one channel: torchvision's trunk, mean, one linear head.

ResNet-34 (He et al. 2016), GoogLeNet (Szegedy et al. 2015), Inception v3 (Szegedy et al. 2016). Their
strided, partly unpadded layers centre a map's cells elsewhere than in the middle of 32 pixels, by up to
22 pixels. The image is therefore widened first by as much as brings them there, with its own edge, so that
cells tile the canvas and a heat map lies where it belongs. The head is linear on the mean, so the
class-activation map is exact.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from model_zoo.architectures.trunk import config_fields

STRIDE = 32


@dataclass(frozen=True, slots=True)
class Known:
    """A network of torchvision.

    Attributes
    ----------
    make
        Returns its layers up to the last map.
    stem
        Name of the first convolution, which takes three colours in official weights.
    channels
        Of the last map.
    shift
        Where its cell 0 is centred, in pixels of its input, when nothing was widened.
    """

    make: Callable[[], nn.Module]
    stem: str
    channels: int
    shift: int


def _resnet34() -> nn.Module:
    from torchvision.models import resnet34

    full = resnet34(weights=None)
    return nn.Sequential(OrderedDict((n, m) for n, m in full.named_children() if n not in ("avgpool", "fc")))


def _googlenet() -> nn.Module:
    from torchvision.models import googlenet

    full = googlenet(weights=None, aux_logits=False, init_weights=False)
    names = ("avgpool", "dropout", "fc", "aux1", "aux2")
    return nn.Sequential(OrderedDict((n, m) for n, m in full.named_children() if n not in names))


def _inception_v3() -> nn.Module:
    from torchvision.models import inception_v3

    full = inception_v3(weights=None, aux_logits=False, init_weights=False)
    names = ("avgpool", "dropout", "fc", "AuxLogits")
    return nn.Sequential(OrderedDict((n, m) for n, m in full.named_children() if n not in names))


KNOWN: dict[str, Known] = {
    "resnet34": Known(_resnet34, "conv1", 512, 0),
    "googlenet": Known(_googlenet, "conv1.conv", 1024, 22),
    "inception-v3": Known(_inception_v3, "Conv2d_1a_3x3.conv", 2048, 37),
}
"""The shifts follow from the layers' kernels, strides and paddings; a test works them out from a gradient."""


class TransferClassifier(nn.Module):
    """Logits of a one-channel image.

    Attributes
    ----------
    stride
        Input pixels per cell of `features`; cell i is centred on ``stride * i + (stride - 1) / 2``, to half
        a pixel.
    """

    def __init__(self, trunk: str, outputs: int, dropout: float) -> None:
        super().__init__()
        known = KNOWN[trunk]
        self.body = known.make()
        _take_grey(self.body, known.stem)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(known.channels, outputs)
        self.stride = STRIDE
        middle = STRIDE // 2
        self.skip = 0 if known.shift >= middle else 1
        self.before = STRIDE * self.skip + known.shift - middle
        nn.init.zeros_(self.head.bias)

    def features(self, x: Tensor) -> Tensor:
        """Return the last map, shape (N, C, H / 32, W / 32)."""
        rows, columns = x.shape[2] // STRIDE, x.shape[3] // STRIDE
        # What comes after need only be enough for the last cell's layers.
        wide = functional.pad(x, (self.before, 2 * STRIDE, self.before, 2 * STRIDE), mode="replicate")
        made = self.body(wide)
        return cast(Tensor, made[:, :, self.skip : self.skip + rows, self.skip : self.skip + columns])

    def logits(self, features: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of the last map."""
        return cast(Tensor, self.head(self.dropout(features.mean(dim=(2, 3)))))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, shape (N, outputs), of images, shape (N, 1, H, W)."""
        return self.logits(self.features(x))


def _take_grey(body: nn.Module, stem: str) -> None:
    """Give the first convolution one input channel."""
    parent_name, _, name = stem.rpartition(".")
    parent = body.get_submodule(parent_name)
    first = cast(nn.Conv2d, getattr(parent, name))
    size, step, rim = (cast(Any, getattr(first, what)) for what in ("kernel_size", "stride", "padding"))
    setattr(parent, name, nn.Conv2d(1, first.out_channels, size, step, rim, bias=first.bias is not None))


def build(config: Mapping[str, Any]) -> TransferClassifier:
    """Return a fresh classifier.

    Parameters
    ----------
    config
        ``trunk`` (resnet34, googlenet, inception-v3), ``outputs`` (default 1; output 0 is the view's
        score), ``dropout`` before the head (default 0).

    Raises
    ------
    BundleError
        One sentence on a wrong field.
    """
    fields = config_fields("transfer-classifier", config)
    trunk = fields.choice("trunk", tuple(KNOWN), "resnet34")
    outputs = fields.whole("outputs", 1, low=1, high=100)
    dropout = fields.number("dropout", 0.0, low=0, high=0.9)
    fields.finish()
    return TransferClassifier(trunk, outputs, dropout)


def grey_weights(trunk: str, official: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return official three-colour weights by the names and shapes of `TransferClassifier`'s body.

    A grey image shown three times gives the sum over colours, so the first kernel is summed. The head, the
    auxiliary classifiers and counters are left out.

    Raises
    ------
    KeyError
        A tensor of the trunk is missing.
    ValueError
        One has another shape.
    """
    with torch.device("meta"):
        wanted = TransferClassifier(trunk, 1, 0.0).body.state_dict()
    found = {}
    for name, empty in wanted.items():
        if name.endswith("num_batches_tracked"):
            continue
        value = official[name]
        if name == f"{KNOWN[trunk].stem}.weight" and value.ndim == 4 and value.shape[1] == 3:
            value = value.sum(dim=1, keepdim=True)
        if value.shape != empty.shape:
            raise ValueError(f"{name} has the shape {tuple(value.shape)}, not {tuple(empty.shape)}")
        found[name] = value.float().contiguous()
    return found

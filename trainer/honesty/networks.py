"""A bundle's networks as the tests ask them: prepared images in, drawn maps and the score behind them out."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from model_zoo.architectures.texture_classifier import TextureClassifier
from model_zoo.explain import DenseDetector, Method, PooledClassifier, explain
from model_zoo.predictor import Predictor
from trainer.honesty.similarity import Map

Pixels = npt.NDArray[np.float32]
"""(N, H, W): prepared images."""

METHODS: tuple[Method, ...] = ("signed", "gradcam", "detector")
"""``hirescam`` draws what ``signed`` draws: its positive part."""
_AT_ONCE = 4
_LEAST = 1e-6
"""A detector's chance is kept this far from 0 and 1 before it becomes a logit."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What was said of some images.

    Attributes
    ----------
    maps
        float32 (N, h, w), >= 0: what speaks for the output, as drawn.
    scores
        float64 (N,): the logit that the maps explain.
    """

    maps: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float64]

    def map(self, number: int) -> Map:
        """Return one image's map."""
        values: Map = self.maps[number]
        return values


class Explained(Protocol):
    """What makes maps: a network with a method, or a stand-in for one in a test."""

    def look(self, images: Pixels) -> Seen:
        """Return maps and scores of prepared images."""
        ...

    def shuffled(self, share: float, seed: int) -> Explained:
        """Return it with the weights of the top share (0..1) of its layers put into random order."""
        ...


Work = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
"""From a network and images (N, 1, H, W) to maps (N, h, w) and scores (N,)."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkMaps:
    """A network and how its maps are made."""

    network: nn.Module
    work: Work

    def look(self, images: Pixels) -> Seen:
        """Return maps and scores, a few images at a time."""
        maps, scores = [], []
        with torch.inference_mode(False), torch.no_grad():
            for start in range(0, len(images), _AT_ONCE):
                some = torch.from_numpy(np.ascontiguousarray(images[start : start + _AT_ONCE]))[:, None]
                device = next((one.device for one in self.network.parameters()), torch.device("cpu"))
                made, score = self.work(self.network, some.to(device))
                maps.append(made.clamp(min=0.0).float().cpu().numpy())
                scores.append(score.double().cpu().numpy())
        return Seen(np.concatenate(maps), np.concatenate(scores))

    def shuffled(self, share: float, seed: int) -> NetworkMaps:
        """Return a copy; values change places within each tensor, so that their spread is kept."""
        network = copy.deepcopy(self.network)
        names = layers(network)
        wanted = set(names[: round(share * len(names))])
        generator = torch.Generator().manual_seed(seed)
        for name, value in network.named_parameters():
            if _layer(name.rpartition(".")[0]) in wanted:
                order = torch.randperm(value.numel(), generator=generator).to(value.device)
                value.data = value.data.flatten()[order].reshape(value.shape)
        return NetworkMaps(network, self.work)


def layers(network: nn.Module) -> list[str]:
    """Return the layers that have weights, the top one first; the same layer of several members is one."""
    found = [name.rpartition(".")[0] for name, _ in network.named_parameters()]
    return list(dict.fromkeys(_layer(name) for name in found))[::-1]


def _layer(name: str) -> str:
    return re.sub(r"\bmembers\.\d+\.", "members.", name)


def _of_classifier(method: Method) -> Work:
    def work(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
        classifier = cast(PooledClassifier, network)
        features = classifier.features(images)
        maps = [torch.from_numpy(explain(classifier, one, method)) for one in features]
        return torch.stack(maps), classifier.logits(features)[:, 0]

    return work


def _of_detector(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    maps = cast(DenseDetector, network).dense(images)
    return maps, maps.amax(dim=(1, 2)).clamp(_LEAST, 1 - _LEAST).logit()


def _of_channel(number: int) -> Work:
    """One member of an ensemble of evidence classifiers: its channel of the last map, weighed by the head."""

    def work(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
        channel = cast(PooledClassifier, network).features(images)[:, number]
        maps = channel * cast(Any, network).head.weight[0, number]
        return maps, maps.mean(dim=(1, 2))

    return work


def explained(predictor: Predictor, method: Method) -> NetworkMaps | None:
    """Return what makes a bundle's maps by a method; None where no network of it has such a map.

    Numbers of texture are measured over the whole breast: a classifier of those has no last map.
    """
    if method == "detector":
        detector = predictor.network("detector")
        return NetworkMaps(detector, _of_detector) if isinstance(detector, DenseDetector) else None
    classifier = predictor.network("classifier")
    if classifier is None or isinstance(classifier, TextureClassifier):
        return None
    return NetworkMaps(classifier, _of_classifier(method))


def members(predictor: Predictor, method: Method) -> list[Explained]:
    """Return each member of an ensemble alone; empty for a network of one training."""
    network = predictor.network("detector" if method == "detector" else "classifier")
    parts = getattr(network, "members", None)
    if network is None or parts is None:
        return []
    if method == "detector":
        return [NetworkMaps(part, _of_detector) for part in parts]
    return [NetworkMaps(network, _of_channel(number)) for number in range(len(parts))]

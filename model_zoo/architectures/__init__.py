"""The networks that bundles may name: an explicit list, each built on demand so that torch stays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from model_zoo.errors import BundleError

if TYPE_CHECKING:
    from torch import nn

Role = Literal["classifier", "detector"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network without weights.

    Attributes
    ----------
    name
        As bundle.json names it.
    role
        What it answers: one logit per output, or boxes.
    build
        Makes the network of a config; `BundleError` names a wrong field. Importing torch is its
        business, so that the list itself is cheap.
    """

    name: str
    role: Role
    build: Callable[[Mapping[str, Any]], nn.Module]


def _residual_classifier(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.residual_classifier import build

    return build(config)


def _evidence_classifier(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.evidence_classifier import build

    return build(config)


def _plain_cnn(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.plain_cnn import build

    return build(config)


def _transfer_classifier(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.transfer_classifier import build

    return build(config)


def _texture_classifier(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.texture_classifier import build

    return build(config)


def _fcos_detector(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.fcos_detector import build

    return build(config)


def _two_scale_detector(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.two_scale_detector import build

    return build(config)


def _mask_detector(config: Mapping[str, Any]) -> nn.Module:
    from model_zoo.architectures.mask_detector import build

    return build(config)


ARCHITECTURES: tuple[Architecture, ...] = (
    Architecture("residual-classifier", "classifier", _residual_classifier),
    Architecture("evidence-classifier", "classifier", _evidence_classifier),
    Architecture("plain-cnn", "classifier", _plain_cnn),
    Architecture("transfer-classifier", "classifier", _transfer_classifier),
    Architecture("texture-classifier", "classifier", _texture_classifier),
    Architecture("fcos-detector", "detector", _fcos_detector),
    Architecture("two-scale-detector", "detector", _two_scale_detector),
    Architecture("mask-rcnn", "detector", _mask_detector),
)


def architecture_names() -> tuple[str, ...]:
    """Return the names that bundle.json may use."""
    return tuple(architecture.name for architecture in ARCHITECTURES)


def role_of(name: str) -> Role:
    """Return what a network answers; `BundleError` for an unknown name."""
    return _find(name).role


def build_network(name: str, config: Mapping[str, Any]) -> nn.Module:
    """Return a fresh network with random weights; `BundleError` for an unknown name or a wrong config."""
    return _find(name).build(config)


def _find(name: str) -> Architecture:
    for architecture in ARCHITECTURES:
        if architecture.name == name:
            return architecture
    raise BundleError(
        f"{name!r} is not an architecture known here; known are {', '.join(architecture_names())}"
    )

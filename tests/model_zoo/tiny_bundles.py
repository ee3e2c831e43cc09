"""Tiny bundles with weights set by hand, whose answers follow by arithmetic."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model_zoo.bundle import Bundle, write_bundle
from model_zoo.calibration import Calibration
from model_zoo.contract import ArrayView
from model_zoo.preprocess import Normalise, Preprocess, Resize
from model_zoo.seal import BUNDLE_FILE, seal
from model_zoo.spec import Aggregation, BundleSpec, Licence, Network, Outputs, Score
from model_zoo.suitability import Domain, Views

TRUNK = {"stem": 8, "widths": [8], "blocks": [1], "strides": [1], "norm": "batch"}
"""One stage of stride 4 that hand-set weights turn into: channel 0 = the input, sampled and pooled."""

AS_STORED = Preprocess(
    crop=False,
    margin=0.0,
    mask=False,
    face="stored",
    resize=Resize("size", 64, 64),
    normalise=Normalise("fixed"),
)


def tiny_spec(**changes: Any) -> BundleSpec:
    """Return a valid specification of a classifier; `changes` replace its fields."""
    spec = BundleSpec(
        name="tiny-mean",
        model_version="1.0.0",
        task="classification",
        networks={"classifier": Network("residual-classifier", TRUNK)},
        preprocess=AS_STORED,
        views=Views((), ("CC", "MLO")),
        outputs=Outputs(Score("brightness", None, False)),
        aggregation=Aggregation("classifier", "logit"),
        calibration=Calibration(),
        domain=Domain(("phantom",), ("presentation",), 1, 1, True, "Trained on nothing."),
        licence=Licence("Apache-2.0", "any"),
    )
    return replace(spec, **changes)


def mean_weights(slope: float = 1.0, offset: float = 0.0) -> dict[str, np.ndarray]:
    """Return classifier weights whose logit is slope * mean(input) + offset for images of 4x4 blocks.

    The stem takes one input pixel of each 2x2, its pooling the largest of each 4x4 block, the
    residual branch is zero, the shortcut the identity, and each batch norm is switched off.
    """
    weights: dict[str, np.ndarray] = {}
    kernel = np.zeros((8, 1, 6, 6), np.float32)
    kernel[0, 0, 2, 2] = 1.0
    weights["trunk.stem.0.weight"] = kernel
    for place, size in (("0", 3), ("3", 3)):
        weights[f"trunk.stages.0.0.body.{place}.weight"] = np.zeros((8, 8, size, size), np.float32)
    for norm in ("trunk.stem.1", "trunk.stages.0.0.body.1", "trunk.stages.0.0.body.4"):
        weights[f"{norm}.weight"] = np.ones(8, np.float32)
        weights[f"{norm}.bias"] = np.zeros(8, np.float32)
        weights[f"{norm}.running_mean"] = np.zeros(8, np.float32)
        # PyTorch divides by sqrt(variance + 1e-5).
        weights[f"{norm}.running_var"] = np.full(8, 1.0 - 1e-5, np.float32)
        weights[f"{norm}.num_batches_tracked"] = np.array(0, np.int64)
    head = np.zeros((1, 8), np.float32)
    head[0, 0] = slope
    weights["head.weight"], weights["head.bias"] = head, np.array([offset], np.float32)
    return {f"classifier.{name}": value for name, value in weights.items()}


def tiny_bundle(folder: Path, *, slope: float = 1.0, offset: float = 0.0, **changes: Any) -> Bundle:
    """Write a bundle whose raw value is slope * mean + offset of the pixels as 0..1."""
    return write_bundle(folder, tiny_spec(**changes), mean_weights(slope, offset), "# Tiny\n", {"n": {}})


def flat_view(laterality: str | None, view: str | None, level: float, **changes: Any) -> ArrayView:
    """Return a 64x64 view of one grey level, `level` * 65535 rounded."""
    uid = str(changes.pop("uid", f"{laterality}{view}"))
    pixels = np.full((64, 64), round(level * 65535), np.uint16)
    facts = {"laterality": laterality, "view": view, "source": "phantom", "intent": "presentation", **changes}
    return ArrayView(uid, facts.pop("pixels", pixels), **facts)


def rewrite(folder: Path, change: Callable[[dict[str, Any]], None], *, reseal: bool = False) -> None:
    """Change bundle.json in place; with `reseal` list the files as they are now."""
    path = folder / BUNDLE_FILE
    content = json.loads(path.read_text())
    if reseal:
        content["files"] = seal(folder)
    change(content)
    path.write_text(json.dumps(content))

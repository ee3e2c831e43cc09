"""What of a recipe may still be set at export: nothing that the weights were trained with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainer.errors import TrainerError
from trainer.recipe import Recipe, changed, resolve

_MIRRORED = "networks.detector.config.mirrored"
_ALLOWED = {
    "mirrored": _MIRRORED,
    "version": "version",
    "specificity": "specificity",
    "false_boxes": "false_boxes",
    "detection.score_threshold": "detection.score_threshold",
    "detection.nms_iou": "detection.nms_iou",
    "detection.max_per_view": "detection.max_per_view",
}
"""The key as it may be written, and where it stands in a recipe."""


def recipe_afterwards(content: Mapping[str, Any], changes: Sequence[str], where: str) -> Recipe:
    """Return a run's recipe with ``key=value`` changes made after its training.

    Parameters
    ----------
    content
        The recipe as the run wrote it down.
    where
        The run's folder, for the sentences.

    Raises
    ------
    TrainerError, BundleError
        A key that decides how weights are trained, or that is unknown; a wrong value.
    """
    places = []
    for change in changes:
        key, equals, value = change.partition("=")
        key = key.strip()
        if key not in _ALLOWED:
            raise TrainerError(f"--set {change}: at export only {', '.join(_ALLOWED)} may be set")
        architecture = content["networks"].get("detector", {}).get("architecture")
        if _ALLOWED[key] == _MIRRORED and architecture != "fcos-detector":
            raise TrainerError(f"--set {change}: {content['name']} has no fcos-detector to be mirrored")
        places.append(f"{_ALLOWED[key]}{equals}{value}")
    return resolve(changed(content, places), where)

"""Bundles as the audit knows them; the audit itself never sees the model zoo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.audit.cases import AuditModel
from app.core.errors import MammoviewError
from app.services.inference import catalogue
from app.services.inference.process import bundle_digest
from model_zoo.bundle import Bundle
from model_zoo.errors import ModelError


def audit_model(bundle: Bundle) -> AuditModel:
    """Return what an audit needs to know of a bundle.

    Its positive labels are those that it was measured by (``target`` in metrics.json).
    """
    spec = bundle.spec
    target: Mapping[str, Any] = bundle.metrics.get("target", {})
    point = spec.operating_points[0] if spec.operating_points else None
    boxes = target.get("findings", {})
    labels = [str(label) for own in boxes.values() for label in own] if isinstance(boxes, Mapping) else []
    positive = target.get("positive", ())
    classes = spec.outputs.classes
    seen = bundle.metrics.get("trained_on_patients", ())
    return AuditModel(
        name=spec.name,
        version=spec.model_version,
        digest=bundle_digest(bundle.folder),
        score_of=spec.outputs.score.of,
        calibrated=spec.outputs.score.calibrated,
        prevalence=spec.outputs.score.prevalence,
        positive=tuple(str(label) for label in positive) if isinstance(positive, list) else (),
        threshold=point.threshold if point else None,
        threshold_means=point.meaning if point else "",
        threshold_unit=spec.outputs.score.unit,
        boxes_from=spec.detection.score_threshold if "detector" in spec.networks else None,
        finds=tuple(labels),
        classes_of=classes.of if classes is not None else "",
        classes_calibrated=classes is not None and classes.temperature is not None,
        has_seen=frozenset(str(mark) for mark in seen) if isinstance(seen, list) else frozenset(),
    )


def chosen(names: Sequence[str]) -> tuple[tuple[AuditModel, Path], ...]:
    """Return the models of these names (or folders), each with its bundle's folder.

    Raises
    ------
    MammoviewError
        There is no such bundle (any more), it is refused, or it looks at no images; one sentence.
    """
    try:
        bundles = [catalogue.get(name) for name in dict.fromkeys(names)]
        for bundle in bundles:
            bundle.need_images()
    except ModelError as error:
        raise MammoviewError(str(error)) from error
    return tuple((audit_model(bundle), bundle.folder) for bundle in bundles)


def need_unchanged(model: AuditModel, folder: Path) -> None:
    """Refuse a bundle that is gone, or was put there anew since it was chosen: its answers are another's.

    Raises
    ------
    MammoviewError
        One sentence.
    """
    found = bundle_digest(folder)
    if not found:
        raise MammoviewError(f"{folder}: the model {model.name} is gone; what it answered before stays")
    if found != model.digest:
        raise MammoviewError(f"{folder}: another version of {model.name} was put there; open the audit again")


def described(model: AuditModel) -> AuditModel:
    """Return a prediction file's model with what its bundle says, where that version is installed."""
    try:
        known = audit_model(catalogue.get(model.name))
    except (ModelError, OSError):
        return model
    return known if known.version == model.version else model

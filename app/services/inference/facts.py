"""What the panel always says about a model, from its bundle."""

from __future__ import annotations

from app.core.reading.findings import ModelFacts
from model_zoo.bundle import Bundle


def facts_of(bundle: Bundle) -> ModelFacts:
    """Return a bundle's facts in the workstation's words."""
    spec = bundle.spec
    score = spec.outputs.score
    point = spec.operating_points[0] if spec.operating_points else None
    return ModelFacts(
        name=spec.name,
        version=spec.model_version,
        task=spec.task,
        score_of=score.of,
        calibrated=score.calibrated,
        prevalence=score.prevalence,
        operating_point=(point.threshold, point.meaning) if point else None,
        negatives=spec.negatives,
        trained_on=spec.domain.trained_on,
        licence=spec.licence.name,
        use=spec.licence.use,
        unit=score.unit,
    )

"""What the panel always says about a model, from its bundle."""

from __future__ import annotations

from app.core.reading.findings import MapFacts, ModelFacts
from model_zoo.bundle import Bundle
from model_zoo.errors import BundleError
from model_zoo.verdicts import read_verdicts


def facts_of(bundle: Bundle) -> ModelFacts:
    """Return a bundle's facts in the workstation's words."""
    spec = bundle.spec
    score = spec.outputs.score
    classes = spec.outputs.classes
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
        classes_of=classes.of if classes is not None else "",
        classes_calibrated=classes is not None and classes.temperature is not None,
        maps=map_facts(bundle),
    )


def map_facts(bundle: Bundle) -> tuple[MapFacts, ...]:
    """Return what a bundle says of its tested heat maps; a metrics.json that is gone says nothing."""
    try:
        found = read_verdicts(bundle.metrics)
    except BundleError:
        return ()
    return tuple(MapFacts(one.method, one.verdict, one.line) for one in found if one.verdict != "not tested")

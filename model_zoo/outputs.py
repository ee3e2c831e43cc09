"""The ``outputs`` block of bundle.json: what a model's numbers are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

from model_zoo.fields import Fields

Unit = Literal["image", "breast", "patient", "lesion"]


@dataclass(frozen=True, slots=True)
class Score:
    """What the view's score is: of what, at which prevalence, calibrated or not, per which unit."""

    of: str
    prevalence: float | None
    calibrated: bool
    unit: Unit = "image"


@dataclass(frozen=True, slots=True)
class Outputs:
    """The ``outputs`` block: the score, and the labels of findings in the order of the detector's classes."""

    score: Score
    findings: tuple[str, ...] = ()
    findings_calibrated: bool = False


def read_outputs(fields: Fields, task: str) -> Outputs:
    """Return the block read from JSON; `BundleError` names a wrong field."""
    item = fields.fields("score")
    score = Score(
        item.text("of"),
        item.maybe("prevalence", lambda name: item.number(name, low=0.0, high=1.0)),
        item.flag("calibrated"),
        cast(Unit, item.choice("unit", get_args(Unit), "image")),
    )
    if score.prevalence is None and (score.calibrated or task == "descriptors"):
        raise item.error("prevalence", "is needed where the score is calibrated")
    if task == "descriptors" and not 0 < (score.prevalence or 0) < 1:
        raise item.error("prevalence", "must lie between 0 and 1")
    item.finish()
    findings = fields.texts("findings", ())
    if bool(findings) != ("detection" in task):
        raise fields.error("findings", "must name the detector's labels, and only a detector's")
    outputs = Outputs(score, findings, fields.flag("findings_calibrated", False))
    fields.finish()
    return outputs

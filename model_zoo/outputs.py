"""The ``outputs`` block of bundle.json: what a model's numbers are of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

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
class ClassOutputs:
    """What the classifier's outputs 1, 2, ... tell apart, beside its score.

    Attributes
    ----------
    of
        What the classes are of: ``density``.
    names
        In the order of the outputs.
    exclusive
        One class at a time, or several at once.
    temperature
        By which logits are divided before they become chances; None: not calibrated.
    """

    of: str
    names: tuple[str, ...]
    exclusive: bool = True
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """The ``outputs`` block: the score, the labels of findings in the order of the detector's classes.

    `classes` are the classifier's further outputs, or None.
    """

    score: Score
    findings: tuple[str, ...] = ()
    findings_calibrated: bool = False
    classes: ClassOutputs | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_outputs` takes it; without ``classes`` where there are none."""
        block = asdict(self)
        if self.classes is None:
            del block["classes"]
        return block


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
    classes = _classes(fields.fields("classes")) if "classes" in fields else None
    if classes is not None and "classification" not in task:
        raise fields.error("classes", "needs a classifier")
    outputs = Outputs(score, findings, fields.flag("findings_calibrated", False), classes)
    fields.finish()
    return outputs


def _classes(fields: Fields) -> ClassOutputs:
    block = ClassOutputs(
        fields.text("of"),
        fields.texts("names"),
        fields.flag("exclusive", True),
        fields.maybe("temperature", lambda name: fields.number(name, low=1e-3, high=1e3)),
    )
    fields.finish()
    if len(block.names) < 2:
        raise fields.error("names", "must name at least two classes")
    return block

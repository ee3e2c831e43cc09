"""The ``aggregation`` block of bundle.json: from raw values to the scores of view, breast and exam."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

from model_zoo.calibration import Calibration
from model_zoo.fields import Fields

ViewScore = Literal["classifier", "detector-max", "detector-noisy-or"]
Pooling = Literal["mean", "max", "noisy-or"]
Space = Literal["logit", "probability"]
ClassPooling = Literal["own", "both-breasts"]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """From raw values to the scores of view, breast and exam.

    Attributes
    ----------
    view
        Where the view's raw value comes from: the classifier's logit, the detector's best box, or
        1 - product(1 - box score).
    space
        Whether the raw value is a logit or a probability; bilateral subtraction and calibration
        take place there.
    bilateral
        Share of the other breast's mean raw value (same view) that is subtracted; 0: none.
    breast, exam
        How views make a breast and breasts an exam.
    classes
        A view's chances of the further classes: its ``own``, or of ``both-breasts`` the mean of its own
        and those of the other breast's same view, where that is there.
    """

    view: ViewScore
    space: Space
    bilateral: float = 0.0
    breast: Pooling = "mean"
    exam: Pooling = "max"
    classes: ClassPooling = "own"

    def to_json(self) -> dict[str, Any]:
        """Return the block as bundle.json has it; `classes` only where it says something."""
        block = asdict(self)
        if self.classes == "own":
            del block["classes"]
        return block


def read_aggregation(fields: Fields, roles: Collection[str], calibration: Calibration) -> Aggregation:
    """Return the block read from JSON; `BundleError` names a wrong field.

    Parameters
    ----------
    roles
        Of the networks that the bundle has.
    """
    poolings = ("mean", "max", "noisy-or")
    view = cast(ViewScore, fields.choice("view", ("classifier", "detector-max", "detector-noisy-or")))
    if view.split("-")[0] not in roles:
        raise fields.error("view", f"names {view}, but the bundle has no {view.split('-')[0]}")
    block = Aggregation(
        view,
        cast(Space, fields.choice("space", ("logit", "probability"), "logit")),
        fields.number("bilateral", 0.0, low=0.0, high=1.0),
        cast(Pooling, fields.choice("breast", poolings, "mean")),
        cast(Pooling, fields.choice("exam", poolings, "max")),
        cast(ClassPooling, fields.choice("classes", ("own", "both-breasts"), "own")),
    )
    if block.space == "probability" and calibration.method == "temperature":
        raise fields.error("space", "must be logit where the calibration is a temperature")
    if block.space == "probability" and block.bilateral and calibration.method == "none":
        raise fields.error("bilateral", "needs a calibration where the space is probability")
    fields.finish()
    return block

"""A model's answers in the workstation's own words.

``app.services.inference`` translates the model zoo's prediction into these once; panels and
overlays know nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

LookState = Literal[
    "not run",
    "running",
    "no findings",
    "answered",
    "findings",
    "partly failed",
    "failed",
    "declined",
    "outside its training domain",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place proposed by a model.

    `box` is (row0, col0, row1, col1) in stored pixels, edges at pixel corners, half-open.
    """

    label: str
    score: float
    calibrated: bool
    frame: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """A heat map on its native grid; `affine` (2x3) takes (row, col, 1) of cells to stored pixel centres."""

    values: npt.NDArray[np.float32]
    affine: npt.NDArray[np.float64]
    method: str


@dataclass(frozen=True, slots=True)
class ViewLook:
    """What one model said about one image, found by its key (path, SOP instance UID)."""

    key: tuple[str, str]
    label: str
    status: Literal["scored", "declined", "failed"]
    reason: str = ""
    score: float | None = None
    findings: tuple[Finding, ...] = ()
    evidence: Evidence | None = None
    notes: tuple[str, ...] = ()
    in_domain: bool = True


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What was measured of a model's heat maps of one method, as its bundle tells (docs/explanations.md).

    Attributes
    ----------
    method
        As `Evidence.method`.
    verdict
        ``failed``: hidden until asked for. ``incomplete``: nothing failed, not all could be measured.
    line
        For the reader, without a full stop.
    """

    method: str
    verdict: Literal["passed", "failed", "incomplete"]
    line: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the panel always says about a model, taken from its bundle.

    Attributes
    ----------
    score_of
        What the score is of, for example "a lesion in this image".
    prevalence
        Of the data at which it was calibrated or measured, 0..1, or None.
    operating_point
        Threshold on the score and what it means, or None.
    negatives
        Scores of negatives of the evaluation set at evenly spaced quantiles, to state a percentile
        of a score of the same `unit`; may be empty.
    trained_on
        One sentence.
    unit
        What one score of `negatives` and `operating_point` is of: ``image``, ``breast``, ``patient``.
    classes_of, classes_calibrated
        What its further classes tell apart (``density``), or empty; whether their chances are calibrated.
    maps
        Its heat maps that were tested, by method.
    """

    name: str
    version: str
    task: str
    score_of: str
    calibrated: bool
    prevalence: float | None
    operating_point: tuple[float, str] | None
    negatives: tuple[float, ...]
    trained_on: str
    licence: str
    use: str
    unit: str = "image"
    classes_of: str = ""
    classes_calibrated: bool = False
    maps: tuple[MapFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class SecondLook:
    """One model's look at one study; `state` is the one word the panel shows."""

    study_key: str
    model: ModelFacts
    state: LookState
    views: tuple[ViewLook, ...] = ()
    breasts: tuple[tuple[str, float | None], ...] = ()
    exam_score: float | None = None
    remarks: tuple[str, ...] = ()
    device: str = "cpu"
    progress: tuple[int, int] = (0, 0)
    breast_classes: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    """By breast, the chances of the model's further classes, the likeliest first; empty without any."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All places proposed, view by view."""
        return tuple(finding for view in self.views for finding in view.findings)

    @property
    def above(self) -> bool | None:
        """True when a score reaches the operating point; None without one, or without a score to compare."""
        if self.model.operating_point is None:
            return None
        scores = {
            "breast": [score for _, score in self.breasts],
            "patient": [self.exam_score],
        }.get(self.model.unit, [view.score for view in self.views if view.status == "scored"])
        known = [score for score in scores if score is not None]
        return max(known) >= self.model.operating_point[0] if known else None

"""What the reader marks on an image: immutable, in (row, col) of stored pixels, pixel centres at integers.

An annotation says nothing in millimetres: lengths, areas and grey values are derived from its points and
the image each time they are shown (`app.core.reading.measure`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from app.core.imaging.geometry import Box

Point = tuple[float, float]

Kind = Literal["length", "angle", "rectangle", "ellipse", "polygon", "arrow", "text", "nipple", "finding"]

Decision = Literal["accepted", "corrected", "rejected"]

POINTS: Final[dict[Kind, tuple[int, int | None]]] = {
    "length": (2, 2),
    "angle": (3, 3),
    "rectangle": (2, 2),
    "ellipse": (2, 2),
    "polygon": (3, None),
    "arrow": (2, 2),
    "text": (1, 1),
    "nipple": (1, 1),
    "finding": (2, 2),
}
"""Fewest and most points of each kind.

``length``: its ends; ``angle``: end, vertex, end; ``rectangle``, ``ellipse``, ``finding``: two opposite
corners of the upright box around it; ``polygon``: its corners in order; ``arrow``: tail, tip.
"""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A model's finding as it was proposed, kept with the annotation that the reader made of it.

    Attributes
    ----------
    model, version
        The bundle's name and version.
    label, score, calibrated, box
        As in `app.core.reading.findings.Finding`; box (row0, col0, row1, col1) in stored pixels, edges at
        pixel corners.
    """

    model: str
    version: str
    label: str
    score: float
    calibrated: bool
    box: Box


@dataclass(frozen=True, slots=True)
class Annotation:
    """One mark on one frame of one image.

    Attributes
    ----------
    uid
        Unique for good.
    image
        SOP Instance UID of the image.
    frame
        0-based.
    points
        (row, col) of stored pixels; how many and which: `POINTS`.
    text
        The reader's words, or what a finding is.
    proposal, decision
        Where it answers a model's finding: what was proposed, and what the reader made of it.
    reader, made
        Who, and when (ISO 8601, UTC, seconds).

    Raises
    ------
    ValueError
        For an unknown kind, a wrong number of points, or one that is not finite.
    """

    uid: str
    image: str
    frame: int
    kind: Kind
    points: tuple[Point, ...]
    text: str = ""
    proposal: Proposal | None = None
    decision: Decision | None = None
    reader: str = ""
    made: str = ""

    def __post_init__(self) -> None:
        if self.kind not in POINTS:
            raise ValueError(f"{self.kind!r} is no kind of annotation")
        fewest, most = POINTS[self.kind]
        if len(self.points) < fewest or (most is not None and len(self.points) > most):
            raise ValueError(f"a {self.kind} does not have {len(self.points)} points")
        if not all(abs(value) < float("inf") for point in self.points for value in point):
            raise ValueError(f"a {self.kind} has a point that is not finite")

    @property
    def box(self) -> Box:
        """The upright box around all points, as edges: (row0, col0, row1, col1) at pixel corners."""
        rows, columns = zip(*self.points, strict=True)
        return (min(rows) + 0.5, min(columns) + 0.5, max(rows) + 0.5, max(columns) + 0.5)


def new_annotation(
    kind: Kind,
    image: str,
    frame: int,
    points: tuple[Point, ...],
    *,
    text: str = "",
    reader: str = "",
    proposal: Proposal | None = None,
    decision: Decision | None = None,
) -> Annotation:
    """Return an annotation made now, with an identity of its own; see `Annotation`."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return Annotation(uuid.uuid4().hex, image, frame, kind, points, text, proposal, decision, reader, made)


def corners(box: Box) -> tuple[Point, Point]:
    """Return the two points of a ``finding`` or ``rectangle`` for a box with edges at pixel corners."""
    return ((box[0] - 0.5, box[1] - 0.5), (box[2] - 0.5, box[3] - 0.5))

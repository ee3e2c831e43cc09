"""What a model sees and what it answers: plain frozen data, numpy only.

`MammogramView` is met by an adapter in ``app.services.inference`` and by one in the trainer,
without either importing the other.
"""

# ruff: noqa: D102 -- the Protocol's properties are described in its class docstring.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from model_zoo.errors import ViewError

ViewStatus = Literal["scored", "declined", "failed"]
ExamStatus = Literal["complete", "partial", "declined", "failed"]
Report = Callable[[int, int], None]
"""``report(done, total)`` of views; may raise `model_zoo.errors.Cancelled` (or the caller's own)."""


class MammogramView(Protocol):
    """One mammogram as a model sees it.

    Attributes
    ----------
    uid
        SOP instance UID (or the manifest's image_id).
    pixels
        uint16, shape (rows, columns), P-values 0..65535 after the file's first VOI; higher =
        denser (brighter) whatever the photometric; *stored* orientation.
    padding
        bool mask of the same shape, True where padding; or None.
    orientation
        (row direction, column direction) letters of Patient Orientation, or None.
    laterality, view
        ``L``/``R``/None; ``CC``, ``MLO``, ... or None.
    spacing_mm
        (row, column) in millimetres, or None; `spacing_basis` says where it holds.
    intent
        ``presentation``, ``processing`` or None.
    source
        ``ffdm``, ``film``, ``synthetic2d``, ``dbt``, ``phantom`` or ``unknown``.
    bits_stored, frame, implant
        Bits of the stored values; 0-based frame; Breast Implant Present.
    """

    @property
    def uid(self) -> str: ...
    @property
    def pixels(self) -> npt.NDArray[np.uint16]: ...
    @property
    def padding(self) -> npt.NDArray[np.bool_] | None: ...
    @property
    def orientation(self) -> tuple[str, str] | None: ...
    @property
    def laterality(self) -> str | None: ...
    @property
    def view(self) -> str | None: ...
    @property
    def spacing_mm(self) -> tuple[float, float] | None: ...
    @property
    def spacing_basis(self) -> str | None: ...
    @property
    def intent(self) -> str | None: ...
    @property
    def source(self) -> str: ...
    @property
    def bits_stored(self) -> int: ...
    @property
    def frame(self) -> int: ...
    @property
    def implant(self) -> bool: ...


@dataclass(frozen=True, slots=True, eq=False)
class ArrayView:
    """A `MammogramView` made of plain values; what the adapters of app and trainer build."""

    uid: str
    pixels: npt.NDArray[np.uint16]
    padding: npt.NDArray[np.bool_] | None = None
    orientation: tuple[str, str] | None = None
    laterality: str | None = None
    view: str | None = None
    spacing_mm: tuple[float, float] | None = None
    spacing_basis: str | None = None
    intent: str | None = None
    source: str = "unknown"
    bits_stored: int = 16
    frame: int = 0
    implant: bool = False


@dataclass(frozen=True, slots=True)
class UnreadableView:
    """A `MammogramView` whose pixels could not be read: it is answered as ``failed`` with `reason`.

    It takes part in an exam so that a required view that failed is not taken for one that is
    missing, and no breast or exam is scored as if the view were not there.
    """

    uid: str
    reason: str
    laterality: str | None = None
    view: str | None = None
    source: str = "unknown"
    intent: str | None = None
    frame: int = 0
    implant: bool = False
    orientation: tuple[str, str] | None = None
    spacing_mm: tuple[float, float] | None = None
    spacing_basis: str | None = None
    bits_stored: int = 16

    @property
    def pixels(self) -> npt.NDArray[np.uint16]:
        """Raise `ViewError` with the reason."""
        raise ViewError(self.reason)

    @property
    def padding(self) -> npt.NDArray[np.bool_] | None:
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class BoxFinding:
    """A place a detector points at.

    Attributes
    ----------
    label
        Class name from the bundle, for example ``mass``.
    score
        0..1; `calibrated` says whether it may be read as a probability at the bundle's prevalence.
    frame
        0-based frame.
    box
        (row0, col0, row1, col1), continuous, edges at pixel corners (pixel (r, c) covers
        [r, r+1) x [c, c+1)), half-open, *stored* orientation, clipped to the image.
    """

    label: str
    score: float
    calibrated: bool
    frame: int
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Model evidence on its native grid: not a lesion outline.

    Attributes
    ----------
    values
        float32 (h, w), signed: positive speaks for the output, negative against.
    affine
        2x3 float64 that takes (row, col, 1) of native cell centres to (row, col) of stored pixel centres.
    method
        ``hirescam``, ``gradcam``, ``signed`` or ``detector``.
    """

    values: npt.NDArray[np.float32]
    affine: npt.NDArray[np.float64]
    method: str


@dataclass(frozen=True, slots=True)
class ViewPrediction:
    """What one bundle says about one view.

    Score, findings and heat map are empty unless ``scored``; the one exception is a view outside
    the training domain, which is ``declined`` with `in_domain` False and has a heat map where one
    was asked for.
    """

    uid: str
    laterality: str | None
    view: str | None
    status: ViewStatus
    reason: str | None = None
    score: float | None = None
    findings: tuple[BoxFinding, ...] = ()
    heatmap: HeatMap | None = None
    notes: tuple[str, ...] = ()
    in_domain: bool = True
    """False: outside the training domain; the view is then ``declined`` and has no score."""
    classes: dict[str, float] = field(default_factory=dict)
    """Chances of the bundle's further classes, by name; empty where it has none."""


@dataclass(frozen=True, slots=True)
class ExamPrediction:
    """What one bundle says about one exam.

    Attributes
    ----------
    breasts
        Score of each breast by ``L`` and ``R``; None unless every required view is scored.
    exam_score
        None unless every required view is scored.
    suitability
        Sentences on what the bundle was not made for, as found in this exam.
    device
        Where it ran: ``cpu`` or ``cuda``; a note of the fall-back is in `suitability`.
    breast_classes, exam_classes
        Chances of the bundle's further classes, the mean of the views' and of the breasts'; empty where it
        has none, or where the breast or the exam has no score.
    """

    model: str
    version: str
    status: ExamStatus
    breasts: dict[str, float | None] = field(default_factory=lambda: {"L": None, "R": None})
    exam_score: float | None = None
    suitability: tuple[str, ...] = ()
    views: tuple[ViewPrediction, ...] = ()
    device: str = "cpu"
    breast_classes: dict[str, dict[str, float]] = field(default_factory=lambda: {"L": {}, "R": {}})
    exam_classes: dict[str, float] = field(default_factory=dict)

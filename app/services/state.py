"""The reader's intent as frozen data: what widgets draw.

One mutable object, `app.services.session.Session`, holds these and emits the new value when one
changes. Coordinates are (row, col) of stored pixels, pixel centres at integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from app.core.imaging.image import Image, Study

Sizing = Literal["same", "fit", "true", "actual", "free"]
"""``same``: one mm scale for all panes, the largest breast fits; ``true``: one mm of the breast is one mm
of the screen; ``actual``: one image pixel per device pixel; ``free``: the reader zoomed."""

Base = Literal["same", "fit", "true", "actual"]
"""What the zoom of ``free`` is relative to: the sizing in which the reader began to zoom."""

Corner = Literal["short", "full", "off"]

Tool = Literal[
    "window",
    "pan",
    "zoom",
    "magnifier",
    "length",
    "angle",
    "rectangle",
    "ellipse",
    "polygon",
    "arrow",
    "text",
    "nipple",
]
"""What the left mouse button does."""


@dataclass(frozen=True, slots=True)
class WindowState:
    """Which VOI alternative, and how far the reader moved from it.

    Relative to the alternative itself, so that linked panes of different vendors move together
    and a LUT or sigmoid keeps its shape (see `app.core.imaging.greyscale`).

    Attributes
    ----------
    voi
        0-based index into the image's alternatives.
    shift
        Added to the centre, in units of the alternative's own width.
    stretch
        Factor on the width, > 0.
    """

    voi: int = 0
    shift: float = 0.0
    stretch: float = 1.0


@dataclass(frozen=True, slots=True)
class ViewportState:
    """How one pane shows its image.

    Attributes
    ----------
    zoom
        Factor on the scale that `sizing` gives; 1.0 unless ``free`` (then relative to ``same``).
    base
        What `zoom` is relative to while `sizing` is ``free``.
    pan
        (rows, columns) in millimetres (pixels where there is no spacing) by which the *hung* image
        is moved: positive is down and right before the reader's flips; (0, 0) is justified to the
        chest wall.
    focus
        (row, col) of *stored* pixels held at the pane's centre (`pan` moves on from there), or None:
        justified. Set by a jump to a finding.
    flip_h, flip_v, invert
        What the reader did on top of the canonical hang; shown as a badge. Flips mirror the whole
        view about the pane's centre, so that the chest wall moves to the other edge.
    """

    image: Image | None = None
    frame: int = 0
    window: WindowState = field(default_factory=WindowState)
    sizing: Sizing = "same"
    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    invert: bool = False
    flip_h: bool = False
    flip_v: bool = False
    base: Base = "same"
    focus: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class PaneState:
    """One pane of the layout on screen.

    Attributes
    ----------
    row, column
        Place in the grid.
    wants
        What the protocol asks for, as words: ``RCC``, ``prior LMLO``.
    candidates
        All images that fit, best first; `shown` is the index of the one in `viewport`.
    justify
        Edge the chest wall touches: ``left``, ``right`` or ``none``.
    top
        True when the image is justified to the top too (MLO).
    guests
        How many of the last candidates the reader put here; no protocol asked for them.
    prior
        Age of a prior as text, ``PRIOR, -24 months``; else empty.
    """

    row: int
    column: int
    wants: str
    candidates: tuple[Image, ...] = ()
    shown: int = 0
    viewport: ViewportState = field(default_factory=ViewportState)
    justify: Literal["left", "right", "none"] = "none"
    top: bool = False
    guests: int = 0
    prior: str = ""

    @property
    def has_guest(self) -> bool:
        """True while the image shown is one that the reader put here."""
        return bool(self.guests) and self.shown >= len(self.candidates) - self.guests


@dataclass(frozen=True, slots=True)
class ScreenState:
    """One screenful: the layout with the images found.

    Attributes
    ----------
    generation
        Grows with every new study, stage or protocol; late answers carry the old one and are dropped.
    stage, stages
        0-based place among the stages that find something for this study, and how many these are.
    number
        0-based place of the stage among all of its protocol.
    stage_titles
        Of the stages that find something.
    sizing
        How large images are hung in this stage.
    tray
        Images of the study that no pane of any stage took, then those of the priors that panes show.
    single
        Index of the pane that fills the grid (double click), or None.
    walk
        True where the stage asks that every pixel is looked at.
    """

    generation: int = 0
    study: Study | None = None
    protocol: str = ""
    protocol_title: str = ""
    stage: int = 0
    stages: int = 1
    stage_title: str = ""
    rows: int = 1
    columns: int = 1
    panes: tuple[PaneState, ...] = ()
    active: int = 0
    tray: tuple[Image, ...] = ()
    single: int | None = None
    number: int = 0
    stage_titles: tuple[str, ...] = ()
    sizing: Literal["same", "fit", "actual"] = "same"
    walk: bool = False


@dataclass(frozen=True, slots=True)
class OverlayState:
    """What is drawn above the pixels.

    Attributes
    ----------
    map_of
        The model whose heat maps the reader asked for in this study; empty: `app.services.maps.owner`.
    opacity, threshold
        Of the heat map, 0..1; threshold on the map normalised to its own maximum.
    score_threshold
        Boxes below this score are not drawn.
    marks
        The reader's marks.
    pointer
        The linked cursor: what the mouse points at is shown in the other panes.
    """

    corner: Corner = "short"
    boxes: bool = True
    heatmap: bool = False
    map_of: str = ""
    opacity: float = 0.5
    threshold: float = 0.3
    score_threshold: float = 0.0
    truth: bool = False
    marks: bool = True
    pointer: bool = False

"""What one pane shows, as frozen data: overlays paint it, nothing in it changes.

Device pixels of a pane are (row, col), pixel centres at integers; Qt's (x, y) in logical pixels is
``((col + 0.5) / ratio, (row + 0.5) / ratio)``. The one affine ``stored_to_device`` carries the pixels
and everything drawn above them.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from app.core.hanging.correspond import Arc, Cross
from app.core.imaging.geometry import Affine, Box
from app.core.imaging.image import Image
from app.core.reading.coverage import Coverage
from app.core.reading.findings import Evidence, Finding, ViewLook
from app.services.frames import FramePixels
from app.services.state import OverlayState, PaneState
from app.ui.marks import Mark

MARGIN = 12
"""Logical pixels between text and the edge of the pane."""
FOOT = 28
"""Logical pixels at the bottom of the free side that the scale bar takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """One pane ready to be painted.

    Attributes
    ----------
    size
        (rows, columns) of the pane in device pixels.
    ratio
        Device pixels per logical pixel.
    affine
        Stored pixel centres of the full resolution -> device pixel centres; None without an image.
    failed
        The sentence of a frame that could not be read, else empty.
    looks
        What each model said about this image.
    evidence
        The heat map to draw, or None.
    lens
        Where the magnifier is, (row, col) in device pixels, or None.
    truth
        Known boxes of a synthetic exam, in stored pixels.
    shown
        The finding box the reader jumped to, or None.
    colours
        Name of the heat map's ramp.
    active
        True for the pane that keys act on, where there is more than one.
    px_per_mm
        The scale that all panes share, in device pixels.
    marks
        The reader's marks on this frame.
    draft
        The mark being drawn or dragged; it stands in the place of the one of the same identity.
    answered
        Findings that the reader accepted, corrected or rejected: drawn as marks.
    screen
        How the pixel size of the screen is known, for an image of true size; else empty.
    research
        True where "research use only" is to stand in the image because no bar says it.
    key_image
        True where the frame goes with the report.
    masked
        True where no name may be shown.
    coverage
        What was seen of the frame, while it is at actual pixels; else None.
    pointer
        Where the place pointed at in another pane is to be looked for here, or None.
    """

    pane: PaneState
    overlay: OverlayState
    size: tuple[int, int] = (0, 0)
    ratio: float = 1.0
    frame: FramePixels | None = None
    affine: Affine | None = None
    failed: str = ""
    looks: tuple[ViewLook, ...] = ()
    evidence: Evidence | None = None
    lens: tuple[float, float] | None = None
    truth: tuple[Box, ...] = ()
    shown: Box | None = None
    colours: str = "inferno"
    active: bool = False
    px_per_mm: float = 1.0
    research: bool = False
    screen: str = ""
    marks: tuple[Mark, ...] = ()
    draft: Mark | None = None
    answered: frozenset[Finding] = frozenset()
    key_image: bool = False
    masked: bool = False
    coverage: Coverage | None = None
    pointer: Cross | Arc | None = None

    def same_as(self, other: Scene) -> bool:
        """Return whether `other` looks the same; pixels are compared by identity."""
        return self.frame is other.frame and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__ if name != "frame"
        )

    @property
    def image(self) -> Image | None:
        """The image with what the pixels told, else its header facts."""
        return self.frame.image if self.frame is not None else self.pane.viewport.image

    @property
    def free_left(self) -> bool:
        """True when text belongs on the left: away from the chest wall as it stands on screen."""
        wall_right = self.pane.justify == "right"
        if self.pane.justify == "none":
            return True
        return wall_right != self.pane.viewport.flip_h

    @property
    def bounds(self) -> QRectF:
        """The pane in logical pixels."""
        return QRectF(0, 0, self.size[1] / self.ratio, self.size[0] / self.ratio)

    def to_qt(self, row: float, col: float) -> QPointF:
        """Return the logical Qt point of a device pixel centre."""
        return QPointF((col + 0.5) / self.ratio, (row + 0.5) / self.ratio)

    def box_to_qt(self, box: Box) -> QRectF:
        """Return the logical Qt rectangle of a box in stored pixels (edges at pixel corners)."""
        assert self.affine is not None
        row0, col0, row1, col1 = self.affine.apply_box(box)
        ratio = self.ratio
        return QRectF(col0 / ratio, row0 / ratio, (col1 - col0) / ratio, (row1 - row0) / ratio)

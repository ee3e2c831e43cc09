"""Quadrant and clock face of a mark, estimated from a pair of views.

One view gives no quadrant. A cranio-caudal view tells outer from inner, a lateral view upper from lower;
an oblique tells them mixed: turned by the angle t from the vertical beam (0 cranio-caudal, 90 lateral), its
upper direction is cos t outward and sin t upward. A place that is `x` mm outward (from the CC) and `v` mm
up in the oblique is therefore (v - x cos t) / sin t above the nipple. The angle is taken as 45 degrees
for an MLO; it is 30 to 60 in truth, and compression turns the breast: what comes of it is an estimate.

The clock face is that of the breast as one faces the patient: outward is 9 o'clock in the right
breast and 3 o'clock in the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from app.core.imaging.image import Image
from app.core.reading.annotations import Point

Axis = Literal["outward", "upward"]

BEAM: Final = {"CC": 0.0, "XCCL": 0.0, "XCCM": 0.0, "MLO": 45.0, "ML": 90.0, "LM": 90.0, "LMO": 45.0}
"""Nominal angle of the view in degrees, for the views that a pair is made of."""
CENTRAL_MM: Final = 10.0
"""Nearer to the nipple's axis than this a place is central: no quadrant, no hour."""


@dataclass(frozen=True, slots=True)
class Aside:
    """How far a place lies beside the nipple's level in one view.

    Attributes
    ----------
    axis
        ``outward`` in a cranio-caudal view; ``upward`` in an oblique (with its error) or a lateral.
    value
        Millimetres (pixels where the image has no spacing); negative: inward, or downward.
    angle
        Nominal beam angle of the view in degrees.
    calibrated
        Whether `value` is in millimetres.
    """

    axis: Axis
    value: float
    angle: float
    calibrated: bool

    @property
    def half(self) -> Literal["outer", "inner", "upper", "lower"]:
        """Which half of the breast that is, the most that one view tells."""
        if self.axis == "outward":
            return "outer" if self.value >= 0 else "inner"
        return "upper" if self.value >= 0 else "lower"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Quadrant and clock face; `region` is a code as in the lexicon, `clock` 1..12 or None when central."""

    region: str
    clock: int | None


def aside(place: Point, nipple: Point, image: Image) -> Aside | None:
    """Return how far a place lies beside the nipple, or None where the image does not tell.

    Parameters
    ----------
    place, nipple
        (row, col) of stored pixels of the same image.
    image
        Completed facts: orientation, laterality and view are needed.
    """
    if image.orientation is None or image.laterality not in ("L", "R") or image.view not in BEAM:
        return None
    angle = BEAM[image.view]
    outward = angle == 0.0
    # Outward is towards the patient's own side; upward away from the feet.
    wanted, other = (image.laterality, "L" if image.laterality == "R" else "R") if outward else ("H", "F")
    steps = (place[1] - nipple[1], place[0] - nipple[0])  # along the row letters, along the column letters
    spacing = image.spacing
    scales = (spacing.col_mm, spacing.row_mm) if spacing else (1.0, 1.0)
    for letters, step, scale in zip(image.orientation, steps, scales, strict=True):
        letters = letters.upper()
        if "A" in letters or "P" in letters or (wanted in letters) == (other in letters):
            continue
        sign = 1.0 if wanted in letters else -1.0
        return Aside("outward" if outward else "upward", sign * step * scale, angle, spacing is not None)
    return None


def estimate(cranio_caudal: Aside, other: Aside, breast: Literal["R", "L"]) -> Estimate | None:
    """Return the quadrant and hour of a place seen in a pair of views, or None where that tells nothing.

    Parameters
    ----------
    cranio_caudal, other
        The same lesion in a cranio-caudal view and in an oblique or lateral of the same breast, both in mm.
    """
    is_pair = cranio_caudal.axis == "outward" and other.axis == "upward"
    if not (is_pair and cranio_caudal.calibrated and other.calibrated):
        return None
    out = cranio_caudal.value
    turn = math.radians(other.angle)
    up = (other.value - out * math.cos(turn)) / math.sin(turn)
    if math.hypot(out, up) < CENTRAL_MM:
        return Estimate("central", None)
    region = f"{'upper' if up >= 0 else 'lower'}-{'outer' if out >= 0 else 'inner'}"
    return Estimate(region, clock_face(out, up, breast))


def clock_face(outward: float, upward: float, breast: Literal["R", "L"]) -> int:
    """Return the hour, 1..12, of a direction from the nipple, facing the patient."""
    # Facing her, the outer side of her right breast is on the viewer's left.
    to_the_right = -outward if breast == "R" else outward
    hour = round(math.degrees(math.atan2(to_the_right, upward)) / 30) % 12
    return hour or 12

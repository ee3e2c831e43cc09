"""The shape of a synthetic breast, and where a point of it falls in the CC and the MLO view.

Two frames, both in millimetres:

breast
    nipple-centred: *depth* from the nipple towards the chest wall, *lateral* (away from the sternum
    positive), *superior* (towards the head positive).
view
    x from the chest-wall edge of the image towards the nipple, y downwards from the top edge of the
    image. This is the hung left breast; a right breast is its mirror image. In CC lateral is up, in MLO
    the axilla is up (the canonical hanging of ../shared/field/display.md A3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import Akima1DInterpolator

from app.core.phantom.texture import FloatArray, stream

Side = Literal["L", "R"]
ViewName = Literal["CC", "MLO"]
Density = Literal["a", "b", "c", "d"]
FIELD_MM = (233.0, 179.0)
"""Height and width of the detector's field, mm, as of a 24 x 18 cm paddle."""


@dataclass(frozen=True, slots=True)
class Position:
    """A point of the breast in nipple-centred millimetres."""

    depth: float
    lateral: float
    superior: float


@dataclass(frozen=True, slots=True)
class Gland:
    """The fibroglandular disc as an ellipse of the view frame, mm; `tilt` in radians, up positive."""

    x: float
    y: float
    half_x: float
    half_y: float
    tilt: float


@dataclass(frozen=True, slots=True, eq=False)
class ViewShape:
    """One breast in one view.

    Attributes
    ----------
    outline
        float (N, 2) closed polygon of (x, y), mm; it runs outside of the field at the chest wall.
    nipple
        (x, y) of the nipple's base on the skin, mm.
    pectoral
        Muscle edge at the top (x at y = 0) and where it leaves the chest wall (y at x = 0), mm, and its
        bulge; None in a view that shows none.
    angle
        Positioner angle of the view in degrees: 0 for CC; MLO looks along this obliquity.
    """

    side: Side
    view: ViewName
    outline: npt.NDArray[np.float64]
    nipple: tuple[float, float]
    gland: Gland
    pectoral: tuple[float, float, float] | None
    skin_mm: float
    angle: float

    def place(self, position: Position) -> tuple[float, float]:
        """Return (x, y), mm, at which a point of the breast is seen.

        Depth is kept in both views; CC shows lateral upwards, MLO superior and lateral mixed by its
        obliquity, so an upper outer point is high and a lower inner point low.
        """
        turned = np.deg2rad(self.angle)
        up = (
            position.lateral
            if self.view == "CC"
            else position.superior * np.cos(turned) + position.lateral * np.sin(turned)
        )
        return self.nipple[0] - position.depth, self.nipple[1] - float(up)


@dataclass(frozen=True, slots=True, eq=False)
class Breast:
    """One breast: its density class, how much of it is gland, and its two views."""

    side: Side
    density: Density
    amount: float
    views: tuple[ViewShape, ViewShape]


def _nipple_bump(
    outline: npt.NDArray[np.float64], nipple: tuple[float, float], height: float
) -> npt.NDArray[np.float64]:
    """Push the outline out at the nipple: a blunt knob about 9 mm wide on a faintly raised areola."""
    off = np.abs(outline[:, 1] - nipple[1])
    bump = height * np.exp(-((off / 4.4) ** 2.8)) + 1.2 * np.exp(-((off / 13) ** 2))
    moved = outline.copy()
    moved[:, 0] += bump * (outline[:, 0] > 0.8 * nipple[0])
    return moved


def _smooth_curve(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a dense smooth curve through `points`, parametrised by chord length."""
    chord = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    return np.asarray(Akima1DInterpolator(chord, points)(np.linspace(0, chord[-1], 900)))


def _cc(
    rng: np.random.Generator, depth: float, size: float
) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Return outline and nipple of a cranio-caudal view."""
    middle = FIELD_MM[0] * 0.5 + rng.uniform(-6, 8)
    lateral, medial = (
        76 + 24 * size + rng.uniform(-4, 8),
        68 + 22 * size + rng.uniform(-5, 5),
    )
    angle = np.linspace(-np.pi / 2, np.pi / 2, 900)
    up = angle < 0
    blunt = np.where(up, rng.uniform(0.8, 1.08), rng.uniform(0.7, 0.92))
    behind = rng.uniform(8, 26)
    x = (depth + behind) * np.cos(angle) ** blunt - behind
    y = middle + np.where(up, lateral, medial) * np.sign(angle) * np.abs(np.sin(angle)) ** 1.04
    wave = sum(rng.normal(0, 1.1) * np.sin(k * angle + rng.uniform(0, 6.3)) for k in (2, 3, 5))
    x = x + wave * np.cos(angle)
    tip = middle + rng.uniform(-5, 5)
    curve = np.c_[x, y]
    nipple = (float(np.interp(tip, y, x)), float(tip))
    ends = np.array([[-40, y[-1] + 14], [-40, y[0] - 14]])
    return np.r_[_nipple_bump(curve, nipple, rng.uniform(2.5, 5.5)), ends], nipple


def _mlo(
    rng: np.random.Generator, depth: float, size: float
) -> tuple[npt.NDArray[np.float64], tuple[float, float]]:
    """Return outline and nipple of a medio-lateral oblique view, with axilla and inframammary fold."""
    tip = FIELD_MM[0] * rng.uniform(0.58, 0.64) + 8 * size
    drop = min(56 + 20 * size + rng.uniform(-4, 8), 226 - tip)
    top = rng.uniform(0.58, 0.7)
    shape = [
        (top, -25.0),
        (top + 0.03, 0.0),
        (top + 0.14 + rng.uniform(-0.04, 0.04), 0.33 * tip),
        (0.9 + rng.uniform(-0.03, 0.03), 0.68 * tip),
        (0.985, 0.88 * tip),
        (1.0, tip),
        (0.955 + rng.uniform(-0.02, 0.015), tip + 0.3 * drop),
        (0.8 + rng.uniform(-0.05, 0.03), tip + 0.62 * drop),
        (0.5 + rng.uniform(-0.05, 0.05), tip + 0.87 * drop),
        (0.3, tip + 0.965 * drop),
        (0.2, tip + 1.02 * drop),
    ]
    fold = tip + 1.02 * drop
    points = [(fraction * depth, y) for fraction, y in shape]
    # Below the fold the paddle holds a band of the abdomen, which widens downwards.
    points += [(0.17 * depth, fold + 7), (0.18 * depth, fold + 16), (0.22 * depth, fold + 32)]
    points += [(0.28 * depth, fold + 60)]
    curve = _smooth_curve(np.array(points))
    nipple = (depth, tip)
    ends = np.array([[-40.0, fold + 60.0], [-40.0, -25.0]])
    return np.r_[_nipple_bump(curve, nipple, rng.uniform(2.5, 5.5)), ends], nipple


def draw_breast(seed: int, side: Side, density: Density) -> Breast:
    """Return a breast drawn by `seed`; left and right of one seed resemble each other.

    Parameters
    ----------
    seed
        Of the patient's anatomy.
    side
        L or R.
    density
        BI-RADS density class; decides how much of the disc is gland.
    """
    common, own = stream("shape", seed), stream("shape", seed, side)
    size = float(np.clip(common.beta(1.3, 1.3) + own.normal(0, 0.03), 0, 1))
    depth = 80 + 46 * size + own.uniform(-2, 2)
    skin = common.uniform(1.3, 1.9)
    oblique = float(common.uniform(42, 52))
    low, high = {"a": (-0.5, -0.2), "b": (-0.02, 0.25), "c": (0.55, 0.8), "d": (1.05, 1.3)}[density]
    amount = common.uniform(low, high) + own.normal(0, 0.03)
    views = []
    for view in ("CC", "MLO"):
        rng = stream("view", seed, side, view)
        reach = depth if view == "CC" else depth + rng.uniform(-2, 10)
        outline, nipple = (_cc if view == "CC" else _mlo)(rng, reach, size)
        gland = Gland(
            x=nipple[0] - reach * rng.uniform(0.47, 0.52),
            y=nipple[1] - (rng.uniform(2, 10) if view == "CC" else rng.uniform(10, 22)),
            half_x=reach * rng.uniform(0.45, 0.5),
            half_y=(46 + 20 * size) * rng.uniform(0.95, 1.15),
            tilt=0.0 if view == "CC" else float(rng.uniform(0.15, 0.4)),
        )
        muscle = (
            (rng.uniform(38, 58), rng.uniform(0.82, 1.06) * nipple[1], rng.uniform(0.0, 9.0))
            if view == "MLO"
            else None
        )
        views.append(
            ViewShape(
                side,
                "CC" if view == "CC" else "MLO",
                outline,
                nipple,
                gland,
                muscle,
                skin,
                0.0 if view == "CC" else oblique,
            )
        )
    return Breast(side, density, float(amount), (views[0], views[1]))


def skin_distance(shape: ViewShape, rows: int, columns: int, spacing: float) -> FloatArray:
    """Return the distance to the skin, mm, at each pixel of a grid of the view: positive inside.

    Parameters
    ----------
    shape
        The breast in this view.
    rows, columns, spacing
        Grid from the view frame's origin; mm between pixels.
    """
    fine = 16
    polygon = np.round((shape.outline / spacing - 0.5) * fine).astype(np.int32)
    inside = np.zeros((rows, columns), np.uint8)
    cv2.fillPoly(inside, [polygon.reshape(-1, 1, 2)], 1, shift=4)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    without = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    signed = cv2.GaussianBlur(within - without, (0, 0), 1.3)
    return np.asarray(signed * np.float32(spacing), dtype=np.float32)

"""Ducts and blood vessels: branching curves drawn into one layer of brightness."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.core.phantom.anatomy import FIELD_MM, ViewShape
from app.core.phantom.texture import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A thin tube: (N, 2) points (x, y) mm, its width in mm and its brightness (gland = 1)."""

    points: npt.NDArray[np.float64]
    width: float
    brightness: float


def wander(
    rng: np.random.Generator,
    start: tuple[float, float],
    heading: float,
    length: float,
    unrest: float,
    step: float = 1.5,
) -> npt.NDArray[np.float64]:
    """Return a meandering path: a walk of `step` mm whose heading changes smoothly.

    Parameters
    ----------
    start, heading
        Place (x, y), mm, and direction in radians (0 towards the nipple side, x growing).
    length, unrest
        Length in mm; standard deviation of the turn per step in radians.
    """
    count = max(3, int(length / step))
    turn = np.convolve(rng.normal(0, unrest, count + 6), np.ones(7) / 7, "valid") * 2.6
    angle = heading + np.cumsum(turn) - turn[0]
    steps = np.c_[np.cos(angle), np.sin(angle)] * step
    return np.asarray(np.r_[[start], np.asarray(start) + np.cumsum(steps, axis=0)])


def ducts(rng: np.random.Generator, shape: ViewShape) -> list[Curve]:
    """Return the ductal trees: a fan that converges at the nipple and branches behind it."""
    curves: list[Curve] = []
    nipple = (shape.nipple[0] - 2, shape.nipple[1])
    for angle in np.linspace(-0.75, 0.75, int(rng.integers(5, 9))):
        heading = np.pi + angle + rng.normal(0, 0.1)
        trunk = wander(rng, nipple, heading, rng.uniform(18, 45), 0.05)
        curves.append(Curve(trunk, rng.uniform(0.9, 1.6), rng.uniform(0.12, 0.32)))
        for _ in range(int(rng.integers(1, 4))):
            at = int(rng.integers(len(trunk) // 3, len(trunk)))
            branch = wander(rng, tuple(trunk[at]), heading + rng.normal(0, 0.55), rng.uniform(12, 34), 0.08)
            curves.append(Curve(branch, rng.uniform(0.5, 1.0), rng.uniform(0.08, 0.24)))
    return curves


def vessels(rng: np.random.Generator, shape: ViewShape) -> list[Curve]:
    """Return veins and arteries: a few long tubes through the subcutaneous fat, with side branches."""
    curves: list[Curve] = []
    reach = shape.nipple[0]
    for _ in range(int(rng.integers(3, 6))):
        high = rng.random() < 0.7
        y = shape.nipple[1] + (-1 if high else 1) * rng.uniform(18, 62 if high else 36)
        start = (rng.uniform(0, 0.25) * reach, float(np.clip(y, 4, FIELD_MM[0] - 30)))
        heading = np.arctan2(shape.nipple[1] - start[1], reach - start[0]) * rng.uniform(0.15, 0.7)
        trunk = wander(rng, start, heading, rng.uniform(0.6, 1.0) * reach, 0.045)
        width, bright = rng.uniform(1.2, 2.6), rng.uniform(0.14, 0.32)
        curves.append(Curve(trunk, width, bright))
        for _ in range(int(rng.integers(2, 5))):
            at = int(rng.integers(2, len(trunk)))
            branch = wander(
                rng,
                tuple(trunk[at]),
                heading + rng.choice([-1, 1]) * rng.uniform(0.4, 1.0),
                rng.uniform(15, 50),
                0.09,
            )
            curves.append(Curve(branch, width * rng.uniform(0.35, 0.6), bright * rng.uniform(0.6, 0.9)))
    return curves


def draw(curves: list[Curve], rows: int, columns: int, spacing: float) -> FloatArray:
    """Return the summed brightness of tubes on a grid of the view; a tube is brightest at its axis.

    Tubes are grouped by width, drawn anti-aliased and softened, because a projected cylinder has no edge.
    """
    layer = np.zeros((rows, columns), np.float32)
    for low, high in ((0.0, 0.8), (0.8, 1.5), (1.5, 9.0)):
        group = [curve for curve in curves if low <= curve.width < high]
        if not group:
            continue
        plane = np.zeros((rows, columns), np.uint8)
        for curve in group:
            points = np.round((curve.points / spacing - 0.5) * 16).astype(np.int32).reshape(-1, 1, 2)
            thick = max(1, round(0.75 * curve.width / spacing))
            own = min(1.0, 0.75 * curve.width / spacing) * curve.brightness
            cv2.polylines(plane, [points], False, round(255 * own), thick, cv2.LINE_AA, shift=4)
        width = float(np.mean([curve.width for curve in group]))
        layer += cv2.GaussianBlur(plane, (0, 0), max(0.5, 0.28 * width / spacing)).astype(np.float32)
    return layer * np.float32(1 / 255)

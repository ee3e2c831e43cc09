"""What a lesion looks like in one view: its signal and its mask, at the view's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.core.phantom import vessels
from app.core.phantom.anatomy import Position, ViewShape
from app.core.phantom.lesions import Lesion
from app.core.phantom.texture import Field, FloatArray, cloud, sigmoid, stream


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A lesion in one view.

    Attributes
    ----------
    signal
        What it adds, in units of gland, on a patch of the view's pixels.
    solid
        Share 0..1 of the tissue's own texture that it displaces with dense, even matter.
    mask
        bool, of the same shape: the pixels that belong to it.
    corner
        (row, column) of the patch's first pixel in the view frame; may be negative.
    """

    signal: FloatArray
    solid: FloatArray
    mask: npt.NDArray[np.bool_]
    corner: tuple[int, int]


def overlap(
    corner: tuple[int, int], patch: tuple[int, ...], whole: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a patch lies in an image (target) and which part of the patch that is (source)."""
    target, source = [], []
    for start, size, limit in zip(corner, patch, whole, strict=True):
        high = max(0, min(start + size, limit))
        low = min(max(start, 0), high)
        target.append(slice(low, high))
        source.append(slice(low - start, high - start))
    return (target[0], target[1]), (source[0], source[1])


def _patch(shape: ViewShape, lesion: Lesion, reach: float, spacing: float) -> tuple[Field, tuple[int, int]]:
    """Return a patch of pixels around a lesion, in mm from its centre, and its first pixel in the view."""
    x, y = shape.place(lesion.position)
    row, column = int(np.floor((y - reach) / spacing)), int(np.floor((x - reach) / spacing))
    count = int(np.ceil(2 * reach / spacing)) + 2
    steps = (np.arange(count, dtype=np.float32) + np.float32(0.5)) * np.float32(spacing)
    px, py = np.meshgrid(steps + np.float32(column * spacing - x), steps + np.float32(row * spacing - y))
    return Field(np.ascontiguousarray(px), np.ascontiguousarray(py)), (row, column)


def _blur(values: FloatArray, sigma_mm: float, spacing: float) -> FloatArray:
    """Return `values` softened by a Gaussian given in mm (nothing below a fifth of a pixel)."""
    sigma = sigma_mm / spacing
    return values if sigma < 0.2 else np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), dtype=np.float32)


def _contour(rng: np.random.Generator, own: np.random.Generator, form: str, angle: FloatArray) -> FloatArray:
    """Return the radius of a mass's outline by angle, 1 on average; `own` varies it from view to view."""
    ratio = {"round": rng.uniform(0.9, 1), "oval": rng.uniform(0.6, 0.78)}.get(form, rng.uniform(0.75, 0.95))
    turn = own.uniform(0, np.pi)
    radius = ratio / np.sqrt((ratio * np.cos(angle - turn)) ** 2 + np.sin(angle - turn) ** 2)
    radius = radius / np.sqrt(ratio)
    waves = {
        "lobulated": ((3, 0.1), (4, 0.07), (5, 0.04)),
        "irregular": ((2, 0.1), (3, 0.12), (5, 0.09), (8, 0.06), (13, 0.04)),
    }
    for k, amplitude in waves.get(form, ((3, 0.02), (5, 0.015))):
        radius = radius * (1 + amplitude * rng.uniform(0.7, 1.3) * np.cos(k * angle + own.uniform(0, 6.3)))
    return np.asarray(radius, dtype=np.float32)


def _spicules(
    rng: np.random.Generator, lesion: Lesion, reach: float, count: int, spacing: float
) -> FloatArray:
    """Return the spicules of a mass: thin straight strands that fade and taper outwards."""
    radius, curves = lesion.diameter_mm / 2, []
    for base in np.linspace(0, 2 * np.pi, int(rng.integers(22, 38)), endpoint=False):
        heading = base + rng.normal(0, 0.3)
        length = radius * float(np.clip(rng.lognormal(-0.35, 0.55), 0.25, 2.2))
        start = reach + 0.6 * radius * np.array([np.cos(heading), np.sin(heading)])
        heading += rng.normal(0, 0.18)
        path = vessels.wander(rng, (start[0], start[1]), heading, length + 0.4 * radius, 0.03, step=0.6)
        width, bright = rng.uniform(0.3, 0.95), rng.uniform(0.1, 0.42)
        pieces = np.array_split(np.arange(len(path) - 1), 6)
        for k, piece in enumerate(pieces):
            if len(piece):
                fade = 1 - k / 6.5
                curves.append(
                    vessels.Curve(path[piece[0] : piece[-1] + 2], max(0.2, width * fade), bright * fade)
                )
    return vessels.draw(curves, count, count, spacing)


def _mass(lesion: Lesion, shape: ViewShape, spacing: float) -> Drawn:
    rng, own = stream("mass", lesion.seed), stream("mass", lesion.seed, shape.view)
    radius = lesion.diameter_mm / 2
    reach = radius * (3.0 if lesion.margin == "spiculated" else 1.7) + 2
    field, corner = _patch(shape, lesion, reach, spacing)
    distance = np.hypot(field.x, field.y)
    u = distance / (radius * _contour(rng, own, lesion.form, np.arctan2(field.y, field.x)))
    rough = {"circumscribed": 0.0, "ill-defined": 0.13, "spiculated": 0.16}[lesion.margin]
    u = u + np.float32(rough) * field.look(cloud(own, 2.6, 8, 1.0))
    power, soft = {"circumscribed": (0.45, 0.22), "ill-defined": (0.9, 1.3), "spiculated": (0.8, 0.7)}[
        lesion.margin
    ]
    body = _blur(np.asarray(np.clip(1 - u * u, 0, 1) ** np.float32(power), dtype=np.float32), soft, spacing)
    mask = body > 0.3 * float(body.max())
    signal = (
        body * (1 + 0.16 * field.shifted(50, 90).look(cloud(own, 2.6, 10, 1.0))) * np.float32(lesion.contrast)
    )
    if lesion.margin == "spiculated":
        strands = _spicules(own, lesion, reach, len(body), spacing)
        signal = np.maximum(signal, 0) + _blur(strands, 0.12, spacing) * (1 - 0.8 * body)
    return Drawn(np.asarray(signal, dtype=np.float32), body * np.float32(0.38), _largest(mask), corner)


def _asymmetry(lesion: Lesion, shape: ViewShape, spacing: float) -> Drawn:
    own = stream("asymmetry", lesion.seed, shape.view)
    radius = lesion.diameter_mm / 2
    field, corner = _patch(shape, lesion, 1.9 * radius + 2, spacing)
    turn, ratio = own.uniform(0, np.pi), own.uniform(0.7, 0.95)
    along = field.x * np.float32(np.cos(turn)) + field.y * np.float32(np.sin(turn))
    across = field.y * np.float32(np.cos(turn)) - field.x * np.float32(np.sin(turn))
    u = np.hypot(along / np.float32(radius), across / np.float32(radius * ratio))
    clumps = field.look(cloud(own, 2.8, 18, 1.5))
    rim = np.clip((1.75 - u) / 0.5, 0, 1)
    body = sigmoid(np.asarray((0.78 - u + 0.24 * clumps) / 0.17, dtype=np.float32)) * rim
    texture = 0.8 + 0.2 * field.shifted(60, 20).look(cloud(own, 2.6, 9, 1.0))
    signal = np.asarray(body * np.clip(texture, 0.2, 1.5) * np.float32(lesion.contrast), dtype=np.float32)
    smooth = _blur(np.asarray(body, dtype=np.float32), 1.2, spacing)
    mask = _largest(smooth > 0.35 * float(smooth.max()))
    return Drawn(signal, np.zeros_like(signal), mask, corner)


def _largest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the largest connected part of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return mask if count < 3 else labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _specks(lesion: Lesion, calc_scale: float) -> list[tuple[Position, float, str]]:
    """Return place, size in mm and form of each calcification of a cluster."""
    rng = stream("calc", lesion.seed)
    radius, here, specks = lesion.diameter_mm / 2, lesion.position, []
    for _ in range(int(rng.integers(9, 31))):
        offset = rng.normal(0, 0.48, 3)
        offset *= radius * min(1.0, 0.98 / max(float(np.linalg.norm(offset)), 1e-6))
        place = Position(here.depth + offset[0], here.lateral + offset[1], here.superior + offset[2])
        size = float(np.clip(rng.lognormal(np.log(0.25), 0.45), 0.1, 0.6)) * calc_scale
        mixed = ("punctate", "irregular", "irregular", "linear")
        form = str(rng.choice(mixed)) if lesion.form == "pleomorphic" else lesion.form
        specks.append((place, size, form))
    return specks


def _speck_outline(
    rng: np.random.Generator, size: float, form: str, heading: float
) -> npt.NDArray[np.float64]:
    """Return the polygon of one calcification, mm from its centre."""
    angle = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    radius = np.full(11, size / 2) * rng.uniform(0.45 if form != "punctate" else 0.92, 1.2, 11)
    points = np.c_[np.cos(angle), np.sin(angle)] * radius[:, None]
    if form == "linear":
        points = points * np.array([rng.uniform(2.0, 4.0), 0.62])
        turn = heading + rng.normal(0, 0.35)
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    elif form == "irregular":
        points = points * np.array([rng.uniform(0.8, 1.8), 1.0])
        turn = rng.uniform(0, np.pi)
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(points)


def _coverage(outline: npt.NDArray[np.float64], half: int) -> FloatArray:
    """Return how much of each pixel a polygon covers, 0..1, on a square of 2 half + 1 pixels.

    `outline` is (x, y) in pixels from the square's top left corner. Sixty-four samples in a pixel: a
    calcification smaller than a pixel keeps its area, hence its true, fainter contrast.
    """
    side, fine = 2 * half + 1, 8
    plane = np.zeros((side * fine, side * fine), np.uint8)
    cv2.fillPoly(plane, [np.round((outline * fine - 0.5) * 16).astype(np.int32)], 255, shift=4)
    cover = cv2.resize(plane, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cover * np.float32(1 / 255), dtype=np.float32)


def _cluster(lesion: Lesion, shape: ViewShape, spacing: float, calc_scale: float) -> Drawn:
    rng = stream("specks", lesion.seed, shape.view)
    field, corner = _patch(shape, lesion, lesion.diameter_mm * 0.65 + 3, spacing)
    signal, places = np.zeros_like(field.x), []
    heading = float(rng.normal(0, 0.3))
    for position, size, form in _specks(lesion, calc_scale):
        x, y = shape.place(position)
        column, row = x / spacing - corner[1], y / spacing - corner[0]
        places.append((column, row))
        half = int(np.ceil(2.2 * size / spacing)) + 2
        first = (int(row) - half, int(column) - half)
        outline = _speck_outline(rng, size, form, heading) / spacing + (column - first[1], row - first[0])
        cover = _coverage(outline, half)
        target, source = overlap(first, cover.shape, signal.shape)
        thick = min(1.2, (size / 0.35) ** 0.9) * rng.uniform(0.5, 1.15)
        signal[target] += np.float32(lesion.contrast * thick) * cover[source]
    hull = cv2.convexHull(np.array(places, np.float32)).reshape(-1, 2)
    mask = np.zeros(signal.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round((hull - 0.5) * 16).astype(np.int32), 1, shift=4)
    around = 2 * max(1, round(0.8 / spacing)) + 1
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (around, around)))
    return Drawn(_blur(signal, 0.07, spacing), np.zeros_like(signal), mask.astype(bool), corner)


def draw(lesion: Lesion, shape: ViewShape, spacing: float, calc_scale: float = 1.0) -> Drawn:
    """Return what a lesion adds to a view, and which pixels are its own.

    The mask of a mass or an asymmetry holds the body (above 0.3 of its peak; spicules are outside), that
    of a cluster the hull of its calcifications with 0.8 mm around.

    Parameters
    ----------
    lesion, shape
        What, and in which view.
    spacing
        mm between pixels.
    calc_scale
        Multiplies the size of calcifications, for training at reduced resolution.
    """
    if lesion.kind == "mass":
        return _mass(lesion, shape, spacing)
    if lesion.kind == "calc":
        return _cluster(lesion, shape, spacing, calc_scale)
    return _asymmetry(lesion, shape, spacing)

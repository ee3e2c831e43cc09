"""Known lesions: masses, calcification clusters, focal asymmetries, placed once in a breast and drawn in each view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.core.phantom import vessels
from app.core.phantom.anatomy import FIELD_MM, Breast, Position, Side, ViewShape
from app.core.phantom.texture import TILE_MM, Field, FloatArray, cloud, sigmoid, stream

Kind = Literal["mass", "calc", "asymmetry"]
KINDS: tuple[Kind, ...] = ("mass", "calc", "asymmetry")
_MARGINS = ("circumscribed", "ill-defined", "spiculated")


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lesion of the breast, before any view of it is drawn.

    Attributes
    ----------
    kind
        mass, calc (a cluster) or asymmetry (focal).
    label
        In a reader's words, for example ``spiculated irregular mass``.
    side, position
        Where it is, nipple-centred mm; the same in both views.
    diameter_mm
        Of the mass's body, of the cluster, of the asymmetry.
    contrast
        Above its surroundings, in units of gland (1 = fat to gland).
    form, margin
        Mass: round, oval, lobulated, irregular; circumscribed, ill-defined, spiculated.
        Cluster: punctate, pleomorphic, linear.
    seed
        Of its own details.
    """

    kind: Kind
    label: str
    side: Side
    position: Position
    diameter_mm: float
    contrast: float
    form: str = ""
    margin: str = ""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A lesion in one view.

    Attributes
    ----------
    signal
        What it adds, in units of gland, on a patch of the view's pixels.
    mask
        bool, of the same shape: the pixels that belong to it.
    corner
        (row, column) of the patch's first pixel in the view frame; may be negative.
    """

    signal: FloatArray
    mask: npt.NDArray[np.bool_]
    corner: tuple[int, int]


def draw_lesion(
    rng: np.random.Generator,
    breast: Breast,
    kind: Kind,
    *,
    form: str | None = None,
    margin: str | None = None,
    diameter_mm: float | None = None,
    contrast: float | None = None,
) -> Lesion:
    """Return a lesion of a kind at a place of the breast that both views show clear of skin and muscle."""
    seed = int(rng.integers(2**31))
    if kind == "mass":
        margin = margin or str(rng.choice(_MARGINS, p=(0.35, 0.3, 0.35)))
        forms = ("round", "oval", "lobulated") if margin != "spiculated" else ("irregular",)
        form = form or str(rng.choice(forms))
        size, strength = rng.uniform(8, 24), rng.uniform(0.4, 0.75)
        label = f"{margin} {form} mass"
    elif kind == "calc":
        form, margin = form or str(rng.choice(("punctate", "pleomorphic", "pleomorphic", "linear"))), ""
        size, strength = rng.uniform(8, 20), rng.uniform(0.9, 1.5)
        label = f"cluster of {form} calcifications"
    else:
        form, margin = "focal", ""
        size, strength = rng.uniform(18, 34), rng.uniform(0.42, 0.65)
        label = "focal asymmetry"
    size = float(diameter_mm or size)
    return Lesion(
        kind,
        label,
        breast.side,
        find_place(rng, breast, size / 2),
        size,
        float(contrast or strength),
        form,
        margin,
        seed,
    )


def find_place(rng: np.random.Generator, breast: Breast, radius: float) -> Position:
    """Return a position at which both views show `radius` mm of breast around it; mostly within the gland."""
    cc, mlo = breast.views
    for attempt in range(600):
        clear = radius * (1.0 if attempt < 300 else 0.6) + 4
        position = Position(
            rng.uniform(14 + radius, 0.82 * cc.nipple[0]), rng.normal(4, 22), rng.normal(4, 22)
        )
        if _is_clear(cc, position, clear, attempt) and _is_clear(mlo, position, clear, attempt):
            return position
    return Position(0.45 * cc.nipple[0], 0.0, 0.0)


def _is_clear(shape: ViewShape, position: Position, clear: float, attempt: int) -> bool:
    """Return whether a place is `clear` mm away from skin, muscle and the edges of the field."""
    x, y = shape.place(position)
    if min(x, y, FIELD_MM[0] - y) < clear:
        return False
    polygon = shape.outline.astype(np.float32).reshape(-1, 1, 2)
    if cv2.pointPolygonTest(polygon, (float(x), float(y)), True) < clear:
        return False
    if shape.pectoral is not None:
        top, low, _ = shape.pectoral
        normal = np.hypot(top, low)
        if (x * low + y * top - top * low) / normal < 0.7 * clear:
            return False
    gland = shape.gland
    central = ((x - gland.x) / gland.half_x) ** 2 + ((y - gland.y) / gland.half_y) ** 2
    return bool(central < (0.9 if attempt < 450 else 2.0))


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
        "irregular": ((2, 0.08), (3, 0.1), (5, 0.07), (8, 0.05)),
    }
    for k, amplitude in waves.get(form, ((3, 0.02), (5, 0.015))):
        radius = radius * (1 + amplitude * rng.uniform(0.7, 1.3) * np.cos(k * angle + own.uniform(0, 6.3)))
    return np.asarray(radius, dtype=np.float32)


def _spicules(
    rng: np.random.Generator, lesion: Lesion, reach: float, count: int, spacing: float
) -> FloatArray:
    """Return the spicules of a mass: thin straight strands that fade and taper outwards."""
    radius, curves = lesion.diameter_mm / 2, []
    for base in np.linspace(0, 2 * np.pi, int(rng.integers(16, 30)), endpoint=False):
        heading = base + rng.normal(0, 0.14)
        length = radius * rng.uniform(0.45, 1.9)
        start = reach + 0.55 * radius * np.array([np.cos(heading), np.sin(heading)])
        path = vessels.wander(rng, (start[0], start[1]), heading, length + 0.45 * radius, 0.03, step=0.6)
        width, bright = rng.uniform(0.5, 1.2), rng.uniform(0.35, 0.8) * lesion.contrast
        pieces = np.array_split(np.arange(len(path) - 1), 5)
        for k, piece in enumerate(pieces):
            if len(piece):
                fade = 1 - k / 5.5
                curves.append(
                    vessels.Curve(path[piece[0] : piece[-1] + 2], max(0.25, width * fade), bright * fade)
                )
    return vessels.draw(curves, count, count, spacing)


def _mass(lesion: Lesion, shape: ViewShape, spacing: float) -> Drawn:
    rng, own = stream("mass", lesion.seed), stream("mass", lesion.seed, shape.view)
    radius = lesion.diameter_mm / 2
    reach = radius * (3.0 if lesion.margin == "spiculated" else 1.7) + 2
    field, corner = _patch(shape, lesion, reach, spacing)
    distance = np.hypot(field.x, field.y)
    u = distance / (radius * _contour(rng, own, lesion.form, np.arctan2(field.y, field.x)))
    rough = {"circumscribed": 0.0, "ill-defined": 0.13, "spiculated": 0.1}[lesion.margin]
    u = u + np.float32(rough) * field.look(cloud(own, 2.6, 8, 1.0))
    power, soft = {"circumscribed": (0.45, 0.22), "ill-defined": (0.9, 1.3), "spiculated": (0.75, 0.55)}[
        lesion.margin
    ]
    body = _blur(np.asarray(np.clip(1 - u * u, 0, 1) ** np.float32(power), dtype=np.float32), soft, spacing)
    mask = body > 0.3 * float(body.max())
    signal = (
        body * (1 + 0.16 * field.shifted(50, 90).look(cloud(own, 2.6, 10, 1.0))) * np.float32(lesion.contrast)
    )
    if lesion.margin == "spiculated":
        signal = np.maximum(signal, 0) + _spicules(own, lesion, reach, len(body), spacing) * (1 - 0.8 * body)
    return Drawn(np.asarray(signal, dtype=np.float32), _largest(mask), corner)


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
    body = sigmoid((0.78 - u + 0.24 * clumps) / np.float32(0.17)) * rim
    texture = 0.8 + 0.2 * field.shifted(60, 20).look(cloud(own, 2.6, 9, 1.0))
    signal = np.asarray(body * np.clip(texture, 0.2, 1.5) * np.float32(lesion.contrast), dtype=np.float32)
    smooth = _blur(np.asarray(body, dtype=np.float32), 1.2, spacing)
    return Drawn(signal, _largest(smooth > 0.35 * float(smooth.max())), corner)


def _largest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return the largest connected part of a mask."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return mask if count < 3 else labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _specks(lesion: Lesion, calc_scale: float) -> list[tuple[Position, float, str]]:
    """Return place, size in mm and form of each calcification of a cluster."""
    rng = stream("calc", lesion.seed)
    radius, specks = lesion.diameter_mm / 2, []
    for _ in range(int(rng.integers(9, 31))):
        offset = rng.normal(0, 0.48, 3)
        offset *= min(1.0, 0.98 / max(float(np.linalg.norm(offset)), 1e-6)) * radius
        size = float(np.clip(rng.lognormal(np.log(0.26), 0.42), 0.1, 0.6)) * calc_scale
        mixed = ("punctate", "irregular", "irregular", "linear")
        form = str(rng.choice(mixed)) if lesion.form == "pleomorphic" else lesion.form
        here = lesion.position
        specks.append(
            (
                Position(here.depth + offset[0], here.lateral + offset[1], here.superior + offset[2]),
                size,
                form,
            )
        )
    return specks


def _speck_outline(
    rng: np.random.Generator, size: float, form: str, heading: float
) -> npt.NDArray[np.float64]:
    """Return the polygon of one calcification, mm from its centre."""
    angle = np.linspace(0, 2 * np.pi, 11, endpoint=False)
    radius = np.full(11, size / 2) * rng.uniform(0.55 if form != "punctate" else 0.92, 1.15, 11)
    points = np.c_[np.cos(angle), np.sin(angle)] * radius[:, None]
    if form == "linear":
        points = points * np.array([rng.uniform(2.0, 4.0), 0.62])
        turn = heading + rng.normal(0, 0.35)
        points = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    elif form == "irregular":
        points = points * np.array([rng.uniform(0.8, 1.5), 1.0])
    return np.asarray(points)


def _cluster(lesion: Lesion, shape: ViewShape, spacing: float, calc_scale: float) -> Drawn:
    rng = stream("specks", lesion.seed, shape.view)
    reach = lesion.diameter_mm / 2 * 1.3 + 3
    field, corner = _patch(shape, lesion, reach, spacing)
    signal = np.zeros_like(field.x)
    centre, heading = shape.place(lesion.position), float(rng.normal(0, 0.3))
    fine, places = 8, []
    for position, size, form in _specks(lesion, calc_scale):
        x, y = shape.place(position)
        column, row = x / spacing - corner[1], y / spacing - corner[0]
        places.append((column, row))
        half = int(np.ceil(2.2 * size / spacing)) + 2
        first_row, first_column = int(row) - half, int(column) - half
        outline = _speck_outline(rng, size, form, heading) / spacing + (
            column - first_column,
            row - first_row,
        )
        plane = np.zeros(((2 * half + 1) * fine,) * 2, np.uint8)
        cv2.fillPoly(plane, [np.round((outline * fine - 0.5) * 16).astype(np.int32)], 255, shift=4)
        cover = cv2.resize(plane.astype(np.float32) / 255, (2 * half + 1,) * 2, interpolation=cv2.INTER_AREA)
        strength = np.float32(lesion.contrast * min(1.3, (size / 0.3) ** 0.7))
        window = signal[
            max(first_row, 0) : first_row + 2 * half + 1, max(first_column, 0) : first_column + 2 * half + 1
        ]
        window += (
            strength
            * cover[-first_row if first_row < 0 else 0 :, -first_column if first_column < 0 else 0 :][
                : window.shape[0], : window.shape[1]
            ]
        )
    del centre
    hull = cv2.convexHull(np.array(places, np.float32)).reshape(-1, 2)
    mask = np.zeros(signal.shape, np.uint8)
    cv2.fillConvexPoly(mask, np.round((hull - 0.5) * 16).astype(np.int32), 1, shift=4)
    around = 2 * max(1, round(0.8 / spacing)) + 1
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (around, around)))
    return Drawn(_blur(signal, 0.07, spacing), mask.astype(bool), corner)


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


assert TILE_MM >= max(FIELD_MM)

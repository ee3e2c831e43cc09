"""What a breast is made of, seen in one view: fat, gland, septa, ducts, vessels, muscle, on a working grid.

The unit is *gland*: 0 is fat, 1 is dense fibroglandular tissue; muscle and calcium are above.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from app.core.phantom import vessels
from app.core.phantom.anatomy import Breast, ViewShape, skin_distance
from app.core.phantom.texture import (
    TILE_MM,
    Field,
    FloatArray,
    cells,
    cloud,
    ridge,
    sigmoid,
    smoothstep,
    stream,
)


@dataclass(frozen=True, slots=True, eq=False)
class Tissue:
    """The breast of one view on a working grid from the view frame's origin.

    Attributes
    ----------
    spacing
        mm between pixels of the grid.
    amount
        Tissue in units of gland (0 fat, 1 gland), without skin.
    skin
        Distance to the skin, mm, positive inside.
    gland
        Share of fibroglandular tissue 0..1.
    muscle
        Share of pectoral muscle 0..1.
    """

    spacing: float
    amount: FloatArray
    skin: FloatArray
    gland: FloatArray
    muscle: FloatArray


def _fan(field: Field, shape: ViewShape) -> Field:
    """Return coordinates along and across lines that converge at the nipple, mm far from it."""
    behind = np.maximum(np.float32(shape.nipple[0] + 14) - field.x, 1)
    spread = behind * np.float32(1 / 60) + np.float32(0.3)
    along = np.float32(60) * np.log(spread) + np.float32(128)
    return Field(along, (field.y - np.float32(shape.nipple[1])) / spread * np.float32(1.1) + np.float32(128))


def _envelope(field: Field, shape: ViewShape, skin: FloatArray) -> FloatArray:
    """Return how central a place is to the gland's disc: 1 in the middle, 0 at its rim, negative outside."""
    gland = shape.gland
    dx, dy = field.x - np.float32(gland.x), field.y - np.float32(gland.y)
    cosine, sine = np.float32(np.cos(gland.tilt)), np.float32(np.sin(gland.tilt))
    along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
    # An egg: narrow towards the nipple, broad at the chest wall.
    taper = np.clip(1.12 - 0.38 * along / np.float32(gland.half_x), 0.45, 1.5)
    radius = np.sqrt(
        (along / np.float32(gland.half_x)) ** 2 + (across / (np.float32(gland.half_y) * taper)) ** 2
    )
    to_nipple = np.hypot(field.x - np.float32(shape.nipple[0]), field.y - np.float32(shape.nipple[1]))
    fat_layer = np.clip(to_nipple * 0.28, 3, 11)
    return np.asarray(1 - radius - 1.6 * (1 - smoothstep(skin / fat_layer, 0.35, 1.15)), dtype=np.float32)


def _muscle(field: Field, shape: ViewShape, seed: tuple[int | str, ...]) -> tuple[FloatArray, FloatArray]:
    """Return the share of pectoral muscle and its brightness in units of gland."""
    if shape.pectoral is None:
        none = np.zeros_like(field.x)
        return none, none
    top, low, bulge = shape.pectoral
    rng = stream("muscle", *seed)
    part = field.y * np.float32(1 / low)
    edge = top * (1 - part) + 4 * bulge * np.clip(part, 0, 1) * (1 - np.clip(part, 0, 1))
    edge = edge + 0.5 * field.look(cloud(rng, 3.0, 60, 8))
    share = sigmoid((edge - field.x) / np.float32(1.1))
    turn = np.arctan2(low, -top)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along = Field(field.x * cosine + field.y * sine, field.y * cosine - field.x * sine)
    fibres = along.look(cloud(rng, 2.2, 30, 1.2, stretch=7.0))
    depth = np.clip((edge - field.x) / np.float32(top), 0, 1)
    uneven = field.look(cloud(rng, 3.0, 80, 2))
    level = rng.uniform(0.5, 0.7) + 0.5 * np.sqrt(depth) - 0.12 * np.clip(part, 0, 1)
    bright = level + (0.02 + 0.04 * depth) * fibres + 0.06 * uneven
    return share, np.asarray(bright, dtype=np.float32)


def _septa(bent: Field, fan: Field, seed: tuple[int | str, ...]) -> tuple[FloatArray, FloatArray]:
    """Return strands (Cooper's ligaments and septa) and the finer fibrils, each about 0..1."""
    rng = stream("septa", *seed)
    patches = cloud(rng, 2.4, 45, 4)
    uneven, other = bent.look(patches), bent.shifted(77, 33).look(patches)
    strands = np.zeros_like(bent.x)
    for size, sharp, field, part in (
        (15.0, 0.6, bent, uneven),
        (10.0, 0.5, fan, other),
        (6.5, 0.42, bent, other),
    ):
        line = np.exp(-np.square(field.look(cells(rng, size).edge, mirrored=True) * np.float32(1 / sharp)))
        strands += line * np.clip(0.4 + 0.45 * part, 0, 1.6) * np.float32(0.5)
    fibrils = np.zeros_like(bent.x)
    for longest, width, field, part in (
        (18.0, 0.09, bent, other),
        (14.0, 0.09, fan, uneven),
        (9.0, 0.12, fan.shifted(40, 90), other),
        (7.0, 0.15, bent.shifted(90, 40), uneven),
    ):
        line = ridge(field.look(cloud(rng, 2.6, longest, 1.6, stretch=1.8)), width)
        fibrils += line * np.clip(0.45 + 0.4 * part, 0, 1.5) * np.float32(0.4)
    return strands, fibrils


def _gland(
    breast: Breast, bent: Field, fan: Field, envelope: FloatArray, seed: tuple[int | str, ...]
) -> tuple[FloatArray, FloatArray]:
    """Return the share of gland and its uneven brightness."""
    common, own = stream("gland", seed[0], seed[2]), stream("gland", *seed)
    large = bent.look(cloud(common, 3.0, 90, 14)) * 0.7 + bent.look(cloud(own, 3.0, 90, 6)) * 0.6
    lobules = cells(own, 11.0)
    lobes = fan.look(lobules.level, mirrored=True) - 0.5
    fine = fan.look(cloud(own, 2.9, 26, 1.0, stretch=1.5))
    pressure = 2.1 * envelope + 0.42 * large + 0.55 * lobes + 0.2 * fine + np.float32(breast.amount - 0.95)
    share = sigmoid(pressure / np.float32(0.24))
    uneven = (
        0.68
        + 0.15 * large
        + 0.08 * fine
        + 0.1 * bent.look(cloud(own, 2.4, 8, 1.0))
        + 0.2 * np.clip(pressure, 0, 1.2)
    )
    return share, np.asarray(np.clip(uneven, 0.15, 1.6), dtype=np.float32)


def _node(rng: np.random.Generator, field: Field, shape: ViewShape) -> FloatArray:
    """Return a benign axillary lymph node, in some oblique views: a smooth oval with a fatty hilum."""
    if shape.pectoral is None or rng.random() > 0.35:
        return np.zeros_like(field.x)
    top, low, _ = shape.pectoral
    y = rng.uniform(10, 45)
    x = top * (1 - y / low) + rng.uniform(-14, 10)
    turn, long, broad = rng.uniform(0.9, 2.0), rng.uniform(4, 8), rng.uniform(0.5, 0.68)
    dx, dy = field.x - np.float32(x), field.y - np.float32(y)
    along = (dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))) / np.float32(long)
    across = (dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))) / np.float32(long * broad)
    body = smoothstep(np.asarray(1 - np.hypot(along, across), np.float32), 0.0, 0.35)
    hilum = smoothstep(np.asarray(1 - np.hypot(along / 0.55, (across - 0.35) / 0.5), np.float32), 0.0, 0.6)
    return np.asarray(body * (1 - 0.85 * hilum), dtype=np.float32)


def make_tissue(
    breast: Breast, shape: ViewShape, seed: int, rows: int, columns: int, spacing: float
) -> Tissue:
    """Return the tissue of one view on a grid of `rows` x `columns` pixels of `spacing` mm.

    Parameters
    ----------
    breast, shape
        The breast and the view of it.
    seed
        Of the patient's anatomy: the same seed gives the same tissue at any spacing.
    """
    key: tuple[int | str, ...] = (seed, shape.side, shape.view)
    x = (np.arange(columns, dtype=np.float32) + np.float32(0.5)) * np.float32(spacing)
    y = (np.arange(rows, dtype=np.float32) + np.float32(0.5)) * np.float32(spacing)
    field = Field(*(np.ascontiguousarray(axis) for axis in np.meshgrid(x, y)))
    skin = skin_distance(shape, rows, columns, spacing)
    rng = stream("tissue", *key)
    bent = field.moved(cloud(rng, 3.5, 90, 20), cloud(rng, 3.5, 90, 20), 1.6)
    fan = _fan(bent, shape)
    envelope = _envelope(bent, shape, skin)
    share, uneven = _gland(breast, bent, fan, envelope, key)
    muscle, muscle_bright = _muscle(field, shape, key)
    strands, fibrils = _septa(bent, fan, key)
    near = smoothstep(envelope, -1.1, 0.15)
    fatty = (1 - share) * (0.34 + 0.5 * near)
    amount = (
        share * uneven
        + strands * (0.5 * fatty + 0.12 * share)
        + fibrils * (0.19 * fatty + 0.045 * share + 0.02)
    )
    amount += 0.07 * bent.look(cloud(rng, 2.8, 40, 1.0)) + 0.03
    tubes = vessels.draw(vessels.vessels(rng, shape), rows, columns, spacing)
    tubes += vessels.draw(vessels.ducts(rng, shape), rows, columns, spacing)
    amount += tubes + 0.42 * _node(rng, field, shape)
    amount = amount * (1 - 0.6 * muscle) + muscle * muscle_bright
    return Tissue(spacing, np.asarray(amount, dtype=np.float32), skin, share * (1 - muscle), muscle)


def fine_structure(key: tuple[int | str, ...], rows: int, columns: int, spacing: float) -> FloatArray:
    """Return fibrils finer than the working grid resolves, about 0..1, for views of small pixels.

    Tiles are read eight times magnified: wavelengths of 0.15 to 3 mm, repeated every 32 mm.
    """
    rng = stream("fine", *key)
    side = round(TILE_MM / 8 / spacing)
    lines, grain = (
        np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
        for tile in (cloud(rng, 2.4, 26, 1.6), cloud(rng, 1.6, 14, 1.2))
    )
    patch = ridge(lines, 0.13) * np.float32(0.7) + grain * np.float32(0.4)
    return np.tile(patch, (-(-rows // side), -(-columns // side)))[:rows, :columns]

"""Synthetic help: lesions of the phantom, drawn into normal images of the training part.

They are drawn where images are augmented, which takes nothing but a train part: what tunes and what tests
is always as it was. Whether it helps is to be measured; a card says that it was done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from app.core.phantom.anatomy import Gland, Position, ViewShape
from app.core.phantom.lesion_shapes import Drawn, draw, overlap
from app.core.phantom.lesions import Lesion
from trainer.errors import TrainerError
from trainer.recipe import Recipe
from trainer.samples import Batch, PartSamples, ellipses_of

Pixels = npt.NDArray[np.float32]
_MARGINS = ("circumscribed", "ill-defined", "spiculated")
_DIAMETERS = (8.0, 24.0)
"""Of a mass, mm."""
_CONTRASTS = (0.32, 0.65)
"""Of its middle, in units of `tissue_range`; as in `app.core.phantom.lesions`."""
_CLUSTERS = (3.0, 16.0)
"""Diameter of a cluster of calcifications, mm."""
_CLUSTER_CONTRASTS = (0.4, 1.4)
"""Of a calcification 0.35 mm thick; on film the faint ones are fainter than the phantom's."""
_SPECKS = (0.7, 1.3)
"""Multiplies the size of calcifications: film spreads them."""
_LONE = 0.5
"""Chance that a drawn cluster has a lone, coarse calcification near it, which is no cluster."""
_LONE_MM = (0.7, 4.0)
_LONE_AWAY_MM = (10.0, 25.0)
"""Of its middle from the cluster's: within the same crop, beyond the cluster's box."""
_NOWHERE = ViewShape("L", "CC", np.zeros((3, 2)), (0.0, 0.0), Gland(0.0, 0.0, 1.0, 1.0, 0.0), None, 1.0, 0.0)
"""A view whose nipple is the patch's middle: nothing else of a breast has a part in drawing a lesion."""


@dataclass(frozen=True, slots=True)
class Inserted:
    """How many lesions are drawn, how large a pixel is, and what a detector calls them.

    Attributes
    ----------
    share
        Chance of each image that is no positive and has no lesion.
    mm
        Millimetres per prepared pixel.
    mass, cluster
        The detector's class of a mass and of a cluster of calcifications, 0-based; None where it has no
        class for them, and then none is drawn. One of both where it has both.
    """

    share: float
    mm: float
    mass: int | None
    cluster: int | None = None


def inserted_of(recipe: Recipe, train: PartSamples) -> Inserted | None:
    """Return what a recipe asks for, or None; raises TrainerError where it cannot be had."""
    share = recipe.augment.insert_lesions
    if not share:
        return None
    what = f"recipe {recipe.name}: augment: insert_lesions"
    mass, cluster = recipe.target.class_of("mass"), recipe.target.class_of("calcification")
    if "detector" not in recipe.networks or (mass is None and cluster is None):
        raise TrainerError(f"{what} needs a detector with a class for a mass or for a calcification")
    mm = recipe.preprocess.resize.mm
    if mm is None:
        raise TrainerError(f"{what} needs a canvas by spacing: a lesion has a size in millimetres")
    if not any(not train.is_positive(row) and not row.findings for row in train.part.rows):
        raise TrainerError(f"{what}: no image of the {train.part.name} part is normal, so there is no room")
    return Inserted(share, mm, mass, cluster)


def draw_lesion(rng: np.random.Generator, how: Inserted) -> tuple[Drawn, int]:
    """Return a lesion of one of the detector's kinds, and its class."""
    if how.mass is not None and (how.cluster is None or rng.random() < 0.5):
        return draw_mass(rng, how.mm), how.mass
    assert how.cluster is not None
    return draw_cluster(rng, how.mm), how.cluster


def draw_mass(rng: np.random.Generator, mm: float) -> Drawn:
    """Return a mass of the phantom at so many millimetres per pixel; its signal counts `tissue_range`s."""
    margin = str(rng.choice(_MARGINS))
    forms = ("irregular",) if margin == "spiculated" else ("round", "oval", "lobulated")
    lesion = Lesion(
        kind="mass",
        label="mass",
        side="L",
        position=Position(0.0, 0.0, 0.0),
        diameter_mm=float(rng.uniform(*_DIAMETERS)),
        contrast=float(rng.uniform(*_CONTRASTS)),
        form=str(rng.choice(forms)),
        margin=margin,
        seed=int(rng.integers(2**31)),
    )
    return draw(lesion, _NOWHERE, mm)


def draw_cluster(rng: np.random.Generator, mm: float) -> Drawn:
    """Return a cluster of calcifications of the phantom, as `draw_mass` returns a mass."""
    form = str(rng.choice(("punctate", "punctate", "pleomorphic", "pleomorphic", "linear")))
    lesion = Lesion(
        kind="calc",
        label="calcification",
        side="L",
        position=Position(0.0, 0.0, 0.0),
        diameter_mm=float(np.exp(rng.uniform(*np.log(_CLUSTERS)))),
        contrast=float(np.exp(rng.uniform(*np.log(_CLUSTER_CONTRASTS)))),
        form=form,
        seed=int(rng.integers(2**31)),
    )
    return draw(lesion, _NOWHERE, mm, float(rng.uniform(*_SPECKS)))


def tissue_range(pixels: Pixels, breast: npt.NDArray[np.bool_]) -> float:
    """Return how far an image's tissues are apart: the middle half of its breast's values.

    The outer quarters hold what no mass is as bright or dark as: muscle, and the thin edge of the breast.
    """
    # Quartiles of fifty thousand pixels are those of a million.
    every = max(1, int(np.sqrt(pixels.size / 50_000)))
    low, high = np.percentile(pixels[::every, ::every][breast[::every, ::every]], (25, 75))
    return float(high - low)


def insert(
    pixels: Pixels, breast: npt.NDArray[np.bool_], lesion: Drawn, rng: np.random.Generator
) -> tuple[Pixels, npt.NDArray[np.float64]] | None:
    """Return an image with a lesion somewhere in its breast, and its box; None where it does not fit.

    Parameters
    ----------
    pixels, breast
        float32 and bool (H, W), prepared.

    Returns
    -------
    pixels
        A copy: the lesion adds its signal times `tissue_range`, within the breast alone.
    box
        float64 (1, 4): row0, col0, row1, col1 of its mask, edges at pixel corners.
    """
    rows, columns = (np.flatnonzero(lesion.mask.any(axis=axis)) for axis in (1, 0))
    radius = max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0])) / 2 + 1
    # The frame is an end too: what is cut there would have no true box.
    every = max(1, int(np.sqrt(pixels.size / 50_000)))
    inside = breast[::every, ::every].astype(np.uint8)
    inside[[0, -1]] = inside[:, [0, -1]] = 0
    # One cell more than the radius: what lies between the cells looked at is breast too.
    clear = radius / every + (every > 1)
    places = np.flatnonzero(cv2.distanceTransform(inside, cv2.DIST_L2, 5) > clear)
    if not len(places):
        return None
    row, column = (every * int(place) for place in np.unravel_index(rng.choice(places), inside.shape))
    corner = (int(row - (rows[0] + rows[-1]) // 2), int(column - (columns[0] + columns[-1]) // 2))
    target, source = overlap(corner, lesion.mask.shape, pixels.shape)
    made = pixels.copy()
    made[target] += lesion.signal[source] * np.float32(tissue_range(pixels, breast)) * breast[target]
    first = np.array([corner[0] + rows[0], corner[1] + columns[0]], dtype=np.float64)
    last = np.array([corner[0] + rows[-1] + 1, corner[1] + columns[-1] + 1], dtype=np.float64)
    return made, np.concatenate([first, last])[None]


def add_lone(
    pixels: Pixels,
    breast: npt.NDArray[np.bool_],
    box: npt.NDArray[np.float64],
    rng: np.random.Generator,
    mm: float,
) -> Pixels:
    """Return an image with one coarse calcification, solid or a rim, some way from a cluster.

    Films are full of them, and next to none of them bears a mark: a detector of clusters has to learn
    that they are none. Where the place drawn lies outside the breast, the image stays as it is.

    Parameters
    ----------
    box
        float64 (1, 4), the cluster's.
    """
    away, angle = rng.uniform(*_LONE_AWAY_MM) / mm, rng.uniform(0, 2 * np.pi)
    middle = (box[0, :2] + box[0, 2:]) / 2 + away * np.array([np.sin(angle), np.cos(angle)])
    row, column = (int(value) for value in middle)
    inside = 0 <= row < pixels.shape[0] and 0 <= column < pixels.shape[1] and bool(breast[row, column])
    if not inside:
        return pixels
    radius = float(np.exp(rng.uniform(*np.log(_LONE_MM)))) / mm / 2
    half = int(np.ceil(radius * 1.5)) + 3
    down, across = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float64)
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.7, 1.0)
    along, beside = (
        down * np.cos(turn) + across * np.sin(turn),
        across * np.cos(turn) - down * np.sin(turn),
    )
    wavy = 1 + 0.12 * np.sin(3 * np.arctan2(along, beside) + rng.uniform(0, 2 * np.pi))
    inward = radius * wavy - np.hypot(along, beside / flat)
    shade = np.clip(inward + 0.5, 0, 1)
    if rng.random() < 0.4 and radius * mm > 0.5:
        shade = shade - 0.7 * np.clip(inward - 0.35 * radius + 0.5, 0, 1)
    contrast = float(np.exp(rng.uniform(*np.log(_CLUSTER_CONTRASTS)))) * tissue_range(pixels, breast)
    target, source = overlap((row - half, column - half), shade.shape, pixels.shape)
    made = pixels.copy()
    made[target] += (shade[source] * contrast * breast[target]).astype(np.float32)
    return made


def insert_lesions(batch: Batch, how: Inserted, draws: torch.Generator) -> Batch:
    """Return a batch with a lesion in so many of its normal images; the others stay as they are."""
    chance = torch.rand(len(batch.views), generator=draws)
    seeds = torch.randint(2**31, (len(batch.views),), generator=draws)
    pixels, positive = batch.pixels.clone(), batch.positive.clone()
    ellipses, classes = list(batch.ellipses), list(batch.classes)
    for number, own in enumerate(batch.ellipses):
        normal = batch.positive[number] == 0 and batch.located[number] > 0 and not len(own)
        if not normal or chance[number] >= how.share:
            continue
        rng = np.random.default_rng(int(seeds[number]))
        image = batch.pixels[number, 0].cpu().numpy()
        breast = batch.mask[number, 0].cpu().numpy() > 0.5
        lesion, kind = draw_lesion(rng, how)
        found = insert(image, breast, lesion, rng) if breast.any() else None
        if found is None:
            continue
        made, box = found
        if kind == how.cluster != how.mass and rng.random() < _LONE:
            made = add_lone(made, breast, box, rng, how.mm)
        device = batch.pixels.device
        pixels[number, 0] = torch.from_numpy(made).to(device)
        ellipses[number] = torch.from_numpy(ellipses_of(box)).to(device)
        classes[number] = torch.tensor([kind], dtype=torch.int64, device=device)
        positive[number] = 1.0
    return replace(batch, pixels=pixels, ellipses=ellipses, classes=classes, positive=positive)

"""Free-response ROC: which lesions are found, at how many false boxes per image.

The hit rule changes the numbers greatly (INbreast predictions of one published detector: 0.90 with
the centre rule, 0.79 with IoU 0.5 at the same false positives), so that each is named after its rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.core.manifest import Box
from app.core.metrics.ranking import Bools, Floats

Rule = Literal["centre", "iou20", "iou50"]
_LEAST = {"iou20": 0.2, "iou50": 0.5}


@dataclass(frozen=True, slots=True)
class ImageBoxes:
    """Candidates and lesions of one image; boxes (row0, col0, row1, col1).

    Attributes
    ----------
    region
        Extent of the breast, for the trivial baseline of random places.
    kinds
        (type, size band) of each lesion in words, for numbers by subgroup; empty where nobody asks.
    """

    patient: str
    candidates: tuple[tuple[float, Box], ...]
    lesions: tuple[Box, ...]
    region: Box
    kinds: tuple[tuple[str, str], ...] = ()


def overlap(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes, 0..1."""
    height = min(one[2], other[2]) - max(one[0], other[0])
    width = min(one[3], other[3]) - max(one[1], other[1])
    if height <= 0 or width <= 0:
        return 0.0
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return height * width / (area - height * width)


def hits(candidate: Box, lesion: Box, rule: Rule) -> bool:
    """Return whether a candidate finds a lesion: its centre lies inside, or IoU >= 0.2 or 0.5."""
    if rule == "centre":
        row, col = (candidate[0] + candidate[2]) / 2, (candidate[1] + candidate[3]) / 2
        return lesion[0] <= row < lesion[2] and lesion[1] <= col < lesion[3]
    return overlap(candidate, lesion) >= _LEAST[rule]


@dataclass(frozen=True, slots=True, eq=False)
class Froc:
    """What a FROC curve is computed from, so that a bootstrap only reweights images.

    Attributes
    ----------
    found
        Best score of a candidate that hits, per lesion; -inf where none does.
    found_image
        Image index of each lesion.
    false
        Scores of candidates that hit no lesion. A second hit of a lesion is neither true nor false.
    false_image
        Image index of each false candidate.
    counted
        Per image: whether its false candidates and the image itself count in the denominator.
    """

    found: Floats
    found_image: np.ndarray[tuple[int], np.dtype[np.intp]]
    false: Floats
    false_image: np.ndarray[tuple[int], np.dtype[np.intp]]
    counted: Floats


def froc(images: Sequence[ImageBoxes], rule: Rule, *, normal_only: bool = False) -> Froc:
    """Match candidates to lesions. `normal_only`: false positives of images without a lesion only."""
    found: list[float] = []
    found_image: list[int] = []
    false: list[float] = []
    false_image: list[int] = []
    for number, image in enumerate(images):
        for lesion in image.lesions:
            scores = [score for score, box in image.candidates if hits(box, lesion, rule)]
            found.append(max(scores, default=-np.inf))
            found_image.append(number)
        if normal_only and image.lesions:
            continue
        for score, box in image.candidates:
            if not any(hits(box, lesion, rule) for lesion in image.lesions):
                false.append(score)
                false_image.append(number)
    counted = np.array([0.0 if normal_only and image.lesions else 1.0 for image in images])
    return Froc(
        np.array(found, dtype=np.float64),
        np.array(found_image, dtype=np.intp),
        np.array(false, dtype=np.float64),
        np.array(false_image, dtype=np.intp),
        counted,
    )


def sensitivities(curve: Froc, rate: float, weights: Floats) -> Floats:
    """Return `sensitivity` of each of many weightings of the images, (draws, images)."""
    images = weights @ curve.counted
    lesions = weights[:, curve.found_image]
    order = np.argsort(-curve.false, kind="stable")
    running = np.cumsum(weights[:, curve.false_image[order]], axis=1)
    # Every candidate strictly above the first false one that is too many may be kept; all, if none is.
    over = np.hstack([running > (rate * images + 1e-9)[:, None], np.ones((len(weights), 1), np.bool_)])
    limits = np.append(curve.false[order], -np.inf)[over.argmax(axis=1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (lesions * (curve.found > limits[:, None])).sum(axis=1) / lesions.sum(axis=1)
    found[images == 0] = np.nan
    return found


def sensitivity(curve: Froc, rate: float, weights: Floats | None = None) -> float:
    """Return the share of lesions found at the lowest threshold with at most `rate` false boxes per image.

    nan without lesions or without counted images.
    """
    weight = np.ones(len(curve.counted)) if weights is None else weights
    return float(sensitivities(curve, rate, weight[None])[0])


def froc_points(curve: Froc) -> tuple[Floats, Floats, Floats]:
    """Return (false boxes per image, sensitivity, threshold) at each score of a false box, falling.

    The first point is above every false box, the last below all of them.
    """
    images, lesions = curve.counted.sum(), max(len(curve.found), 1)
    limits = np.append(np.unique(curve.false)[::-1], -np.inf)
    rates = np.array([(curve.false > limit).sum() / images if images else np.nan for limit in limits])
    found = np.array([(curve.found > limit).sum() / lesions for limit in limits])
    return rates, found, limits


def random_places(
    images: Sequence[ImageBoxes], rule: Rule, rate: float, *, rounds: int = 20, seed: int = 0
) -> float:
    """Return the sensitivity of boxes thrown at random into the breast: the trivial baseline.

    Each image gets `rate` boxes (a fraction by chance), each the size of a randomly chosen lesion.
    """
    generator = np.random.default_rng(seed)
    sizes = np.array([(b[2] - b[0], b[3] - b[1]) for image in images for b in image.lesions])
    if not len(sizes):
        return float("nan")
    found, most = 0, int(np.ceil(rate))
    for image in images:
        if not image.lesions:
            continue
        counts = int(rate) + (generator.random(rounds) < rate - int(rate))
        size = sizes[generator.integers(len(sizes), size=(rounds, most))]
        row = generator.uniform(image.region[0], image.region[2], (rounds, most))
        col = generator.uniform(image.region[1], image.region[3], (rounds, most))
        thrown = np.arange(most)[None] < counts[:, None]
        for lesion in image.lesions:
            found += int((thrown & _hit_at(row, col, size, lesion, rule)).any(axis=1).sum())
    return found / (rounds * len(sizes))


def _hit_at(row: Floats, col: Floats, size: Floats, lesion: Box, rule: Rule) -> Bools:
    """Return `hits` of boxes given by centre and (height, width), whatever their number."""
    if rule == "centre":
        inside: Bools = (row >= lesion[0]) & (row < lesion[2]) & (col >= lesion[1]) & (col < lesion[3])
        return inside
    high, wide = size[..., 0], size[..., 1]
    height = np.minimum(row + high / 2, lesion[2]) - np.maximum(row - high / 2, lesion[0])
    width = np.minimum(col + wide / 2, lesion[3]) - np.maximum(col - wide / 2, lesion[1])
    shared = np.clip(height, 0, None) * np.clip(width, 0, None)
    area = high * wide + (lesion[2] - lesion[0]) * (lesion[3] - lesion[1])
    enough: Bools = shared / (area - shared) >= _LEAST[rule]
    return enough


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """Every candidate of all images, the best score first.

    Attributes
    ----------
    hit
        It found a lesion at IoU 0.5 that no better candidate had taken.
    image
        Index of its image.
    lesions
        Lesions of each image.
    """

    score: Floats
    hit: Bools
    image: np.ndarray[tuple[int], np.dtype[np.intp]]
    lesions: Floats


def rank_boxes(images: Sequence[ImageBoxes]) -> Ranked:
    """Match candidates to lesions greedily by score, each lesion once, at IoU 0.5."""
    ranked: list[tuple[float, bool, int]] = []
    for number, image in enumerate(images):
        taken: set[int] = set()
        for score, box in sorted(image.candidates, key=lambda entry: -entry[0]):
            free = [
                (overlap(box, lesion), index)
                for index, lesion in enumerate(image.lesions)
                if index not in taken
            ]
            best = max(free, default=(0.0, -1))
            hit = best[0] >= 0.5
            if hit:
                taken.add(best[1])
            ranked.append((score, hit, number))
    ranked.sort(key=lambda entry: -entry[0])
    return Ranked(
        np.array([score for score, _, _ in ranked], dtype=np.float64),
        np.array([hit for _, hit, _ in ranked], dtype=np.bool_),
        np.array([number for _, _, number in ranked], dtype=np.intp),
        np.array([len(image.lesions) for image in images], dtype=np.float64),
    )


def mean_average_precisions(ranked: Ranked, weights: Floats) -> Floats:
    """Return `mean_average_precision` of each weighting of the images, (draws, images)."""
    total = weights @ ranked.lesions
    if not len(ranked.score):
        return np.where(total > 0, 0.0, np.nan)
    every = np.cumsum(weights[:, ranked.image], axis=1)
    true = np.cumsum(weights[:, ranked.image] * ranked.hit, axis=1)
    precision = np.divide(true, every, out=np.zeros_like(true), where=every > 0)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.diff(true, axis=1, prepend=0.0) / total[:, None]
        found: Floats = np.sum(steps * envelope, axis=1)
    return found


def mean_average_precision(images: Sequence[ImageBoxes], weights: Floats | None = None) -> float:
    """Return AP at IoU 0.5 of one class: greedy matching by score, precision made monotone, all points.

    Everingham et al. (2010), IJCV 88:303, as of VOC 2010.
    """
    weight = np.ones(len(images)) if weights is None else weights
    return float(mean_average_precisions(rank_boxes(images), weight[None])[0])

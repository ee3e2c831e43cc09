"""Free-response ROC: which lesions are found, at how many false boxes per image.

The hit rule changes the numbers greatly (INbreast predictions of one published detector: 0.90 with
the centre rule, 0.79 with IoU 0.5 at the same false positives), so that each is named after its rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainer.manifest import Box
from trainer.metrics.ranking import Floats

Rule = Literal["centre", "iou20", "iou50"]


@dataclass(frozen=True, slots=True)
class ImageBoxes:
    """Candidates and lesions of one image; boxes (row0, col0, row1, col1).

    Attributes
    ----------
    region
        Extent of the breast, for the trivial baseline of random places.
    """

    patient: str
    candidates: tuple[tuple[float, Box], ...]
    lesions: tuple[Box, ...]
    region: Box


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
    return overlap(candidate, lesion) >= (0.2 if rule == "iou20" else 0.5)


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


def sensitivity(curve: Froc, rate: float, weights: Floats | None = None) -> float:
    """Return the share of lesions found at the lowest threshold with at most `rate` false boxes per image.

    nan without lesions or without counted images.
    """
    weight = np.ones(len(curve.counted)) if weights is None else weights
    images = float((weight * curve.counted).sum())
    lesions = weight[curve.found_image]
    if images == 0 or lesions.sum() == 0:
        return float("nan")
    order = np.argsort(-curve.false, kind="stable")
    running = np.cumsum(weight[curve.false_image[order]])
    over = np.flatnonzero(running > rate * images + 1e-9)
    # Every candidate strictly above the first false one that is too many may be kept.
    limit = curve.false[order][over[0]] if len(over) else -np.inf
    return float(lesions[curve.found > limit].sum() / lesions.sum())


def random_places(
    images: Sequence[ImageBoxes], rule: Rule, rate: float, *, rounds: int = 20, seed: int = 0
) -> float:
    """Return the sensitivity of boxes thrown at random into the breast: the trivial baseline.

    Each image gets `rate` boxes (a fraction by chance), each the size of a randomly chosen lesion.
    """
    generator = np.random.default_rng(seed)
    sizes = [(box[2] - box[0], box[3] - box[1]) for image in images for box in image.lesions]
    if not sizes:
        return float("nan")
    found = 0
    for _ in range(rounds):
        for image in images:
            if not image.lesions:
                continue
            count = int(rate) + int(generator.random() < rate - int(rate))
            thrown: list[Box] = []
            for _ in range(count):
                height, width = sizes[int(generator.integers(len(sizes)))]
                row = generator.uniform(image.region[0], image.region[2])
                col = generator.uniform(image.region[1], image.region[3])
                thrown.append((row - height / 2, col - width / 2, row + height / 2, col + width / 2))
            found += sum(any(hits(box, lesion, rule) for box in thrown) for lesion in image.lesions)
    return found / (rounds * len(sizes))


def mean_average_precision(images: Sequence[ImageBoxes], weights: Floats | None = None) -> float:
    """Return AP at IoU 0.5 of one class: greedy matching by score, precision made monotone, all points."""
    weight = np.ones(len(images)) if weights is None else weights
    total = sum(weight[number] * len(image.lesions) for number, image in enumerate(images))
    if total == 0:
        return float("nan")
    ranked: list[tuple[float, bool, float]] = []
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
            ranked.append((score, hit, float(weight[number])))
    ranked.sort(key=lambda entry: -entry[0])
    if not ranked:
        return 0.0
    true = np.cumsum([w * hit for _, hit, w in ranked])
    every = np.cumsum([w for _, _, w in ranked])
    precision = np.divide(true, every, out=np.zeros_like(true), where=every > 0)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.append(0.0, true / total)) * envelope))

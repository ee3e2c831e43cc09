"""The images that heat maps are tested on: a seeded sample with lesions of known place, prepared once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.core.errors import ReadError
from app.core.manifest import Box, Row
from model_zoo.contract import ArrayView
from model_zoo.geometry import inverse, map_boxes
from model_zoo.preprocess import Prepared, Preprocess, prepare
from model_zoo.spec import BundleSpec
from model_zoo.suitability import judge, too_few_pixels
from trainer.honesty.marker import with_markers
from trainer.honesty.networks import Explained
from trainer.recipe_blocks import Target
from trainer.views import read_view

Boxes = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """An image prepared after a bright marker was planted outside the breast.

    Attributes
    ----------
    pixels
        float32 (H, W).
    box
        The marker in prepared pixels, (1, 4), or (0, 4) where it was cut off altogether.
    """

    pixels: npt.NDArray[np.float32]
    box: Boxes


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One image.

    Attributes
    ----------
    pixels, breast
        Prepared image, float32 (H, W), and its breast mask.
    boxes
        (N, 4) lesions in prepared pixels.
    marked
        The image with a marker near the breast, and with one far from it.
    network
        What is asked about this patient: of a fold ensemble the member that never saw her.
    """

    image_id: str
    patient: str
    network: Explained
    pixels: npt.NDArray[np.float32]
    breast: npt.NDArray[np.bool_]
    boxes: Boxes
    marked: tuple[Marked, ...]


def lesions_of(row: Row, target: Target, detector: bool) -> tuple[Box, ...]:
    """Return the places a map should point at; empty where there are none, or one of them is not known.

    Of a detector those of its classes; of a classifier all lesions of a positive image, without those that
    proved benign where benign is not positive.
    """
    if detector:
        wanted = [one for one in row.findings if target.class_of(one.label, one.pathology) is not None]
    elif target.is_positive(row):
        spared = "benign" not in target.positive
        wanted = [one for one in row.findings if not (spared and one.pathology == "benign")]
    else:
        return ()
    places = tuple(one.box for one in wanted if one.box is not None)
    return places if len(places) == len(wanted) else ()


def sample(rows: Sequence[Row], target: Target, *, detector: bool, most: int, seed: int) -> list[Row]:
    """Return up to `most` images with known lesions, patients in random order, one image each in turn."""
    by_patient: dict[str, list[Row]] = {}
    for row in rows:
        if lesions_of(row, target, detector):
            by_patient.setdefault(row.patient_id, []).append(row)
    generator = np.random.default_rng(seed)
    queues = [
        [own[place] for place in generator.permutation(len(own))] for _, own in sorted(by_patient.items())
    ]
    queues = [queues[place] for place in generator.permutation(len(queues))]
    rounds = max((len(queue) for queue in queues), default=0)
    picked = [queue[turn] for turn in range(rounds) for queue in queues if turn < len(queue)]
    return picked[:most]


def make_case(
    row: Row, spec: BundleSpec, target: Target, network: Explained, *, detector: bool
) -> Case | None:
    """Return an image prepared for a bundle; None where it cannot be read or the bundle would not score it.

    Raises
    ------
    TrainerError
        The file is gone or has changed since it was indexed.
    """
    try:
        view = read_view(row)
    except ReadError:
        return None
    if judge(view, spec.views, spec.domain).level != "suits":
        return None
    if too_few_pixels(view.pixels.shape, spec.domain) is not None:
        return None
    try:
        made = prepare(view, spec.preprocess)
        marked = tuple(_marked(view, each, box, spec.preprocess) for each, box in with_markers(view))
    except ValueError:
        return None
    boxes = _placed(made, lesions_of(row, target, detector))
    if not len(boxes):
        return None
    return Case(row.image_id, row.patient_id, network, made.pixels[0], made.mask, boxes, marked)


def _marked(view: ArrayView, pixels: npt.NDArray[np.uint16], box: Box, block: Preprocess) -> Marked:
    padding = view.padding
    if padding is not None:
        padding = padding.copy()
        padding[int(box[0]) : int(box[2]), int(box[1]) : int(box[3])] = False
    made = prepare(replace(view, pixels=pixels, padding=padding), block)
    return Marked(made.pixels[0], _placed(made, (box,)))


def _placed(made: Prepared, boxes: Sequence[Box]) -> Boxes:
    """Return those stored boxes that reach into the prepared image, in its pixels."""
    rows, columns = made.pixels.shape[1:]
    placed = map_boxes(inverse(made.to_stored), np.array(boxes, np.float64).reshape(-1, 4))
    inside = (placed[:, 2] > 0) & (placed[:, 3] > 0) & (placed[:, 0] < rows) & (placed[:, 1] < columns)
    kept: Boxes = placed[inside]
    return kept


def blank_images(view: ArrayView, block: Preprocess) -> npt.NDArray[np.float32]:
    """Return a black and a grey image of a view's size as the network would be shown them; (N, H, W)."""
    made = []
    for level in (0, 32768):
        empty = replace(view, pixels=np.full(view.pixels.shape, level, np.uint16), padding=None)
        try:
            made.append(prepare(empty, block).pixels[0])
        except ValueError:
            continue
    return np.stack(made) if made else np.zeros((0, block.resize.rows, block.resize.columns), np.float32)

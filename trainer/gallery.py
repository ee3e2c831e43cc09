"""The worst errors of an evaluation as pictures, with the heat map, the model's boxes and the truth.

A picture is named by its image id and shows the breast alone: air, labels and film edges, where a
name may be burned in, are black.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.core.files import whole
from app.core.manifest import Box, Row
from model_zoo.breast import find_breast
from model_zoo.contract import HeatMap, MammogramView
from model_zoo.exam import predict_exam
from model_zoo.preprocess import DIGITAL
from model_zoo.spec import OperatingPoint
from trainer.evaluate import Choose, read_study
from trainer.recipe_blocks import Target
from trainer.units import ExamResult, ImageResult, scored_images

SHOWN = 6
"""Pictures of each kind."""
_HEIGHT = 520
_MAP = (255.0, 140.0, 0.0)
_MODEL, _TRUTH = (90, 170, 255), (120, 230, 140)
_MAP_STRENGTH = 0.6
Colour = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """One error as a PNG, and what is said below it."""

    kind: str
    name: str
    caption: str
    png: bytes


def worst(
    exams: Sequence[ExamResult], target: Target, point: OperatingPoint | None
) -> list[tuple[str, list[ImageResult]]]:
    """Return the positives with the lowest scores and the negatives with the highest, the worst first.

    With an operating point only those on its wrong side.
    """
    images = scored_images(exams)
    missed = sorted((one for one in images if target.is_positive(one.row)), key=_score)
    false = sorted((one for one in images if not target.is_positive(one.row)), key=_score, reverse=True)
    if point is None:
        return [
            ("Positives with the lowest scores", missed[:SHOWN]),
            ("Negatives with the highest scores", false[:SHOWN]),
        ]
    at = point.threshold
    return [
        ("False negatives, the worst first", [one for one in missed if _score(one) < at][:SHOWN]),
        ("False positives, the worst first", [one for one in false if _score(one) >= at][:SHOWN]),
    ]


def _score(image: ImageResult) -> float:
    return -1.0 if image.score is None else image.score


def gallery(
    exams: Sequence[ExamResult], target: Target, point: OperatingPoint | None, choose: Choose
) -> list[Picture]:
    """Return the pictures of the worst errors; each study is asked once more, for its heat map."""
    exam_of = {image.row.image_id: exam for exam in exams for image in exam.images}
    made = []
    for kind, images in worst(exams, target, point):
        for number, image in enumerate(images, start=1):
            rows = [one.row for one in exam_of[image.row.image_id].images]
            name = f"{'missed' if target.is_positive(image.row) else 'false-alarm'}-{number}"
            png = _picture(image, rows, choose)
            if png is not None:
                made.append(Picture(kind, name, _caption(image), png))
    return made


def _caption(image: ImageResult) -> str:
    row = image.row
    types = ", ".join(dict.fromkeys(lesion.label for lesion in row.findings))
    where = " ".join(word for word in (row.laterality, row.view) if word)
    facts = [row.image_id, where, row.label + (f" ({types})" if types else ""), f"score {_score(image):.3f}"]
    return ", ".join(fact for fact in facts if fact)


def _picture(image: ImageResult, rows: Sequence[Row], choose: Choose) -> bytes | None:
    predictor = choose(image.row.patient_id)
    spec = predictor.bundle.spec
    if not spec.views.required and not spec.aggregation.bilateral:
        # A model that looks at one view alone need not be asked of the others.
        rows = [image.row]
    views = read_study(rows)
    place = [row.image_id for row in rows].index(image.row.image_id)
    answer = predict_exam(predictor, views, heatmaps=True).views[place]
    lesions = [lesion.box for lesion in image.row.findings if lesion.box is not None]
    drawn = draw(views[place], answer.heatmap, image.boxes, lesions)
    done, png = cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))
    return png.tobytes() if done else None


def draw(
    view: MammogramView,
    heatmap: HeatMap | None,
    boxes: Sequence[tuple[float, Box]],
    lesions: Sequence[Box],
) -> Colour:
    """Return the breast of a view with the evidence for the score, the model's boxes and the lesions.

    Returns
    -------
    uint8, shape (at most 520, columns, 3), RGB. Orange: evidence for; blue: the model's boxes; green:
    what the data set marks.
    """
    breast = find_breast(view.pixels, view.padding, digital=view.source in DIGITAL)
    row0, col0, row1, col1 = breast.box
    body = cv2.resize(breast.mask.astype(np.uint8), view.pixels.shape[::-1], interpolation=cv2.INTER_NEAREST)[
        row0:row1, col0:col1
    ]
    grey = _grey(view.pixels[row0:row1, col0:col1], body > 0)
    scale = min(1.0, _HEIGHT / grey.shape[0])
    shape = (max(1, round(grey.shape[0] * scale)), max(1, round(grey.shape[1] * scale)))
    small = cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_AREA)
    colour = np.repeat(small[:, :, None], 3, axis=2).astype(np.float32)
    if heatmap is not None:
        strength = _strength(heatmap, (row0, col0), scale, shape)[:, :, None]
        colour = colour * (1 - strength) + np.array(_MAP, np.float32) * strength
    drawn: Colour = np.ascontiguousarray(np.clip(colour, 0, 255).astype(np.uint8))
    for frame, own in ((_MODEL, [box for _, box in boxes]), (_TRUTH, list(lesions))):
        for box in own:
            top, left, foot, right = (
                round((edge - start) * scale)
                for edge, start in zip(box, (row0, col0, row0, col0), strict=True)
            )
            cv2.rectangle(drawn, (left, top), (right - 1, foot - 1), frame, 2)
    return drawn


def _grey(pixels: npt.NDArray[np.uint16], body: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Return the breast stretched between its 1st and 99.8th percentile; black beside it."""
    inside = pixels[body] if body.any() else pixels.ravel()
    low, high = np.percentile(inside[:: max(1, len(inside) // 100_000)], (1, 99.8))
    stretched = np.clip((pixels - low) / max(high - low, 1.0), 0, 1) * 255
    made: npt.NDArray[np.uint8] = np.where(body, stretched, 0).astype(np.uint8)
    return made


def _strength(
    heatmap: HeatMap, corner: tuple[int, int], scale: float, shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Return how strongly the map's colour covers each pixel, 0..0.6, (rows, columns).

    A small pixel's centre lies at stored ``corner + (pixel + 0.5) / scale - 0.5``; the map's affine takes
    its cells there, and its inverse comes back.
    """
    evidence = np.maximum(heatmap.values, 0.0)
    top = float(evidence.max())
    if top <= 0:
        return np.zeros(shape, np.float32)
    to_stored = np.array([[1 / scale, 0, corner[0]], [0, 1 / scale, corner[1]], [0, 0, 1]])
    to_stored[:2, 2] += 0.5 / scale - 0.5
    cells = np.linalg.inv(np.vstack([heatmap.affine, [0, 0, 1]])) @ to_stored
    swapped = cells[[1, 0]][:, [1, 0, 2]]  # cv2 counts (x, y)
    warped: Any = cv2.warpAffine(
        (evidence / top).astype(np.float32),
        swapped,
        shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    found: npt.NDArray[np.float32] = warped * np.float32(_MAP_STRENGTH)
    return found


def write_gallery(pictures: Sequence[Picture], folder: Path) -> None:
    """Write ``gallery/NAME.png`` into a report folder, in place of an earlier run's; may raise OSError."""
    place = folder / "gallery"
    for old in place.glob("*.png"):
        old.unlink()
    for picture in pictures:
        with whole(place / f"{picture.name}.png") as part:
            part.write_bytes(picture.png)

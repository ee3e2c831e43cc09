"""``evaluate-overhead``: what evaluating 1,000 images costs beside the bare forward passes.

Scoring (reading, decoding, preparing, aggregating) is timed on phantom exams, taking turns with the
networks alone on the same prepared pixels. The statistics, curves and pictures of a report are timed
once on 1,000 scored images, made of those by renaming, and added.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.errors import MammoviewError
from app.core.manifest import Row, read_manifest, write_manifest
from benchmarks.result import BenchmarkError, Result, alternate, judge
from model_zoo.errors import ModelError
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.preprocess import prepare
from trainer.curves import curves
from trainer.datasets import index
from trainer.evaluate import boxes_from, find_bundle, read_study, score_part, studies, target_of
from trainer.gallery import gallery
from trainer.measure import measure
from trainer.phantoms import make_phantoms
from trainer.recipe_blocks import Target
from trainer.splits import Part
from trainer.subgroups import subgroups
from trainer.units import ExamResult

MODEL = "phantom-lesions"
EXAMS, ROUNDS, IMAGES = 6, 3, 1000
SHAPE = (1280, 1024)
BUDGET = 1.2
"""Times the bare forward passes."""


def run(name: str, folder: Path) -> Result:
    """Measure the overhead, as a multiple of the forward passes beside its budget."""
    try:
        bundle = find_bundle(MODEL)
        predictor = load_predictor(bundle, "auto")
        rows = _rows(folder)
        part = Part("all", rows, -1, "")
        prepared = _prepared(predictor, rows)
        exams = score_part(predictor, part)
        target = target_of(bundle, rows)
        report = _seconds(lambda: _report(predictor, exams, target)) / IMAGES
    except (ModelError, MammoviewError) as error:
        raise BenchmarkError(str(error)) from None

    def ours() -> float:
        return report + _seconds(lambda: score_part(predictor, part)) / len(rows)

    def theirs() -> float:
        return _seconds(lambda: [predictor.answer(pixels) for pixels in prepared]) / len(rows)

    runs = [(whole / bare, BUDGET) for whole, bare in alternate(ours, theirs, ROUNDS)]
    config = (
        f"{BUDGET} x the forward passes; {MODEL} on {predictor.device}, {len(rows)} images of {SHAPE[0]} x "
        f"{SHAPE[1]}, statistics and pictures of {IMAGES} images ({1000 * report:.1f} ms per image) included"
    )
    return judge(
        name, "times the bare forward passes", runs, better="lower", peer="budget", peer_config=config
    )


def _rows(folder: Path) -> tuple[Row, ...]:
    place = folder / "evaluated"
    if not (place / "manifest.csv").is_file():
        make_phantoms(place, EXAMS, 7, SHAPE)
        write_manifest(index("phantom", place, lambda sentence: None), place / "manifest.csv")
    return read_manifest(place / "manifest.csv").rows


def _prepared(predictor: Predictor, rows: Sequence[Row]) -> list[npt.NDArray[np.float32]]:
    block = predictor.bundle.spec.preprocess
    return [prepare(view, block).pixels for study in studies(rows) for view in read_study(study)]


def _report(predictor: Predictor, exams: Sequence[ExamResult], target: Target) -> None:
    """Do all that comes after scoring, for as many images as the goal speaks of."""
    images = sum(len(exam.images) for exam in exams)
    many = [_renamed(exam, copy) for copy in range(-(-IMAGES // images)) for exam in exams]
    least = boxes_from(predictor.bundle.spec)
    point = next(iter(predictor.bundle.spec.operating_points), None)
    measure(many, target, bundle=MODEL, split="all", boxes_from=least, point=point)
    subgroups(many, target, point, boxes=least is not None)
    curves(many, target, boxes=least is not None)
    gallery(exams, target, None, lambda patient: predictor)


def _renamed(exam: ExamResult, copy: int) -> ExamResult:
    """Return the exam as another patient's, each score a little moved."""
    moved = []
    for image in exam.images:
        row = image.row
        own = replace(
            row,
            image_id=f"{row.image_id}-{copy}",
            patient_id=f"{row.patient_id}-{copy}",
            study_id=f"{row.study_id}-{copy}",
        )
        score = None if image.score is None else min(1.0, image.score * (1 - 0.001 * copy))
        moved.append(replace(image, row=own, score=score))
    return ExamResult(tuple(moved), exam.breasts, exam.exam)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start

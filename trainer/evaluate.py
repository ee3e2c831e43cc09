"""Evaluation of a finished bundle: through the very `predict_exam` that the workstation calls."""

from __future__ import annotations

import csv
import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from app.core.errors import ReadError
from app.core.files import write_json, write_text
from app.core.manifest import Box, Row, is_normal
from model_zoo.breast import find_breast
from model_zoo.bundle import Bundle, find_bundles, load_bundle, shipped_folder
from model_zoo.contract import MammogramView, UnreadableView, ViewPrediction
from model_zoo.exam import predict_exam
from model_zoo.predictor import Predictor
from model_zoo.preprocess import DIGITAL
from model_zoo.spec import BundleSpec
from trainer.errors import TrainerError
from trainer.recipe_blocks import Classes, Target
from trainer.runs import patient_mark
from trainer.splits import Part
from trainer.units import ExamResult, ImageResult
from trainer.views import read_view

Report = Callable[[int, int], None]
Choose = Callable[[str], Predictor]
"""The predictor to ask for a patient id."""
_READERS = 2
"""Studies decoded ahead, so that the networks need not wait for files."""


def studies(rows: Iterable[Row]) -> list[list[Row]]:
    """Return rows by study, in order of first appearance."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.patient_id, row.study_id), []).append(row)
    return list(found.values())


def read_study(rows: Sequence[Row]) -> list[MammogramView]:
    """Return the views of a study; one that cannot be decoded takes part as unreadable.

    Raises
    ------
    TrainerError
        A file that is not there or has changed: a manifest that has come apart is no reason to leave
        images out.
    """
    views: list[MammogramView] = []
    for row in rows:
        try:
            views.append(read_view(row))
        except ReadError as error:
            side, name = row.laterality or None, row.view or None
            views.append(UnreadableView(row.image_id, error.reason, side, name, row.source))
    return views


def _result(row: Row, view: MammogramView, answer: ViewPrediction) -> ImageResult:
    if answer.status != "scored":
        whole = (0.0, 0.0, float(row.rows), float(row.columns))
        return ImageResult(row, None, answer.reason, (), whole)
    boxes = tuple((finding.score, finding.box) for finding in answer.findings)
    return ImageResult(row, answer.score, None, boxes, _region(view), answer.classes)


_COARSE = 4


def _region(view: MammogramView) -> Box:
    """Return about where the breast lies, for boxes thrown at random: every fourth pixel will do."""
    padding = None if view.padding is None else view.padding[::_COARSE, ::_COARSE]
    small = view.pixels[::_COARSE, ::_COARSE]
    row0, col0, row1, col1 = find_breast(small, padding, digital=view.source in DIGITAL).box
    rows, columns = view.pixels.shape
    return (
        float(row0 * _COARSE),
        float(col0 * _COARSE),
        float(min(rows, row1 * _COARSE)),
        float(min(columns, col1 * _COARSE)),
    )


def read_ahead(groups: Sequence[Sequence[Row]]) -> Iterator[list[MammogramView]]:
    """Give the views of each study in order, while the next ones are being read; raises TrainerError.

    At most two studies wait in memory.
    """
    with ThreadPoolExecutor(_READERS, thread_name_prefix="read-ahead") as pool:
        waiting: deque[Future[list[MammogramView]]] = deque()
        coming = iter(groups)
        try:
            for rows in coming:
                waiting.append(pool.submit(read_study, rows))
                if len(waiting) > _READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()


def score_study(predictor: Predictor, rows: Sequence[Row], views: Sequence[MammogramView]) -> ExamResult:
    """Return what a bundle says about one study of the manifest."""
    prediction = predict_exam(predictor, views)
    images = [_result(*one) for one in zip(rows, views, prediction.views, strict=True)]
    return ExamResult(tuple(images), prediction.breasts, prediction.exam_score)


def score_part(choose: Predictor | Choose, part: Part, report: Report | None = None) -> list[ExamResult]:
    """Return what a bundle says about every study of a part.

    Parameters
    ----------
    choose
        The predictor, or a function that gives the one to be used for a patient id (a fold ensemble
        is asked through those members that never saw the patient).
    """
    groups = studies(part.rows)
    made = []
    for number, (rows, views) in enumerate(zip(groups, read_ahead(groups), strict=True), start=1):
        predictor = choose if isinstance(choose, Predictor) else choose(rows[0].patient_id)
        made.append(score_study(predictor, rows, views))
        if report is not None:
            report(number, len(groups))
    return made


def models_folder() -> Path:
    """Return the user's model folder, the same that the workstation uses: MAMMOVIEW_MODELS if set."""
    named = os.environ.get("MAMMOVIEW_MODELS")
    return Path(named) if named else Path(platformdirs.user_data_dir("mammoview", appauthor=False)) / "models"


def find_bundle(name: str, folders: Sequence[Path] = ()) -> Bundle:
    """Return a bundle by folder, or by name among the shipped ones and those in `folders`.

    Raises
    ------
    BundleError
        There is none, or it is refused.
    """
    path = Path(name)
    if path.is_dir() or "/" in name or path.is_absolute():
        return load_bundle(path)
    return find_bundles([shipped_folder(), *folders]).get(name)


def target_of(bundle: Bundle, rows: Iterable[Row]) -> Target:
    """Return what a bundle was trained to find, as its metrics.json says; else all that is not normal."""
    stated: Mapping[str, Any] = bundle.metrics.get("target", {})
    positive = stated.get("positive")
    if not isinstance(positive, list) or not positive:
        positive = sorted({row.label for row in rows if row.label.strip() and not is_normal(row.label)})
    findings = stated.get("findings")
    if not isinstance(findings, dict):
        findings = {name: ["*"] for name in bundle.spec.outputs.findings[:1]}
    return Target(
        tuple(str(label) for label in positive),
        bundle.spec.outputs.score.of,
        {str(name): tuple(str(label) for label in labels) for name, labels in findings.items()},
        _stated_classes(stated.get("classes")),
        stated.get("by_lesions") is True,
    )


def _stated_classes(block: object) -> Classes | None:
    """Return the classes that a bundle's metrics.json states, None where it states none that can be read."""
    if not isinstance(block, Mapping) or not isinstance(block.get("words"), Mapping):
        return None
    words = {str(name): tuple(map(str, known)) for name, known in block["words"].items()}
    return Classes(str(block.get("of", "")), bool(block.get("several", False)), words)


def target_json(target: Target) -> dict[str, Any]:
    """Return what was learnt as metrics.json states it."""
    made: dict[str, Any] = {
        "positive": list(target.positive),
        "findings": {name: list(labels) for name, labels in target.findings.items()},
    }
    if target.by_lesions:
        made["by_lesions"] = True
    if target.classes is not None:
        words = {name: list(known) for name, known in target.classes.words.items()}
        made["classes"] = {"of": target.classes.of, "several": target.classes.several, "words": words}
    return made


def boxes_from(spec: BundleSpec) -> float | None:
    """Return the score from which a bundle's boxes count; None without a detector."""
    return spec.detection.score_threshold if "detector" in spec.networks else None


def seen_patients(bundle: Bundle, part: Part) -> int:
    """Return how many patients of a part trained (or tuned) the bundle's weights, as far as it says."""
    marks = bundle.metrics.get("trained_on_patients", [])
    known = set(marks) if isinstance(marks, list) else set()
    return sum(patient_mark(patient) in known for patient in {row.patient_id for row in part.rows})


def write_report(folder: Path, metrics: Mapping[str, Any], card: str, exams: Sequence[ExamResult]) -> None:
    """Write metrics.json, MODEL_CARD.md and predictions.csv into a report folder; may raise OSError."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("image_id", "patient_id", "laterality", "view", "label", "score", "findings"))
    for exam in exams:
        for image in exam.images:
            row, score = image.row, "" if image.score is None else f"{image.score:.6f}"
            facts = (row.image_id, row.patient_id, row.laterality, row.view, row.label)
            writer.writerow((*facts, score, len(image.boxes)))
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "MODEL_CARD.md", card)
    write_text(folder / "predictions.csv", table.getvalue())


@contextmanager
def report_into(folder: Path) -> Iterator[None]:
    """Turn what stops a report from being written into one sentence; each file is whole or not there."""
    try:
        yield
    except OSError as error:
        raise TrainerError(f"{folder}: the report cannot be written ({error.strerror})") from error

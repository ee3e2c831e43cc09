"""Prediction files (``mammoview-prediction``, DESIGN.md) read back and joined to the images of a table.

An image is known by its file's path, else by its SOP Instance UID where the manifest uses that as image id.
A file of another manifest joins no image, and that is said in one sentence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.core.audit.cases import STATUSES, Answers, AuditModel, ExamSaid, SaidBox, ViewSaid, answers_of
from app.core.errors import ReadError
from app.core.manifest import NO_PATIENT, Box, Row

FORMAT: Final = "mammoview-prediction"


@dataclass(frozen=True, slots=True)
class FileView:
    """One image of a prediction file."""

    model: str
    sop_uid: str
    path: Path
    laterality: str
    view: str
    said: ViewSaid


@dataclass(frozen=True, slots=True)
class FileStudy:
    """One study of a prediction file: its images, and by model (breasts, exam score)."""

    uid: str
    views: tuple[FileView, ...]
    scores: Mapping[str, tuple[Mapping[str, float | None], float | None]]


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """A prediction file, read and checked."""

    path: Path
    models: tuple[AuditModel, ...]
    studies: tuple[FileStudy, ...]


def read_predictions(path: Path) -> PredictionFile:
    """Read a prediction file.

    Raises
    ------
    ReadError
        It cannot be read, is no prediction file, or is of a newer version; one sentence.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadError(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ReadError(path, "is no JSON, so no predictions") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ReadError(path, "holds no predictions of Mammoview")
    if data.get("version") != 1:
        raise ReadError(path, f"holds predictions of version {data.get('version')}, this program reads 1")
    try:
        models = tuple(_model(each) for each in data["models"])
        studies = tuple(_study(each, models, path.parent) for each in data["studies"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(path, f"cannot be understood ({type(error).__name__}: {error})") from error
    return PredictionFile(path, models, studies)


def _model(data: Mapping[str, Any]) -> AuditModel:
    score = data["outputs"]["score"]
    return AuditModel(
        name=str(data["name"]),
        version=str(data["version"]),
        score_of=str(score.get("of", "")),
        calibrated=bool(score.get("calibrated", False)),
        prevalence=_number(score.get("prevalence")),
    )


def _study(data: Mapping[str, Any], models: Sequence[AuditModel], folder: Path) -> FileStudy:
    summaries = {str(one["model"]): one for one in data.get("by_model", [])}
    if not summaries and len(models) == 1:
        summaries = {models[0].name: data}
    scores = {
        name: (
            {side: _number(one["breasts"].get(side)) for side in ("L", "R")},
            _number(one.get("exam_score")),
        )
        for name, one in summaries.items()
    }
    return FileStudy(str(data["study_uid"]), tuple(_view(each, folder) for each in data["views"]), scores)


def _view(data: Mapping[str, Any], folder: Path) -> FileView:
    if data["status"] not in STATUSES[1:]:
        raise ValueError(f"the status {data['status']} is none")
    score = _number(data["score"])
    if (score is None) == (data["status"] == "scored"):
        raise ValueError("a scored image has no score, or one that is not scored has one")
    path = Path(data["path"])
    boxes = tuple(
        SaidBox(str(box["label"]), float(box["score"]), _box(box["box"]), bool(box.get("calibrated")))
        for box in data["findings"]
    )
    notes = tuple(str(note) for note in data.get("notes", ()))
    classes = {str(name): float(chance) for name, chance in data.get("classes", {}).items()}
    return FileView(
        str(data["model"]),
        str(data["sop_uid"] or ""),
        _absolute(path, folder),
        str(data.get("laterality") or ""),
        str(data.get("view") or ""),
        ViewSaid(data["status"], str(data.get("reason") or ""), score, boxes, notes, classes),
    )


def _absolute(path: Path, folder: Path) -> Path:
    """Return where the image lies: a relative path is as seen by who ran ``predict``, or from the file."""
    if path.is_absolute():
        return path
    here = folder / path
    return (here if here.exists() else path).absolute()


def _box(value: Any) -> Box:
    row0, col0, row1, col1 = (float(edge) for edge in value)
    return row0, col0, row1, col1


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("a number is none")
    return float(value)


def rows_of(predictions: PredictionFile) -> tuple[Row, ...]:
    """Return a row for each image of a prediction file, for an audit without a manifest: nothing is true."""
    found: dict[tuple[str, str], Row] = {}
    for study in predictions.studies:
        for view in study.views:
            name = view.sop_uid or str(view.path)
            found.setdefault((study.uid, name), _row(study, view, name))
    return tuple(found.values())


def _row(study: FileStudy, view: FileView, name: str) -> Row:
    uid = study.uid or name
    return Row(
        name, NO_PATIENT + uid, uid, view.laterality, view.view, view.path, 0, "", 0, 0, None,
        "", "", "", "", "", "a prediction file: no truth",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Joined:
    """A prediction file's answers by row, one for each model, and what is to be said about the join."""

    answers: tuple[Answers, ...]
    notes: tuple[str, ...]


def join(predictions: PredictionFile, rows: Sequence[Row]) -> Joined:
    """Return the answers of a prediction file for the images of a table.

    Raises
    ------
    ReadError
        Not one of its images is among them: they are predictions of another manifest.
    """
    places = _places(rows)
    exams: dict[str, list[ExamSaid]] = {model.name: [] for model in predictions.models}
    strange: set[Path] = set()
    met: set[int] = set()
    for study in predictions.studies:
        by_model: dict[str, dict[int, ViewSaid]] = {}
        for view in study.views:
            place = places.get(str(view.path), places.get(view.sop_uid))
            if place is None:
                strange.add(view.path)
            else:
                by_model.setdefault(view.model, {})[place] = view.said
                met.add(place)
        for name, views in by_model.items():
            breasts, exam = study.scores.get(name, ({}, None))
            exams.setdefault(name, []).append(ExamSaid(views, breasts, exam))
    if not met and strange:
        raise ReadError(
            predictions.path,
            f"are of another manifest: none of its {len(strange)} images is among the {len(rows)}",
        )
    answers = tuple(answers_of(model, rows, exams[model.name]) for model in predictions.models)
    return Joined(answers, tuple(_notes(predictions.path, len(strange), len(met), len(rows))))


def _places(rows: Sequence[Row]) -> dict[str, int]:
    """Return the place of each image by id and by path; what two rows share (frames) stands for neither."""
    found: dict[str, int] = {}
    twice: set[str] = set()
    for number, row in enumerate(rows):
        for name in {row.image_id, str(row.path)}:
            if name in found:
                twice.add(name)
            found[name] = number
    return {name: place for name, place in found.items() if name not in twice and name}


def _notes(path: Path, strange: int, met: int, rows: int) -> Iterable[str]:
    if strange:
        yield f"{path.name}: {strange} of its images are not among the {rows} that are audited; left out."
    if met < rows:
        yield f"{path.name}: {rows - met} of {rows} images have no prediction in it."

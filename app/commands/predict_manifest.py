"""``predict`` over a whole manifest: the audit's engine, several processes, resumed after a kill."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.commands.output import write_json
from app.commands.prediction_json import document, view_entry
from app.core.audit.cases import AuditModel, ViewSaid
from app.core.audit.kept import FILE_NAME, ExamRecord, KeptAnswers
from app.core.errors import MammoviewError
from app.core.manifest import Row, read_manifest
from app.core.settings import Device, data_folder
from app.services.audit.loading import keys_of
from app.services.audit.predicting import Run, plan_of, predict, usual_workers
from app.services.inference.audited import audit_model
from model_zoo.bundle import Bundle

Exams = dict[str, list[list[int]]]
"""By key the exams that have it, each as the places of its images."""

_EVERY_S = 10.0
"""How often progress is told."""


def predict_manifest(
    path: Path, out: Path, bundles: Sequence[Bundle], device: Device, workers: int, scheduler: str | None
) -> int:
    """Ask each bundle about each exam of a manifest and write the predictions; 0 if anything was answered.

    What was answered before (here or in an audit of the window) is not asked again.
    """
    rows = read_manifest(path).rows
    models = tuple(audit_model(bundle) for bundle in bundles)
    keys = keys_of(rows)
    kept = data_folder() / FILE_NAME
    known = [_kept(kept, model, keys) for model in models]
    missing = [[place not in _places(own, keys) for place in range(len(rows))] for own in known]
    run = Run(models, plan_of(rows, missing))
    if run.plan.tasks:
        folders = [bundle.folder for bundle in bundles]
        count = workers or usual_workers()
        predict(run, folders, kept, device, count, scheduler, report=_Progress(run))
    answers = [_kept(kept, model, keys) for model in models]
    write_json(out, _document(models, rows, keys, answers))
    return _summary(path, rows, keys, answers)


def _kept(file: Path, model: AuditModel, keys: Exams) -> dict[str, ExamRecord]:
    store = KeptAnswers(file)
    try:
        found = store.find(model.digest, tuple(keys))
    finally:
        store.close()
    return {key: record for key, record in found.items() if len(record.views) == len(keys[key][0])}


def _places(known: dict[str, ExamRecord], keys: Exams) -> set[int]:
    return {place for key in known for exam in keys[key] for place in exam}


class _Progress:
    """Tells how far it is, a line now and then, where a person looks on."""

    def __init__(self, run: Run) -> None:
        self._run, self._told = run, time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        left = self._run.seconds_left()
        if now - self._told < _EVERY_S or not sys.stdout.isatty():
            return
        self._told = now
        rest = "" if left is None else f", {left / 60:.0f} min left"
        print(f"{done} of {total} exams{rest}", flush=True)


def _document(
    models: Sequence[AuditModel],
    rows: Sequence[Row],
    keys: Exams,
    answers: Sequence[dict[str, ExamRecord]],
) -> dict[str, Any]:
    studies = []
    for key, exams in keys.items():
        said = [(model, own[key]) for model, own in zip(models, answers, strict=True) if key in own]
        if said:
            studies += [_study([rows[place] for place in exam], said) for exam in exams]
    return document(models, studies)


def _study(rows: Sequence[Row], said: Sequence[tuple[AuditModel, ExamRecord]]) -> dict[str, Any]:
    wanted = [one for status in ("complete", "partial") for _, one in said if one.status == status]
    lead = wanted[0] if wanted else said[0][1]
    return {
        "study_uid": rows[0].study_id,
        **_scores(lead),
        "views": [
            _view(model.name, row, uid, view)
            for model, record in said
            for row, uid, view in zip(rows, record.uids, record.views, strict=True)
        ],
        "by_model": [{"model": model.name, **_scores(record)} for model, record in said],
    }


def _scores(record: ExamRecord) -> dict[str, Any]:
    return {
        "status": record.status,
        "breasts": {side: record.breasts.get(side) for side in ("L", "R")},
        "exam_score": record.exam,
        "suitability": list(record.remarks),
    }


def _view(model: str, row: Row, uid: str, said: ViewSaid) -> dict[str, Any]:
    return view_entry(
        said,
        [(box, row.frame) for box in said.boxes],
        uid=uid,
        path=row.path,
        model=model,
        laterality=row.laterality or None,
        view=row.view or None,
    )


def _summary(path: Path, rows: Sequence[Row], keys: Exams, answers: Sequence[dict[str, ExamRecord]]) -> int:
    seen = [
        view for own in answers for key, record in own.items() for _ in keys[key] for view in record.views
    ]
    for status in ("scored", "declined", "failed"):
        print(f"{status}: {sum(view.status == status for view in seen)}")
    lost = sum(
        len(exam) for own in answers for key, exams in keys.items() if key not in own for exam in exams
    )
    if lost:
        print(f"not answered, the model's process was killed: {lost}; the same command tries them again")
    if all(view.status == "failed" for view in seen):
        reason = seen[0].reason if seen else "the model's process was killed, perhaps for lack of memory"
        raise MammoviewError(f"{path}: none of its {len(rows)} images could be analysed: {reason}")
    return 0

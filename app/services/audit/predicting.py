"""Asking models about all cases that they have not answered yet, in the background.

Each answer is kept on disk before it is shown. Killed, cancelled or failed, the same call goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.audit.cases import AuditModel, ExamSaid
from app.core.audit.kept import KeptAnswers, exam_key
from app.core.manifest import Row
from app.core.settings import Device
from app.core.spread import cores
from app.services.audit.loading import Report, exams_of
from app.services.inference.audited import need_unchanged
from app.services.inference.batch import Answered, ExamTask, predict_all

MOST_WORKERS = 4
"""Processes where nobody says how many: each holds its own networks (about a gigabyte)."""

PACE_AFTER_S = 3.0
"""No time left is told before so many seconds: starting the processes says nothing of the pace."""


def usual_workers() -> int:
    """Return how many processes are worth it here."""
    return max(1, min(cores(), MOST_WORKERS))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is still to be asked.

    Attributes
    ----------
    places
        By task, the places of its images in the table.
    keys
        By task, the key of its exam.
    images
        Images times models that are to be looked at.
    """

    tasks: tuple[ExamTask, ...]
    places: tuple[tuple[int, ...], ...]
    keys: tuple[str, ...]

    @property
    def images(self) -> int:
        """Images times models."""
        return sum(len(task.rows) * len(task.bundles) for task in self.tasks)


def plan_of(rows: Sequence[Row], missing: Sequence[Sequence[bool]]) -> Plan:
    """Return what is to be asked: each exam of which a model lacks the answer to at least one image.

    Parameters
    ----------
    missing
        By model, whether a row has no answer.
    """
    tasks, places, keys = [], [], []
    for exam in exams_of(rows):
        bundles = tuple(number for number, own in enumerate(missing) if any(own[place] for place in exam))
        if bundles:
            own = tuple(rows[place] for place in exam)
            tasks.append(ExamTask(own, bundles))
            places.append(tuple(exam))
            keys.append(exam_key(own))
    return Plan(tuple(tasks), tuple(places), tuple(keys))


@dataclass(slots=True, eq=False)
class Run:
    """Answers on their way from the worker's thread to the window's; safe for both.

    Attributes
    ----------
    models
        Those that are asked, by place of the bundle.
    """

    models: tuple[AuditModel, ...]
    plan: Plan
    images_done: int = 0
    failed: int = 0
    _news: dict[int, list[ExamSaid]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _began: float | None = None
    _at_first: int = 0

    def add(self, task: int, said: Answered) -> None:
        """Take the answers about one exam."""
        places = self.plan.places[task]
        with self._lock:
            for number, record in said:
                self._news.setdefault(number, []).append(record.at(places))
                self.images_done += len(places)
                self.failed += sum(view.status == "failed" for view in record.views)

    def news(self) -> dict[int, list[ExamSaid]]:
        """Return the answers that came since this was last asked, by place of the model."""
        with self._lock:
            found, self._news = self._news, {}
            return found

    def seconds_left(self) -> float | None:
        """Return how long it will take at the pace since the first answer; None while that is not known."""
        now = time.monotonic()
        with self._lock:
            if self._began is None and self.images_done:
                self._began, self._at_first = now, self.images_done
            if self._began is None or now - self._began < PACE_AFTER_S or self.images_done == self._at_first:
                return None
            pace = (now - self._began) / (self.images_done - self._at_first)
            return pace * (self.plan.images - self.images_done)


def predict(
    run: Run,
    folders: Sequence[Path],
    kept: Path,
    device: Device,
    workers: int,
    scheduler: str | None = None,
    *,
    report: Report,
) -> None:
    """Ask all that the plan names, keeping each answer; for a job.

    Raises
    ------
    MammoviewError
        A bundle is gone or another one by now, or answers cannot be kept; what was kept stays.
    Cancelled
        When `report` raises it.
    """
    for model, folder in zip(run.models, folders, strict=True):
        need_unchanged(model, folder)
    file = KeptAnswers(kept)

    def take(task: int, said: Answered, for_good: bool) -> None:
        # Put there anew meanwhile (promoted, say), a bundle may have given this answer already.
        for number, _ in said:
            need_unchanged(run.models[number], folders[number])
        if for_good:
            for number, record in said:
                file.keep(run.models[number].digest, [(run.plan.keys[task], record)])
        run.add(task, said)

    try:
        predict_all(
            run.plan.tasks, folders, take, report, device=device, workers=workers, scheduler=scheduler
        )
    finally:
        file.close()

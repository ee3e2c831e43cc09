"""The audit workspace's own session: one mutable object between its widgets and what is pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QTimer, Slot

from app.core.audit.cases import ABSENT, FAILED, Answers, AuditModel, with_exams
from app.core.audit.columns import sheet_of
from app.core.audit.filters import words
from app.core.audit.matching import Matching
from app.core.audit.readings import agreement_csv, answers_csv
from app.core.audit.report import write_report
from app.core.audit.reported import AuditReport, Exhibit, cases_csv
from app.core.files import write_text
from app.core.manifest import Row
from app.core.settings import Device
from app.core.spread import ClusterError
from app.services.audit.next_cases import AuditNext
from app.services.audit.predicting import Plan, Run, plan_of, predict, usual_workers
from app.services.audit.state import Predicting
from app.services.audit.table import sentence_of
from app.services.inference.gallery import exhibits
from app.services.jobs import Job, Report

NEWS_MS = 500
"""How often the table takes in what models said meanwhile."""


class Audit(AuditNext):
    """All of an audit: `AuditCases`, `AuditVerdicts`, `AuditBlinded`, `AuditNext`, and models and reports.

    Signals are those of `AuditCases`, parameters those of `AuditVerdicts`.
    """

    _run: Run | None = None
    _predicting: Job | None = None

    # Models

    @property
    def folders(self) -> dict[str, Path]:
        """By model's name its bundle's folder; a model known from a prediction file only is missing."""
        return self._folders

    @property
    def missing(self) -> int:
        """Images times models that have no answer and could be asked for (a bundle is known)."""
        return sum(int((each.status == ABSENT).sum()) for each in self._askable())

    def predict(
        self,
        workers: int = 0,
        device: Device = "auto",
        again: bool = False,
        scheduler: str | None = None,
    ) -> None:
        """Ask the bundles about all images that they have not answered yet, in the background.

        Answers appear in the table about twice a second; `AuditState.predicting` says how far it is.
        What was answered is kept on disk: after a kill the same call goes on from there.

        Parameters
        ----------
        workers
            Processes; 0: as many as are worth it here.
        again
            Ask again about images that failed.
        scheduler
            Address of a dask scheduler in place of processes of this machine.
        """
        sheet = self._state.sheet
        if sheet is None or self._predicting is not None:
            return
        asked = self._askable()
        if not asked:
            self.message.emit("No bundle is chosen: these predictions come from files alone.")
            return
        unanswered = (ABSENT, FAILED) if again else (ABSENT,)
        missing = [[code in unanswered for code in each.status] for each in asked]
        plan: Plan = plan_of(sheet.table.rows, missing)
        if not plan.tasks:
            self.message.emit("Everything was predicted already.")
            return
        models: tuple[AuditModel, ...] = tuple(each.model for each in asked)
        self._run = Run(models, plan)
        folders = [self._folders[model.name] for model in models]
        work = (self._run, folders, self._kept_file, device, workers or usual_workers(), scheduler)
        self._predicting = Job(predict, work, tag=self._run)
        self._take_news()
        self._jobs.start(
            self._predicting, done=self._on_predicted, failed=self._on_not_predicted, ended=self._on_ended
        )
        self._ticking()

    def cancel(self) -> None:
        """Stop the models; what they have answered stays."""
        if self._predicting is not None:
            self._predicting.cancel()
            self._take_news()
            self._end_run()

    def close(self) -> None:
        """Put the audit away; models are stopped, what they have answered is kept."""
        if self._predicting is not None:
            self._predicting.cancel()
        self._run = self._predicting = None
        super().close()

    def _take_up(self) -> None:
        if self._predicting is not None:
            # It speaks of the table before; what it answered is kept, and found when that is opened again.
            self._predicting.cancel()
            self._run = self._predicting = None
        super()._take_up()

    def _askable(self) -> list[Answers]:
        sheet = self._state.sheet
        answers = () if sheet is None else sheet.table.answers
        return [each for each in answers if each.model.name in self._folders]

    @Slot()
    def _ticking(self) -> None:
        if self._predicting is not None:
            self._take_news()
            QTimer.singleShot(NEWS_MS, self, self._ticking)

    @Slot(object, object)
    def _on_predicted(self, job: Job, nothing: None) -> None:
        if job is self._predicting:
            self._take_news()
            failed = 0 if self._run is None else self._run.failed
            self._end_run()
            self.message.emit(f"Predicted; {failed} images failed." if failed else "Everything is predicted.")

    @Slot(object, object)
    def _on_not_predicted(self, job: Job, error: Exception) -> None:
        if job is self._predicting:
            self._take_news()
            self._end_run()
            self.message.emit(_why_not(error))

    @Slot(object)
    def _on_ended(self, job: Job) -> None:
        if job is self._predicting:
            self._end_run()

    def _end_run(self) -> None:
        self._run = self._predicting = None
        self._set(predicting=None)
        self._look_at_again()

    def _take_news(self) -> None:
        """Bring what models said meanwhile into the table."""
        run, sheet = self._run, self._state.sheet
        if run is None or sheet is None:
            return
        left = run.seconds_left()
        predicting = Predicting(run.images_done, run.plan.images, run.failed, left)
        self._state = replace(self._state, predicting=predicting)
        by_name = {run.models[number].name: exams for number, exams in run.news().items()}
        if not by_name:
            self.state_changed.emit(self._state)
            return
        rows = sheet.table.rows
        answers = [with_exams(each, rows, by_name.get(each.model.name, ())) for each in sheet.table.answers]
        table = sheet.table.with_answers(answers)
        self._forget_plots()
        self._state = replace(self._state, sheet=sheet_of(table, sheet.lead, sheet.threshold, sheet.said))
        self._count_again()
        self._requeue()

    # On paper

    def write_report(self, folder: Path | str, rows: Sequence[int] = (), what: str = "") -> None:
        """Write a report (one folder, no network) in the background; a `message` says where, or why not.

        Parameters
        ----------
        rows
            Cases of the gallery, in this order; none: no gallery.
        what
            What was chosen, in words; empty: the queue's.
        """
        state, plots = self._state, self._plots
        sheet, counted = state.sheet, state.matrix
        if sheet is None or counted is None or plots is None or state.blinded is not None:
            self.message.emit("There is nothing to report yet; a blinded reading has to be ended first.")
            return
        asked = AuditReport(
            title=f"Audit of {state.title}",
            source=str(state.path),
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            reader=state.reader,
            sheet=sheet,
            subgroup=state.subgroup,
            matrix=counted,
            plots=plots,
            notes=state.notes,
            gallery_words=what or state.picked or words(state.filter),
            readings=self.studies_of_readers(),
        )
        shown = [(int(row), sheet.table.rows[row], self.matching(row)) for row in rows]
        self._jobs.start(
            Job(_written, (Path(folder), asked, shown)), done=self._on_written, failed=self._on_not_written
        )

    def export_csv(self, path: Path | str, answers: bool = False) -> None:
        """Write the queue as CSV in its order, or (`answers`) all answers of blinded readings.

        A `message` says where it is, or why not.
        """
        sheet = self._state.sheet
        if sheet is None or self._state.blinded is not None:  # answers stand beside the truth, too
            self.message.emit("There is nothing to export; a blinded reading has to be ended first.")
            return
        if answers:
            text = answers_csv(self._answers(), sheet.table)
        else:
            text = cases_csv(sheet, [int(row) for row in self._state.queue])
        self._write_csv(path, text)

    def export_agreement(self, path: Path | str) -> None:
        """Write the numbers of the reader studies as CSV; a `message` says where it is, or why not."""
        sheet, studies = self._state.sheet, self.studies_of_readers()
        if sheet is None or not studies or self._state.blinded is not None:
            self.message.emit("There is nothing to export; a blinded reading has to be ended first.")
            return
        model = sheet.answers.model
        self._write_csv(
            path, agreement_csv(studies, f"{model.name} {model.version}".strip(), sheet.threshold)
        )

    def _write_csv(self, path: Path | str, text: str) -> None:
        try:
            write_text(Path(path), text)
        except OSError as error:
            self.message.emit(f"{path}: cannot be written ({error.strerror}).")
        else:
            self.message.emit(f"Written: {path}")

    @Slot(object, object)
    def _on_written(self, job: Job, page: Path) -> None:
        self.message.emit(f"Written: {page}")

    @Slot(object, object)
    def _on_not_written(self, job: Job, error: Exception) -> None:
        self.message.emit(sentence_of(error))


def _why_not(error: Exception) -> str:
    """Return why models were not asked, and of a cluster what to do, as a sentence."""
    if not isinstance(error, ClusterError):
        return sentence_of(error)
    rest = "What was answered is kept; More, Where models run names another cluster or this machine."
    return f"The cluster {error.address} cannot be used: {error.reason}. {rest}"


def _written(
    folder: Path,
    asked: AuditReport,
    shown: Sequence[tuple[int, Row, Matching | None]],
    *,
    report: Report,
) -> Path:
    made: list[Exhibit] = []
    for number, one in enumerate(shown):
        report(number, len(shown))
        made += exhibits([one])
    return write_report(folder, replace(asked, gallery=tuple(made)))

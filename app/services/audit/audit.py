"""The audit workspace's own session: one mutable object between its widgets and what is pure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import QTimer, Slot

from app.core.audit.blinded import ASSESSMENTS, Answer, Session, reading_order
from app.core.audit.cases import ABSENT, FAILED, Answers, AuditModel, with_exams
from app.core.audit.columns import sheet_of
from app.core.audit.readings import Reading, readings
from app.core.audit.sorting import AS_IT_IS
from app.core.audit.verdicts import identity
from app.core.manifest import Box
from app.core.settings import Device
from app.services.audit.cases import sentence_of
from app.services.audit.predicting import Plan, Run, plan_of, predict, usual_workers
from app.services.audit.state import Predicting
from app.services.audit.verdicts import AuditVerdicts
from app.services.jobs import Job

NEWS_MS = 500
"""How often the table takes in what models said meanwhile."""


class Audit(AuditVerdicts):
    """All of an audit: what `AuditCases` shows, what `AuditVerdicts` keeps, models run, blinded reading.

    Signals and parameters are those of `AuditCases` and `AuditVerdicts`.
    """

    _run: Run | None = None
    _predicting: Job | None = None
    _session: Session | None = None
    _since: float | None = None

    # Models

    @property
    def missing(self) -> int:
        """Images times models that have no answer and could be asked for (a bundle is known)."""
        return sum(int((each.status == ABSENT).sum()) for each in self._askable())

    def predict(self, workers: int = 0, device: Device = "auto", again: bool = False) -> None:
        """Ask the bundles about all images that they have not answered yet, in the background.

        Answers appear in the table about twice a second; `AuditState.predicting` says how far it is.
        What was answered is kept on disk: after a kill the same call goes on from there.

        Parameters
        ----------
        workers
            Processes; 0: as many as are worth it here.
        again
            Ask again about images that failed.
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
        work = (self._run, folders, self._kept_file, device, workers or usual_workers())
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
            self.message.emit(sentence_of(error))

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
        self._state = replace(self._state, sheet=sheet_of(table, sheet.lead, sheet.threshold, sheet.said))
        self._count_again()
        self._requeue()

    # Blinded reading

    def begin_blinded(self, name: str, rows: Sequence[int] = (), with_model: bool = False) -> None:
        """Begin (or go on with) a blinded reading: truth and model are hidden until each case is answered.

        The queue becomes its cases, in an order of this reader's own; what was answered before stays.

        Parameters
        ----------
        name
            Of the reader study; the same for all its readers and both arms.
        rows
            Its cases; none: those of the queue.
        with_model
            The arm in which the model's answer is seen while reading (the truth never is).
        """
        sheet = self._state.sheet
        if sheet is None or not name.strip():
            self.message.emit("A blinded reading needs cases and a name.")
            return
        reader = self._ledger.reader
        cases = sorted({int(row) for row in (rows if len(rows) else self._state.queue)})
        order = reading_order(cases, name.strip(), reader, with_model)
        self._session = Session(name.strip(), reader, with_model, order)
        self._state = replace(self._state, blinded=self._session_now(), sorting=AS_IT_IS)
        left = self._state.blinded.left if self._state.blinded else ()
        self.show_cases(order, f"blinded reading “{name.strip()}”")
        if left:
            self.pick(left[0])

    def shown(self) -> None:
        """Tell that the image of the case on screen is there: its time runs from now on."""
        self._since = time.monotonic()

    def answer(self, assessment: int, marks: Sequence[Box] = ()) -> None:
        """Answer the case on screen; truth and model are then shown, and the answer stays.

        Parameters
        ----------
        assessment
            One of `blinded.ASSESSMENTS`.
        marks
            Boxes the reader drew, (row0, col0, row1, col1) of stored pixels, edges at pixel corners.
        """
        session, row, sheet = self._state.blinded, self._state.current, self._state.sheet
        if session is None or row is None or sheet is None or not session.hides(row):
            self.message.emit("This case is not waiting for an answer.")
            return
        if assessment not in ASSESSMENTS:
            self.message.emit(f"An assessment is a number from {ASSESSMENTS[0]} to {ASSESSMENTS[-1]}.")
            return
        seconds = 0.0 if self._since is None else time.monotonic() - self._since
        made = datetime.now(UTC).isoformat(timespec="microseconds")
        image = identity(sheet.table.rows[row])
        boxes = tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in marks)
        self._keep_answer(
            Answer(
                session.name,
                image,
                assessment,
                boxes,
                round(seconds, 3),
                session.with_model,
                session.reader,
                made,
            )
        )

    def end_blinded(self) -> None:
        """Leave the blinded reading; it can be gone on with under its name."""
        self._session = None
        self._state = replace(self._state, blinded=None, picked="")
        self._requeue()

    def studies_of_readers(self) -> tuple[Reading, ...]:
        """Return the reader studies that concern these cases: agreement, times, beside the model."""
        sheet = self._state.sheet
        return () if sheet is None else readings(self._answers(), sheet)

    def pick(self, row: int) -> None:
        """Put a case on screen; in a blinded reading its time begins (`shown` begins it anew)."""
        if row != self._state.current:
            self._since = time.monotonic()
        super().pick(row)

    def _session_now(self) -> Session | None:
        session, sheet = self._session, self._state.sheet
        if session is None or sheet is None:
            return None
        own = {
            each.image: each
            for each in self._answers()
            if (each.session, each.reader, each.with_model)
            == (session.name, session.reader, session.with_model)
        }
        rows = sheet.table.rows
        given = {row: own[identity(rows[row])] for row in session.rows if identity(rows[row]) in own}
        return replace(session, answers=given)

    @Slot()
    def _follow(self) -> None:
        self._state = replace(self._state, blinded=self._session_now())
        super()._follow()

"""Blinded reading: the queue becomes its cases, truth and model stay hidden until each is answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import Slot

from app.core.audit.blinded import ASSESSMENTS, Answer, Session, reading_order
from app.core.audit.readings import Reading, readings
from app.core.audit.sorting import AS_IT_IS
from app.core.audit.verdicts import identity
from app.core.manifest import Box
from app.services.audit.verdicts import AuditVerdicts


class AuditBlinded(AuditVerdicts):
    """A small reader study on one's own data; signals and parameters as of `AuditVerdicts`."""

    _session: Session | None = None
    _since: float | None = None
    _painted = False

    def set_reader(self, reader: str) -> None:
        """Name who judges from now on; a blinded reading is of the reader who began it, and ends."""
        if self._session is not None and reader != self._session.reader:
            self.end_blinded()
            self.message.emit("The blinded reading was ended: the reader is another now.")
        super().set_reader(reader)

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
        self._forget_requests()
        reader = self._ledger.reader
        cases = sorted({int(row) for row in (rows if len(rows) else self._state.queue)})
        order = reading_order(cases, name.strip(), reader, with_model)
        self._session = Session(name.strip(), reader, with_model, order)
        self._state = replace(self._state, blinded=self._session_now(), sorting=AS_IT_IS)
        self._begin_time()  # of a case that is on screen already
        left = self._state.blinded.left if self._state.blinded else ()
        self.show_cases(order, f"blinded reading “{name.strip()}”")
        if left:
            self.pick(left[0])

    def image_painted(self, row: int) -> None:
        """Tell that the pixels of a case are on screen; the first time its seconds begin.

        Parameters
        ----------
        row
            The case; another one than that of `state.current` is passed over.
        """
        if row == self._state.current and not self._painted:
            self._painted, self._since = True, time.monotonic()

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
        """Put a case on screen; in a blinded reading its time begins, anew with `image_painted`."""
        if row != self._state.current:
            self._begin_time()
        super().pick(row)

    def _forget_requests(self) -> None:
        """Let go of what is on its way and would put other cases on screen; see `AuditNext`."""
        self._forget_found()

    def _begin_time(self) -> None:
        self._since, self._painted = time.monotonic(), False

    def _take_up(self) -> None:
        self._session = None  # its rows were those of the table before
        super()._take_up()

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

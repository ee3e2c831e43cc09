"""From a plot back to the cases behind it: they become the queue, and the words say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import Slot

from app.core.audit.cases import Answers, Bools, CaseTable, Places
from app.core.audit.columns import Sheet
from app.core.audit.filters import EVERY_CASE, CaseFilter, passing
from app.core.audit.froc_cases import FrocCases, froc_cases
from app.core.audit.outcomes import rows_in_cell
from app.core.audit.sorting import Sorting
from app.core.metrics.froc import Rule
from app.services.audit.cases import AuditCases
from app.services.audit.table import sentence_of
from app.services.jobs import Job, Report


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the reader was looking at when a list was asked for that takes a while.

    Attributes
    ----------
    current
        The case on screen.
    """

    table: CaseTable
    lead: int
    sorting: Sorting
    current: int | None


class AuditBehind(AuditCases):
    """The queue made by a click; signals and parameters as of `AuditCases`."""

    _finding: Job | None = None
    _asked: Asked | None = None

    def show_cases(self, rows: Places | Sequence[int], words: str) -> None:
        """Make the cases behind a point, a bar or a cell the queue; `words` says what they are."""
        self._list(rows, words, asked_at=self._state.current)

    def show_cell(self, cell: int) -> None:
        """Make the cases behind a cell of the matrix (`outcomes.TP` ...) the queue."""
        units, sheet = self._state.units, self._state.sheet
        if units is not None and sheet is not None:
            words = f"{('TP', 'FP', 'FN', 'TN')[cell]} ({units.unit}) at {sheet.threshold:.3f}"
            self.show_cases(rows_in_cell(units, sheet.threshold, cell), words)

    def show_froc(self, above: float) -> None:
        """Make the images behind a point of the FROC the queue, in the background: those with errors there.

        First those with a missed lesion, then those with a false box. While they are the queue only boxes
        of a score above the point's are drawn and matched; a `message` says how many there are of each.

        Parameters
        ----------
        above
            `FrocCurve.threshold` of the point; -inf: all boxes.
        """
        sheet, subgroup = self._state.sheet, self._state.subgroup
        if sheet is None:
            return
        group = None if subgroup == EVERY_CASE else passing(sheet, subgroup)
        self._forget_found()
        wanted = (sheet.table, sheet.answers, self._state.rule, above, group)
        self._finding, self._asked = Job(_behind, wanted), self._asked_now(sheet)
        self._jobs.start(self._finding, done=self._on_behind, failed=self._on_not_behind)

    @Slot(object, object)
    def _on_behind(self, job: Job, found: FrocCases) -> None:
        sheet = self._state.sheet
        asked = self._asked
        if job is not self._finding or sheet is None or asked is None:
            return
        self._finding = None
        if asked.table is not sheet.table or asked.lead != sheet.lead:
            if asked.table.rows is sheet.table.rows and asked.lead == sheet.lead:
                self.message.emit("The models answered more cases meanwhile: click the point again.")
            return
        blinded = self._state.blinded
        if blinded is not None and blinded.left:
            return  # it would tell the truth of cases that wait for an answer
        if len(found.rows):
            self._list(found.rows, found.words, found.above, asked_at=asked.current)
            self.message.emit(found.words)
        else:
            self.message.emit("Nothing is wrong at this point: no lesion is missed and no box is false.")

    @Slot(object, object)
    def _on_not_behind(self, job: Job, error: Exception) -> None:
        if job is self._finding:
            self._finding = None
            self.message.emit(sentence_of(error))

    def set_filter(self, wanted: CaseFilter) -> None:
        """Look at the cases that a filter lets through; what a click still seeks is let go."""
        self._forget_found()
        super().set_filter(wanted)

    def _look_at_again(self) -> None:
        self._forget_found()  # it is of another rule, subgroup, model or other answers
        super()._look_at_again()

    def _forget_found(self) -> None:
        """Let go of the cases that are being sought: the reader chose others since."""
        if self._finding is not None:
            self._finding.cancel()
        self._finding = None

    def _asked_now(self, sheet: Sheet) -> Asked:
        return Asked(sheet.table, sheet.lead, self._state.sorting, self._state.current)

    def _list(
        self,
        rows: Places | Sequence[int],
        words: str,
        boxes_above: float | None = None,
        *,
        asked_at: int | None,
    ) -> None:
        """Make cases the queue, and go to its first unless the reader went to a case since it was asked for.

        Parameters
        ----------
        asked_at
            The case on screen by then.
        """
        self._forget_found()
        queue = np.asarray(rows, dtype=np.intp)
        stays = self._state.current != asked_at
        self._state = replace(self._state, picked=words, queue=queue, boxes_above=boxes_above)
        self._requeue()
        if len(self._state.queue) and not stays:
            self.pick(int(self._state.queue[0]))


def _behind(
    table: CaseTable, answers: Answers, rule: Rule, above: float, group: Bools | None, *, report: Report
) -> FrocCases:
    return froc_cases(table, answers, rule, above, group)

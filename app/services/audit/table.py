"""The table of an audit as it is counted and listed: threshold, model, unit, subgroup, filter, order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.core.audit.cases import AuditModel, Bools
from app.core.audit.columns import Sheet, sheet_of
from app.core.audit.filters import EVERY_CASE, FILE_NAME, CaseFilter, passing, write_filters
from app.core.audit.outcomes import matrix
from app.core.audit.plots import Plots, plots_of
from app.core.audit.sorting import Sorting, ordered
from app.core.audit.units import Unit, UnitTable, units_of
from app.core.errors import MammoviewError
from app.core.metrics.froc import Rule
from app.core.settings import config_folder
from app.services.audit.state import AuditState
from app.services.jobs import Job, Jobs

DEFAULT_THRESHOLD = 0.5
"""Where a model has no operating point."""


def threshold_of(model: AuditModel) -> float:
    """Return a model's operating point, of whatever unit it was chosen on, or `DEFAULT_THRESHOLD`."""
    return DEFAULT_THRESHOLD if model.threshold is None else model.threshold


class AuditTable(QObject):
    """What is counted and listed, of a table that another part opens.

    Signals
    -------
    state_changed(AuditState)
        After any change of what `state` gives.
    plots_changed(Plots or None)
        The curves of the unit and subgroup in force, or None: what they were of has changed. They do not
        depend on the threshold.
    message(sentence)
        For the status line: what was refused, and why.

    Parameters
    ----------
    folder
        Of saved filters, for tests; None: the reader's own.
    """

    state_changed = Signal(object)
    plots_changed = Signal(object)
    message = Signal(str)

    def __init__(self, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        self._state = AuditState()
        self._plots: Plots | None = None
        self._filters = (folder or config_folder()) / FILE_NAME
        self._jobs = Jobs(2, self)
        self._plotting: Job | None = None

    @property
    def state(self) -> AuditState:
        """What widgets show."""
        return self._state

    @property
    def plots(self) -> Plots | None:
        """The curves last made, or None while they are being made."""
        return self._plots

    # Threshold, unit, model

    def set_threshold(self, threshold: float) -> None:
        """Recall from another score on: outcomes, matrix and queue follow at once (milliseconds)."""
        sheet = self._state.sheet
        if sheet is not None and threshold != sheet.threshold:
            self._show(sheet_of(sheet.table, sheet.lead, threshold, sheet.said))

    def set_lead(self, model: int) -> None:
        """Let another model be the one that score, outcome and threshold are of (0-based)."""
        sheet = self._state.sheet
        if sheet is None or model == sheet.lead or not 0 <= model < len(sheet.table.answers):
            return
        threshold = threshold_of(sheet.table.answers[model].model)
        self._state = replace(
            self._state, sheet=sheet_of(sheet.table, model, threshold, sheet.said), picked=""
        )
        self._look_at_again()

    def set_unit(self, unit: Unit) -> None:
        """Count images, breasts or patients in plots and matrix."""
        if unit != self._state.unit:
            self._state = replace(self._state, unit=unit)
            self._look_at_again()

    def set_subgroup(self, subgroup: CaseFilter) -> None:
        """Let plots and matrix be of these cases only; `EVERY_CASE`: all."""
        if subgroup != self._state.subgroup:
            self._state = replace(self._state, subgroup=subgroup)
            self._look_at_again()

    def set_rule(self, rule: Rule) -> None:
        """Choose when a box hits a lesion (`matching.RULES`)."""
        if rule != self._state.rule:
            self._state = replace(self._state, rule=rule)
            self._look_at_again()

    # Filter, order, queue

    def set_filter(self, wanted: CaseFilter) -> None:
        """Look at the cases that a filter lets through; the queue is made from it again."""
        if wanted != self._state.filter or self._state.picked:
            self._state = replace(self._state, filter=wanted, picked="")
            self._requeue()

    def sort_by(self, column: str, falling: bool = False) -> None:
        """Order the queue by a column (`sorting.SORTABLE`; empty: as the manifest has it)."""
        self._state = replace(self._state, sorting=Sorting(column, falling))
        self._requeue()

    def save_filter(self, name: str) -> None:
        """Keep the filter in force under a name; one of that name is replaced."""
        kept = replace(self._state.filter, name=name.strip())
        self._keep_filters((*(each for each in self._state.saved if each.name != kept.name), kept))

    def delete_filter(self, name: str) -> None:
        """Forget a filter kept by name."""
        self._keep_filters(tuple(each for each in self._state.saved if each.name != name))

    def _keep_filters(self, filters: tuple[CaseFilter, ...]) -> None:
        try:
            write_filters(self._filters, filters)
        except MammoviewError as error:
            self.message.emit(str(error))
            return
        self._set(saved=tuple(sorted(filters, key=lambda each: each.name)))

    # Within

    def _set(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        self.state_changed.emit(self._state)

    def _show(self, sheet: Sheet) -> None:
        """Take a table with another threshold or other verdicts."""
        units = self._state.units
        counted = None if units is None else matrix(units, sheet.threshold)
        self._state = replace(self._state, sheet=sheet, matrix=counted)
        self._requeue()

    def _requeue(self) -> None:
        sheet = self._state.sheet
        if sheet is None:
            return
        rows = self._state.queue
        if not self._state.picked:
            rows = np.flatnonzero(passing(sheet, self._state.filter))
        self._set(queue=ordered(sheet, rows, self._state.sorting))

    def _look_at_again(self) -> None:
        """Count anew: another model, unit, subgroup or other answers."""
        sheet = self._state.sheet
        if sheet is None:
            return
        self._forget_plots()
        group, units = self._count_again()
        self._requeue()
        self._plotting = Job(_plots, (sheet, units, self._state.rule, group))
        self._jobs.start(self._plotting, done=self._on_plots, failed=self._on_no_plots)

    def _forget_plots(self) -> None:
        """Let go of the curves, made or on their way: they are not of what the matrix counts now."""
        if self._plotting is not None:
            self._plotting.cancel()
        had, self._plotting, self._plots = self._plots, None, None
        if had is not None:
            self.plots_changed.emit(None)

    def _count_again(self) -> tuple[Bools | None, UnitTable]:
        """Count the units of the subgroup; return which cases are in it (None: all), and the units."""
        sheet = self._state.sheet
        assert sheet is not None
        group = None if self._state.subgroup == EVERY_CASE else passing(sheet, self._state.subgroup)
        units = units_of(sheet.table, sheet.answers, self._state.unit, group)
        self._state = replace(self._state, units=units, matrix=matrix(units, sheet.threshold))
        return group, units

    @Slot(object, object)
    def _on_plots(self, job: Job, plots: Plots) -> None:
        if job is self._plotting:
            self._plotting, self._plots = None, plots
            self.plots_changed.emit(plots)

    @Slot(object, object)
    def _on_no_plots(self, job: Job, error: Exception) -> None:
        if job is self._plotting:
            self._plotting = None
            self.message.emit(f"The curves could not be made: {sentence_of(error)}")


def _plots(sheet: Sheet, units: UnitTable, rule: Rule, group: Bools | None, *, report: object) -> Plots:
    return plots_of(sheet.table, sheet.answers, units, rule=rule, chosen=group)


def sentence_of(error: Exception) -> str:
    """Return what went wrong, as a sentence."""
    return str(error) if isinstance(error, MammoviewError) else f"it failed ({type(error).__name__})."

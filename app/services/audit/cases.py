"""The table of an audit as it is looked at: threshold, filter, order, queue, and the case on screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal, Slot

from app.core.audit.cases import AuditModel, Bools
from app.core.audit.columns import Sheet, sheet_of
from app.core.audit.filters import (
    EVERY_CASE,
    FILE_NAME,
    CaseFilter,
    passing,
    read_filters,
    write_filters,
)
from app.core.audit.kept import FILE_NAME as KEPT
from app.core.audit.kept import KeptAnswers
from app.core.audit.matching import Matching, match
from app.core.audit.outcomes import matrix
from app.core.audit.plots import Plots, plots_of
from app.core.audit.sorting import Sorting, ordered
from app.core.audit.units import Unit, UnitTable, units_of
from app.core.errors import MammoviewError
from app.core.imaging.image import Study
from app.core.metrics.froc import Rule
from app.core.settings import config_folder, data_folder
from app.services.audit.loading import Loaded, Wanted, load
from app.services.audit.pictures import CasePictures
from app.services.audit.state import AuditState
from app.services.jobs import Job, Jobs, Report
from app.services.library import Library

DEFAULT_THRESHOLD = 0.5
"""Where a model has no operating point."""


def threshold_of(model: AuditModel) -> float:
    """Return a model's operating point, of whatever unit it was chosen on, or `DEFAULT_THRESHOLD`."""
    return DEFAULT_THRESHOLD if model.threshold is None else model.threshold


class AuditCases(QObject):
    """What is looked at, without verdicts and without running models.

    Signals
    -------
    state_changed(AuditState)
        After any change of what `state` gives.
    plots_changed(Plots or None)
        The curves of the unit and subgroup in force, or None: what they were of has changed. They do not
        depend on the threshold.
    case_changed(CaseImages)
        The images of the case on screen, once their headers are read.
    thumbnail_ready(row)
        `thumbnail` now gives the small picture of a row.
    message(sentence)
        For the status line: what was refused, and why.

    Parameters
    ----------
    library
        Decodes: the images of the case on screen are asked from it as in any other pane
        (``library.frame(image, frame)``); those of the next cases are prefetched here.
    folder
        Of saved filters and kept answers, for tests; None: the reader's own folders.
    """

    state_changed = Signal(object)
    plots_changed = Signal(object)
    case_changed = Signal(object)
    thumbnail_ready = Signal(int)
    message = Signal(str)

    def __init__(self, library: Library, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        self._state = AuditState()
        self._plots: Plots | None = None
        self._folders: dict[str, Path] = {}
        self._filters = (folder or config_folder()) / FILE_NAME
        self._kept_file = (folder or data_folder()) / KEPT
        self._jobs = Jobs(2, self)
        self._loading: Job | None = None
        self._plotting: Job | None = None
        self._pictures = CasePictures(library, self)
        self._pictures.case_ready.connect(self.case_changed)
        self._pictures.thumbnail_ready.connect(self.thumbnail_ready)

    @property
    def state(self) -> AuditState:
        """What widgets show."""
        return self._state

    @property
    def plots(self) -> Plots | None:
        """The curves last made, or None while they are being made."""
        return self._plots

    # Opening

    def open(
        self,
        paths: Sequence[Path | str],
        models: Sequence[str] = (),
        predictions: Sequence[Path | str] = (),
        studies: Sequence[Study] = (),
    ) -> None:
        """Open a manifest (``.csv``), files and folders, or studies that are open in the reading window.

        With bundles (one or two) or prediction files. In the background; `state_changed` follows, or a
        `message` that says why not. What was predicted with these bundles before is there at once; the
        rest waits for `predict`.
        """
        wanted = Wanted(
            tuple(Path(path) for path in paths),
            tuple(models),
            tuple(Path(path) for path in predictions),
            tuple(studies),
        )
        if self._loading is not None:
            self._loading.cancel()
        self._loading = Job(_load, (wanted, self._kept_file))
        self._set(loading=True)
        self._jobs.start(self._loading, done=self._on_loaded, failed=self._on_not_loaded)

    def close(self) -> None:
        """Put the audit away; what is being read or predicted is stopped."""
        self._jobs.cancel()
        self._loading = self._plotting = None
        self._pictures.forget()
        self._state, self._plots = AuditState(saved=self._state.saved, reader=self._state.reader), None
        self.state_changed.emit(self._state)

    @Slot(object, object)
    def _on_loaded(self, job: Job, loaded: Loaded) -> None:
        if job is not self._loading:
            return
        self._loading = None
        self._folders = loaded.folders
        self._pictures.begin(loaded.table)
        notes = list(loaded.notes)
        try:
            saved = read_filters(self._filters)
        except MammoviewError as error:
            saved, notes = (), [*notes, str(error)]
        threshold = threshold_of(loaded.table.answers[0].model)
        self._state = AuditState(
            title=loaded.title,
            path=loaded.path,
            sheet=sheet_of(loaded.table, 0, threshold),
            unit=self._state.unit,
            rule=self._state.rule,
            saved=saved,
            notes=tuple(notes),
            reader=self._state.reader,
        )
        self._take_up()
        self._look_at_again()
        if len(self._state.queue):
            self.pick(int(self._state.queue[0]))

    @Slot(object, object)
    def _on_not_loaded(self, job: Job, error: Exception) -> None:
        if job is self._loading:
            self._loading = None
            self._set(loading=False)
            self.message.emit(sentence_of(error))

    def _take_up(self) -> None:
        """Bring what readers said into a table that was just opened; see `AuditVerdicts`."""

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

    # The case on screen

    def pick(self, row: int) -> None:
        """Put a case on screen; `case_changed` follows, at once where it was prefetched."""
        table = self._state.table
        if table is None or not 0 <= row < len(table):
            return
        self._set(current=row)
        self._pictures.show(row, self._upcoming())

    def next_case(self) -> None:
        """Go to the next case of the queue."""
        self._step(1)

    def previous_case(self) -> None:
        """Go to the case before this one in the queue."""
        self._step(-1)

    def _step(self, step: int) -> None:
        queue, place = self._state.queue, self._state.place
        if not len(queue):
            self.message.emit("The queue is empty.")
            return
        following = (0 if step > 0 else len(queue) - 1) if place is None else place + step
        if 0 <= following < len(queue):
            self.pick(int(queue[following]))
        else:
            self.message.emit(
                "This is the last case of the queue." if step > 0 else "This is the first case."
            )

    def _upcoming(self) -> tuple[int, ...]:
        place = self._state.place
        start = 0 if place is None else place + 1
        return tuple(int(row) for row in self._state.queue[start : start + 3])

    def thumbnail(self, row: int) -> npt.NDArray[np.uint8] | None:
        """Return the small picture of a case, or None: it is made, and `thumbnail_ready` follows.

        Ask for the rows in sight only.
        """
        return self._pictures.thumbnail(row)

    def matching(self, row: int, model: int | None = None, least: float | None = None) -> Matching | None:
        """Return truth against a model's boxes on a case, for the overlay; None while the model is hidden.

        In a blinded reading with the model shown no lesion is told: no box hits, and none is false.

        Parameters
        ----------
        model
            0-based; None: the leading one.
        least
            Score from which boxes count; None: all that the model shows.
        """
        sheet = self._state.sheet
        if sheet is None or self._state.model_hidden(row):
            return None
        answers = sheet.table.answers[sheet.lead if model is None else model]
        lesions = () if self._state.hidden(row) else sheet.table.rows[row].findings
        return match(lesions, answers.boxes(row), rule=self._state.rule, least=least or 0.0)

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


def _load(wanted: Wanted, kept: Path, *, report: Report) -> Loaded:
    file = KeptAnswers(kept)
    try:
        return load(wanted, file, report)
    finally:
        file.close()


def _plots(sheet: Sheet, units: UnitTable, rule: Rule, group: Bools | None, *, report: object) -> Plots:
    return plots_of(sheet.table, sheet.answers, units, rule=rule, chosen=group)


def sentence_of(error: Exception) -> str:
    """Return what went wrong, as a sentence."""
    return str(error) if isinstance(error, MammoviewError) else f"it failed ({type(error).__name__})."

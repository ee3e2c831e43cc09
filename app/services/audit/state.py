"""What the widgets of the audit draw: frozen states, made anew at each change.

Rows are places in the case table (0-based, the manifest's order) everywhere; `AuditState.queue` is the rows
of the table on screen, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.core.audit.blinded import Session
from app.core.audit.cases import Answers, CaseTable, Places
from app.core.audit.choice import Chosen
from app.core.audit.columns import Sheet
from app.core.audit.filters import EVERY_CASE, CaseFilter
from app.core.audit.outcomes import Matrix
from app.core.audit.sorting import AS_IT_IS, Sorting
from app.core.audit.units import Unit, UnitTable
from app.core.imaging.image import Image
from app.core.metrics.froc import Rule


@dataclass(frozen=True, slots=True)
class Predicting:
    """How far the models are; counts are of images times models.

    Attributes
    ----------
    seconds_left
        At the pace so far; None while it is not known.
    failed
        Images that failed so far: each is a row with its reason.
    """

    done: int
    total: int
    failed: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CaseImages:
    """The images of the exam of the case on screen.

    Attributes
    ----------
    row
        The case.
    rows, images
        Places of all images of its exam, the case's own first, and their headers (facts of the manifest
        stated); an image whose file cannot be read is None.
    frame
        0-based frame of the case's own image.
    failure
        Why the case's own image cannot be shown, as a sentence; empty: it can.
    """

    row: int
    rows: tuple[int, ...]
    images: tuple[Image | None, ...]
    frame: int = 0
    failure: str = ""


def _no_rows() -> Places:
    return np.zeros(0, np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class AuditState:
    """The audit as it stands; `sheet` is None before one was opened.

    Attributes
    ----------
    title, path
        What is audited, in words; the manifest or the first path.
    sheet
        Table, leading model, threshold, outcomes, what readers said. Its `table.answers` may be empty of
        scores where nothing was predicted yet.
    unit, subgroup
        What plots and matrix count, and of which cases.
    units, matrix
        Of the leading model, unit and subgroup at the threshold in force.
    rule
        When a box hits a lesion.
    filter, sorting
        What the queue is made from.
    picked
        In words, where the queue is cases behind a point or cell (`Audit.show_cases`); empty: the filter's.
    boxes_above
        Score above which the leading model's boxes count while the queue is of a point of the FROC.
    queue
        Rows of the table on screen, intp, in order.
    current
        The case on screen (a row), or None. It stays when the queue changes.
    saved
        Filters kept by name.
    predicting
        None while no model runs.
    notes
        Standing sentences about the data: rows without truth, predictions of no image, files that moved.
    reader
        Who judges; empty: unnamed.
    pending
        Rows whose verdict is not yet on disk.
    undo, redo
        What would be undone or done again, in words; empty: nothing.
    refused
        Why verdicts cannot be kept, as a sentence; empty: all is well.
    chosen
        By row, how a strategy last chose the case to be read (`Audit.offer_next`).
    blinded
        The blinded reading that goes on, or None. While `hidden(row)` its truth must not be
        shown, while `model_hidden(row)` neither any model's answer (nor any outcome).
    """

    title: str = ""
    path: Path | None = None
    sheet: Sheet | None = None
    unit: Unit = "image"
    subgroup: CaseFilter = EVERY_CASE
    units: UnitTable | None = None
    matrix: Matrix | None = None
    rule: Rule = "centre"
    filter: CaseFilter = EVERY_CASE
    sorting: Sorting = AS_IT_IS
    picked: str = ""
    boxes_above: float | None = None
    queue: Places = field(default_factory=_no_rows)
    current: int | None = None
    saved: tuple[CaseFilter, ...] = ()
    loading: bool = False
    predicting: Predicting | None = None
    notes: tuple[str, ...] = ()
    reader: str = ""
    pending: frozenset[int] = frozenset()
    undo: str = ""
    redo: str = ""
    refused: str = ""
    chosen: Mapping[int, Chosen] = field(default_factory=dict)
    blinded: Session | None = None

    @property
    def table(self) -> CaseTable | None:
        """The case table, or None."""
        return None if self.sheet is None else self.sheet.table

    @property
    def answers(self) -> Answers | None:
        """What the leading model said, or None."""
        return None if self.sheet is None else self.sheet.answers

    def boxes_from(self, model: int) -> float | None:
        """Return the score from which a model's boxes are drawn and matched; None: all that it says."""
        if self.sheet is None:
            return None
        if self.picked and self.boxes_above is not None and model == self.sheet.lead:
            return float(np.nextafter(self.boxes_above, np.inf))  # a point of a FROC leaves its own score out
        return self.sheet.table.answers[model].model.boxes_from

    @property
    def place(self) -> int | None:
        """Place of the current case in the queue, from 0, or None where it is not in it."""
        if self.current is None:
            return None
        found = np.flatnonzero(self.queue == self.current)
        return int(found[0]) if len(found) else None

    def model_hidden(self, row: int) -> bool:
        """Tell whether a model's answer to a row is hidden: the arm without the model, not answered yet."""
        return self.hidden(row) and self.blinded is not None and not self.blinded.with_model

    def hidden(self, row: int) -> bool:
        """Tell whether the truth of a row is hidden: it is read blinded and not answered yet."""
        return self.blinded is not None and self.blinded.hides(row)

"""What is counted: images, breasts or patients, each with truth, score and the images behind it.

A breast's and an exam's score are the bundle's own (they come with its answers); a patient with several
exams has the highest of their scores, as in the trainer's evaluation. A breast or patient is positive
where one of its images is, without truth where none is and one image has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from app.core.audit.cases import NO_TRUTH, POSITIVE, Answers, Bools, CaseTable, Codes, Floats, Places

Unit = Literal["image", "breast", "patient"]
UNITS: Final[tuple[Unit, ...]] = ("image", "breast", "patient")
PLURAL: Final[dict[Unit, str]] = {"image": "images", "breast": "breasts", "patient": "patients"}


@dataclass(frozen=True, slots=True, eq=False)
class UnitTable:
    """All units of one kind that the chosen images belong to.

    Attributes
    ----------
    truth
        int8 (units,), as in `CaseTable`.
    score
        float64 (units,), nan where the bundle gave none.
    patient
        int32 (units,), code of the patient.
    of_row
        intp (rows of the table,): the unit that an image belongs to, -1 where it belongs to none (not
        chosen, or of no breast).
    """

    unit: Unit
    truth: Codes
    score: Floats
    patient: Places
    of_row: Places

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.truth)

    @property
    def counted(self) -> Bools:
        """Which units have both a score and a truth: what plots and numbers are of."""
        found: Bools = ~np.isnan(self.score) & (self.truth != NO_TRUTH)
        return found

    def rows_of(self, units: Bools) -> Places:
        """Return the images of these units (bool, (units,)), in the order of the table."""
        within = self.of_row >= 0
        found: Places = np.flatnonzero(within)[units[self.of_row[within]]]
        return found


def units_of(table: CaseTable, answers: Answers, unit: Unit, chosen: Bools | None = None) -> UnitTable:
    """Return the units of one kind.

    Parameters
    ----------
    chosen
        bool (rows,): the subgroup; None: all images. A breast or patient counts with its score where one
        of its images is chosen; its truth is that of all its images.
    """
    wanted = np.ones(len(table), np.bool_) if chosen is None else chosen
    if unit == "image":
        return _images(table, answers, wanted)
    if unit == "breast":
        sided = table.laterality.among(("L", "R"))
        side = table.laterality.codes.astype(np.intp)
        key = np.where(sided, table.exam * (len(table.laterality.words) + 1) + side, -1)
        return _grouped(table, unit, key, answers.breast, wanted)
    return _grouped(table, unit, table.patient.codes.astype(np.intp), answers.exam, wanted)


def _images(table: CaseTable, answers: Answers, wanted: Bools) -> UnitTable:
    of_row = np.where(wanted, np.cumsum(wanted) - 1, -1).astype(np.intp)
    patient = table.patient.codes[wanted].astype(np.intp)
    return UnitTable("image", table.truth[wanted], answers.score[wanted], patient, of_row)


def _grouped(table: CaseTable, unit: Unit, key: Places, score: Floats, wanted: Bools) -> UnitTable:
    keys, first, group = np.unique(key, return_index=True, return_inverse=True)
    count = len(keys)
    best = np.full(count, -np.inf)
    np.maximum.at(best, group, np.where(np.isnan(score), -np.inf, score))
    positive, unknown = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    positive[group[table.truth == POSITIVE]] = True
    unknown[group[table.truth == NO_TRUTH]] = True
    truth = np.where(positive, POSITIVE, np.where(unknown, NO_TRUTH, 0)).astype(np.int8)
    kept = np.zeros(count, np.bool_)
    kept[group[wanted & (key >= 0)]] = True
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    of_row = np.where(wanted, number[group], -1).astype(np.intp)
    scores = np.where(np.isinf(best), np.nan, best)
    patient = table.patient.codes[first].astype(np.intp)
    return UnitTable(unit, truth[kept], scores[kept], patient[kept], of_row)

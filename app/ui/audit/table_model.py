"""The cases as a Qt model over the numpy columns: nothing is made for a row before it is in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from app.core.audit.cases import Floats
from app.core.audit.columns import TITLES, TRUTHS, Sheet, numbers
from app.services.audit.state import AuditState
from app.ui import theme
from app.ui.audit import wording

CASE: Final = Qt.ItemDataRole.UserRole
"""Role under which a model's row gives the row of the case table."""

Index = QModelIndex | QPersistentModelIndex
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its key (of `sorting.SORTABLE` where it can be sorted by), title, width, form of numbers."""

    key: str
    title: str
    width: int
    form: str = ""
    sortable: bool = True
    tip: str = ""


PICTURE: Final = "picture"
COLUMNS: Final = (
    Column(PICTURE, "", 44, sortable=False),
    Column("image", "Image", 128, sortable=False, tip="The image's id; sorting by it: the manifest's order"),
    Column("score", "Score", 72, ".3f"),
    Column("outcome", "Outcome", 108),
    Column("truth", "Truth", 72),
    Column("label", "Label", 84),
    Column("verdict", "Verdict", 104),
    Column("view", "View", 72),
    Column("density", "Density", 72),
    Column("age", "Age", 60, ".0f"),
    Column("vendor", "Vendor", 96),
    Column("other score", "Other", 72, ".3f"),
    Column("disagreement", "Differ", 76, ".2f"),
    Column("loss", "Loss", 72, ".2f"),
    Column("uncertainty", "Unsure", 80, ".2f"),
    Column("note", "Note", 160, sortable=False),
)
ALWAYS: Final = frozenset(
    {PICTURE, "image", "score", "outcome", "truth", "loss", "uncertainty", "verdict", "note"}
)
_IF_SAID: Final = ("label", "view", "density", "vendor")
_SECRET: Final = frozenset({"truth", "outcome", "label", "loss", "uncertainty", "verdict", "note"})
"""What a blinded reader must not see before the answer, whether the model is shown or not."""
_MODELS: Final = frozenset({"score", "other score", "disagreement"})
_OF_THRESHOLD: Final = tuple(
    (number, number) for number, column in enumerate(COLUMNS) if column.key in ("outcome", "uncertainty")
)
"""Where the columns stand that follow the threshold; while it is dragged the others are not painted anew."""


def _only_threshold(state: AuditState, old: AuditState) -> bool:
    """Tell whether nothing but the threshold differs of what the table shows."""
    new, was = state.sheet, old.sheet
    if new is None or was is None:
        return new is was
    return new.table is was.table and new.lead == was.lead and new.said is was.said


class CaseModel(QAbstractTableModel):
    """Rows are the queue of an `AuditState`, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self._state = AuditState()
        self._kept: dict[str, Floats] = {}
        self._kept_for: tuple[object, ...] = ()

    def present(self, state: AuditState) -> bool:
        """Take a state; tell whether other rows, or rows in another order, are shown than before."""
        old, same = self._state, state.sheet is self._state.sheet
        if state.sorting != old.sorting:
            self._state = replace(old, sorting=state.sorting)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
        blinded = state.blinded is not old.blinded
        if np.array_equal(state.queue, old.queue) and (state.sheet is None) == (old.sheet is None):
            self._state = state
            if not blinded and state.pending == old.pending and _only_threshold(state, old):
                self._tell_changed([] if same else _OF_THRESHOLD)
            else:
                self._tell_changed([(0, len(COLUMNS) - 1)])
            return False
        self.beginResetModel()
        self._state = state
        self.endResetModel()
        return True

    def _tell_changed(self, columns: Sequence[tuple[int, int]]) -> None:
        """Tell that what stands in these columns, from one to the other, has changed in all rows."""
        last = self.rowCount() - 1
        for first, end in columns if last >= 0 else ():
            self.dataChanged.emit(self.index(0, first), self.index(last, end))

    def shown_columns(self) -> frozenset[str]:
        """Return the keys of the columns in which any case says something."""
        table = self._state.table
        if table is None:
            return ALWAYS
        texts = [name for name in _IF_SAID if set(getattr(table, name).words) - {""}]
        more = ["age"] if not np.isnan(table.age).all() else []
        if len(table.answers) > 1:
            more += ["other score", "disagreement"]
        return ALWAYS | frozenset(texts) | frozenset(more)

    def case(self, index: Index) -> int:
        """Return the row of the case table that stands in a row of the model."""
        return int(self._state.queue[index.row()])

    def cell(self, row: int, column: int) -> tuple[str, QColor | None, int]:
        """Return what stands in a cell, its colour (None: the usual) and alignment: all that is painted."""
        sheet, shown = self._state.sheet, COLUMNS[column]
        if sheet is None:
            return "", None, _LEFT
        case = int(self._state.queue[row])
        text, colour = self._text(sheet, case, shown), self._colour(sheet, case, shown)
        return text, colour, _RIGHT if shown.form else _LEFT

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() or self._state.sheet is None else len(self._state.queue)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            sorting = self._state.sorting
            mark = (" ▾" if sorting.falling else " ▴") if sorting.column == column.key else ""
            return column.title + mark
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip or TITLES.get(column.key, "")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.form else _LEFT
        return None

    def data(self, index: Index, role: int = 0) -> Any:
        sheet = self._state.sheet
        if not index.isValid() or sheet is None:
            return None
        row, column = self.case(index), COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(sheet, row, column)
        if role == CASE:
            return row
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._colour(sheet, row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if column.form else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(sheet, row, column)
        return None

    # Words

    def _is_secret(self, row: int, key: str) -> bool:
        state = self._state
        return (key in _SECRET and state.hidden(row)) or (key in _MODELS and state.model_hidden(row))

    def _text(self, sheet: Sheet, row: int, column: Column) -> str:
        key = column.key
        if key == PICTURE:
            return ""
        if self._is_secret(row, key):
            return wording.HIDDEN
        if column.form:
            value = float(self._numbers(sheet, key)[row])
            return "" if value != value else format(value, column.form)
        if key == "image":
            return sheet.table.rows[row].image_id
        if key == "outcome":
            return wording.outcome(int(sheet.outcome[row]))
        if key == "truth":
            return TRUTHS[int(sheet.table.truth[row]) + 1]
        if key == "view":
            return f"{sheet.table.laterality[row]} {sheet.table.view[row]}".strip()
        if key == "verdict":
            pending = " …" if row in self._state.pending else ""
            return sheet.said.verdict[row] + pending
        if key == "note":
            return sheet.said.note(row).replace("\n", " / ")
        return str(getattr(sheet.table, key)[row])

    def _colour(self, sheet: Sheet, row: int, column: Column) -> QColor | None:
        if self._is_secret(row, column.key):
            return QColor(theme.QUIET)
        if column.key == "outcome":
            return QColor(wording.COLOURS[int(sheet.outcome[row])])
        return QColor(theme.QUIET) if column.key in ("view", "density", "age", "vendor") else None

    def _tip(self, sheet: Sheet, row: int, column: Column) -> str | None:
        if self._is_secret(row, column.key):
            return None
        if column.key == "outcome":
            reason = sheet.answers.reason(row)
            return reason or wording.MEANINGS[int(sheet.outcome[row])]
        return self._text(sheet, row, column) if column.key in ("note", "image", "vendor") else None

    def _numbers(self, sheet: Sheet, key: str) -> Floats:
        """Return a column of numbers; what the threshold does not touch is made once for all thresholds."""
        made_for = (sheet.table, sheet.lead)
        if self._kept_for != made_for:
            self._kept, self._kept_for = {}, made_for
        if key == "uncertainty":
            return self._uncertainty(sheet)
        if key not in self._kept:
            self._kept[key] = numbers(sheet, key)
        return self._kept[key]

    def _uncertainty(self, sheet: Sheet) -> Floats:
        name = f"uncertainty at {sheet.threshold!r}"
        if name not in self._kept:
            for old in [key for key in self._kept if key.startswith("uncertainty")]:
                del self._kept[old]
            self._kept[name] = numbers(sheet, "uncertainty")
        return self._kept[name]

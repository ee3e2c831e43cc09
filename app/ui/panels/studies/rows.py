"""The rows of the study list: a flat model of patients and their studies, filtered by words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from app.core.imaging.image import Collection, Patient, Study
from app.ui import wording

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Row:
    """A heading (`study` is None) or one study.

    `folder` is that of loose pictures, which are no person's: all of a folder stand under one heading.
    """

    patient: Patient
    study: Study | None = None
    folder: Path | None = None
    count: int = 0

    @property
    def heading(self) -> tuple[str, str]:
        """What a heading says: the name, and quietly the id or how many."""
        if self.folder is not None:
            return self.folder.name or str(self.folder), f"{self.count} exam{'' if self.count == 1 else 's'}"
        return wording.person(self.patient.facts), self.patient.facts.id

    @property
    def is_compact(self) -> bool:
        """True where one line beside one small picture says it all."""
        return self.folder is not None and self.study is not None and len(self.study.images) == 1

    @property
    def words(self) -> str:
        """What the search field looks in, lower case."""
        facts = self.patient.facts
        parts = [wording.person(facts), facts.name, facts.id]
        if self.study:
            parts += [wording.day(self.study.date), self.study.description]
            parts += [self.study.date.isoformat() if self.study.date else ""]
            parts += [image.accession for image in self.study.images[:1]]
        return " ".join(parts).casefold()


def rows_of(collection: Collection, search: str = "") -> tuple[Row, ...]:
    """Return headings and studies, newest study first, whose words all stand in `search`."""
    wanted = search.casefold().split()
    groups: dict[object, list[Row]] = {}
    for number, patient in enumerate(collection.patients):
        for study in patient.studies:
            folder = study.images[0].path.parent if wording.of_nobody(study) else None
            row = Row(patient, study, folder)
            if all(word in row.words for word in wanted):
                groups.setdefault(number if folder is None else folder, []).append(row)
    found: list[Row] = []
    for rows in groups.values():
        found += [Row(rows[0].patient, None, rows[0].folder, len(rows)), *rows]
    return tuple(found)


class StudyRows(QAbstractListModel):
    """The list model; the row itself under `ROW`."""

    ROW = int(Qt.ItemDataRole.UserRole)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    def put(self, rows: tuple[Row, ...]) -> None:
        """Replace the rows where they differ."""
        if rows == self._rows:
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if index.isValid() and self._rows[index.row()].study is None:
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == self.ROW:
            return row
        if role in (int(Qt.ItemDataRole.DisplayRole), int(Qt.ItemDataRole.AccessibleTextRole)):
            if row.study is None:
                return " ".join(row.heading)
            return f"{wording.title(row.study)} {row.study.description}, {len(row.study.images)} images"
        return None

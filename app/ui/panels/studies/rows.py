"""The rows of the study list: a flat model of patients and their studies, filtered by words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt

from app.core.imaging.image import Collection, Image, Patient, Study
from app.ui import identity, wording

Index = QModelIndex | QPersistentModelIndex


FEW = 4
"""So many loose pictures fit into the row of their study; of more each has a row of its own."""


@dataclass(frozen=True, slots=True)
class Row:
    """A heading (`study` is None), one study, or one loose picture of a study.

    `folder` is that of loose pictures, which are no person's: all of a folder stand under one heading,
    which says their `count`. `masked`: no name may be shown.
    """

    patient: Patient
    study: Study | None = None
    folder: Path | None = None
    image: Image | None = None
    count: int = 0
    masked: bool = False

    @property
    def heading(self) -> tuple[str, str]:
        """What a heading says: the name, and quietly the id or how many."""
        if self.folder is not None:
            name = identity.PICTURES if self.masked else self.folder.name or str(self.folder)
            return name, f"{self.count} picture{'s' * (self.count != 1)}"
        facts = self.patient.facts
        return identity.person(facts, masked=self.masked), identity.number(facts, masked=self.masked)

    @property
    def texts(self) -> tuple[str, str]:
        """What a study or picture is called, and quietly what more there is to say."""
        assert self.study is not None
        if self.image is not None:
            name = identity.label(self.image, masked=True) if self.masked else self.image.path.stem
            return name, self.image.label
        if self.folder is not None:
            views = "  ".join(image.label for image in self.study.images)
            return "" if self.masked else self.study.description, views
        return wording.day(self.study.date), self.study.description

    @property
    def words(self) -> str:
        """What the search field looks in, lower case."""
        facts = self.patient.facts
        parts = [identity.person(facts, masked=self.masked)]
        parts += [] if self.masked else [facts.name, facts.id]
        if self.study:
            parts += [wording.day(self.study.date), self.study.date.isoformat() if self.study.date else ""]
            parts += [] if self.masked and self.folder is not None else [self.study.description]
            parts += [] if self.masked else [image.accession for image in self.study.images[:1]]
        if self.image:
            parts += self.texts
        return " ".join(parts).casefold()


def rows_of(collection: Collection, search: str = "", *, masked: bool = False) -> tuple[Row, ...]:
    """Return headings and studies, newest study first, whose words all stand in `search`."""
    wanted = search.casefold().split()
    groups: dict[object, list[Row]] = {}
    for number, patient in enumerate(collection.patients):
        for study in patient.studies:
            for row in _rows(patient, study, masked):
                if all(word in row.words for word in wanted):
                    groups.setdefault(number if row.folder is None else row.folder, []).append(row)
    found: list[Row] = []
    for rows in groups.values():
        count = sum(len(row.study.images) if row.image is None else 1 for row in rows if row.study)
        found += [Row(rows[0].patient, None, rows[0].folder, None, count, masked), *rows]
    return tuple(found)


def studies_in(rows: Iterable[Row]) -> tuple[Study, ...]:
    """Return the studies of rows, each once, in their order; of one that is shown by picture only those."""
    whole: dict[str, Study] = {}
    pictures: dict[str, list[Image]] = {}
    for row in rows:
        if row.study is not None:
            whole.setdefault(row.study.key, row.study)
            if row.image is not None:
                pictures.setdefault(row.study.key, []).append(row.image)
    return tuple(
        replace(study, images=tuple(pictures[key])) if key in pictures else study
        for key, study in whole.items()
    )


def _rows(patient: Patient, study: Study, masked: bool) -> list[Row]:
    if not wording.of_nobody(study):
        return [Row(patient, study, masked=masked)]
    folder, images = study.images[0].path.parent, study.images
    if 1 < len(images) <= FEW:
        return [Row(patient, study, folder, masked=masked)]
    return [Row(patient, study, folder, image, masked=masked) for image in images]


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
            images = "" if row.image else f", {len(row.study.images)} images"
            return f"{' '.join(row.texts).strip()}{images}"
        return None

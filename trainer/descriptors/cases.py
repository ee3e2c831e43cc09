"""Descriptor tables, read row by row: one case is one lesion in one view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.manifest import Manifest, Row, file_sha256
from app.core.metrics.ranking import Bools, Floats
from trainer.descriptors.recipe import BundleRecipe, Column
from trainer.errors import TrainerError
from trainer.tables import is_missing, rows_of

_NEEDED = ("patient id", "left or right breast", "image view", "abnormality id", "pathology")
_PATHOLOGY = {"MALIGNANT": True, "BENIGN": False, "BENIGN_WITHOUT_CALLBACK": False}


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a table.

    Attributes
    ----------
    name
        ``P_00005 RIGHT CC 1``.
    given
        For each group of the recipe the places of its terms; empty: not given.
    """

    name: str
    patient: str
    laterality: str
    view: str
    malignant: bool
    given: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Cases:
    """A table: its rows in file order, and the sha256 of the file."""

    path: Path
    sha256: str
    rows: tuple[Case, ...]

    @property
    def patients(self) -> frozenset[str]:
        """Everyone in it."""
        return frozenset(case.patient for case in self.rows)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Cases as arrays.

    Attributes
    ----------
    terms
        (cases, terms), 1 where a term holds.
    given
        (cases, groups).
    positive
        (cases,).
    spans
        For each group the first of its columns in `terms`, and the one past its last.
    """

    terms: Floats
    given: Bools
    positive: Bools
    patients: npt.NDArray[np.str_]
    spans: tuple[tuple[int, int], ...]

    def part(self, chosen: Bools) -> Design:
        """Return the chosen cases."""
        kept = (self.terms[chosen], self.given[chosen], self.positive[chosen], self.patients[chosen])
        return Design(*kept, self.spans)


def read_cases(path: Path, recipe: BundleRecipe) -> Cases:
    """Return the rows of one official table.

    Raises
    ------
    TrainerError
        The file is missing or no such table, or a word in it is none that the recipe knows.
    """
    needed = (*_NEEDED, *(column.column for column in recipe.columns))
    found = []
    for line, cells in rows_of(path, needed):
        try:
            found.append(_case(cells, recipe))
        except ValueError as error:
            raise TrainerError(f"{path}: line {line}: {error}") from error
    if not found:
        raise TrainerError(f"{path}: the table has no rows")
    return Cases(path, file_sha256(path), tuple(found))


def table_path(root: Path, name: str) -> Path:
    """Return a table by the folder that holds it, or by itself."""
    path = root / name if root.is_dir() else root
    if not path.is_file():
        raise TrainerError(f"{path}: there is no such table")
    return path


def _case(cells: dict[str, str], recipe: BundleRecipe) -> Case:
    pathology = cells["pathology"].upper()
    if pathology not in _PATHOLOGY:
        raise ValueError(f"{pathology[:40]!r} is no pathology")
    patient, side, view = (
        cells["patient id"],
        cells["left or right breast"].upper(),
        cells["image view"].upper(),
    )
    if not patient:
        raise ValueError("there is no patient id")
    return Case(
        f"{patient} {side} {view} {cells['abnormality id']}",
        patient,
        side,
        view,
        _PATHOLOGY[pathology],
        tuple(_places(cells[column.column], column) for column in recipe.columns),
    )


def _places(cell: str, column: Column) -> tuple[int, ...]:
    """Return the places of the terms in a cell, each once, however often it stands there."""
    if is_missing(cell):
        return ()
    places = set()
    for word in cell.upper().split("-"):
        place = next((i for i, words in enumerate(column.reads) if word in words), None)
        if place is not None:
            places.add(place)
        elif word not in column.ignored:
            raise ValueError(f"{column.column} {word[:40]!r} is a word that the recipe does not know")
    return tuple(sorted(places))


def design(cases: Sequence[Case], recipe: BundleRecipe) -> Design:
    """Return cases as arrays, terms in the vocabulary's order."""
    ends = np.cumsum([0, *(len(group.terms) for group in recipe.groups)]).tolist()
    terms = np.zeros((len(cases), ends[-1]))
    for number, case in enumerate(cases):
        for start, places in zip(ends[:-1], case.given, strict=True):
            for place in places:
                terms[number, start + place] = 1.0
    return Design(
        terms,
        np.array([[bool(places) for places in case.given] for case in cases]),
        np.array([case.malignant for case in cases]),
        np.array([case.patient for case in cases]),
        tuple(pairwise(ends)),
    )


def words(case: Case, recipe: BundleRecipe, without: str = "") -> dict[str, list[str]]:
    """Return a case as a calculator takes it, without one of the groups if asked."""
    return {
        group.name: [group.terms[place].name for place in places]
        for group, places in zip(recipe.groups, case.given, strict=True)
        if places and group.name != without
    }


def seen(cases: Sequence[Case], recipe: BundleRecipe) -> dict[str, dict[str, int]]:
    """Return how many cases have each term, by group and term."""
    return {
        group.name: {
            term.name: sum(place in case.given[number] for case in cases)
            for place, term in enumerate(group.terms)
        }
        for number, group in enumerate(recipe.groups)
    }


def manifest_of(cases: Cases) -> Manifest:
    """Return the cases as a manifest, one row each, so that the trainer's own split divides the patients."""
    rows = tuple(
        Row(
            image_id=case.name,
            patient_id=case.patient,
            study_id=case.patient,
            laterality=case.laterality[:1],
            view=case.view,
            path=cases.path,
            frame=0,
            sha256=cases.sha256,
            rows=0,
            columns=0,
            spacing_mm=None,
            source="film",
            density="",
            age="",
            vendor="",
            label="malignant" if case.malignant else "benign",
            label_source="cbis: pathology",
        )
        for case in cases.rows
    )
    return Manifest(cases.path, rows, cases.sha256)

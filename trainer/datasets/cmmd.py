"""CMMD: 1,775 Chinese patients, 5,202 digital mammograms, biopsy of each breast that has a finding.

Cui C et al. (2021), doi 10.7937/tcia.eqde-4b16. ``CMMD/D1-0001/<study>/<series>/1-1.dcm`` and the table
``CMMD_clinicaldata_revision`` (ID1, LeftRight, Age, number, abnormality, classification, subtype). Traps:

* a breast without a row is the other, normal one of its patient;
* view and laterality stand in the files alone;
* the table is published as a workbook: it is read after it was saved as CSV.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import DICOMS, Facts, examine_all, files_below
from trainer.tables import age, find_table, is_missing, laterality, rows_of, whole

LICENCE = "any: CC BY 4.0 (CMMD, The Cancer Imaging Archive)"
TABLE = "CMMD_clinicaldata_revision"
_NEEDED = ("id1", "leftright", "age", "abnormality", "classification")
_PATIENT = re.compile(r"D[12]-[0-9]{4}")
_KINDS = ("calcification", "mass", "both")
_CLASSES = {"benign": "benign", "malignant": "malignant"}

Breast = tuple[str, str]
"""(patient, laterality)."""


def _entry(cells: dict[str, str]) -> tuple[Breast, dict[str, str]]:
    patient, kind = cells["id1"].upper(), cells["abnormality"].lower()
    if not _PATIENT.fullmatch(patient):
        raise ValueError(f"{cells['id1'][:40]!r} is no patient of the form D1-0001")
    if kind not in _KINDS:
        raise ValueError(f"{cells['abnormality'][:40]!r} is no abnormality")
    if cells["classification"].lower() not in _CLASSES:
        raise ValueError(f"{cells['classification'][:40]!r} is neither Benign nor Malignant")
    if not is_missing(cells.get("number", "")):
        whole(cells["number"], "number", 0, 99)
    checked = cells | {"age": age(cells["age"]), "abnormality": kind}
    return (patient, laterality(cells["leftright"])), checked


def read_breasts(table: Path, report: Callable[[str], None]) -> dict[Breast, list[dict[str, str]]]:
    """Return the rows of the clinical table by breast; one that cannot be understood is reported."""
    breasts: dict[Breast, list[dict[str, str]]] = {}
    for line, cells in rows_of(table, _NEEDED):
        try:
            breast, entry = _entry(cells)
        except ValueError as error:
            report(f"{table}: line {line} left out: {error}")
            continue
        breasts.setdefault(breast, []).append(entry)
    return breasts


def _lesions(entries: Iterable[dict[str, str]]) -> tuple[Lesion, ...]:
    made = []
    for entry in entries:
        subtype = entry.get("subtype", "")
        described = () if is_missing(subtype) else (("subtype", subtype),)
        kinds = ("mass", "calcification") if entry["abnormality"] == "both" else (entry["abnormality"],)
        pathology = _CLASSES[entry["classification"].lower()]
        made += [Lesion(kind, None, None, pathology, described) for kind in kinds]
    return tuple(made)


def _patient_of(facts: Facts, root: Path) -> str | None:
    """Return the patient that the file states, else the folder it lies in."""
    for text in (facts.image.patient.id, *reversed(facts.path.relative_to(root).parts[:-1])):
        match = _PATIENT.fullmatch(text.strip().upper())
        if match:
            return match[0]
    return None


def _row(facts: Facts, patient: str, entries: list[dict[str, str]], years: str) -> Row:
    lesions = _lesions(entries)
    image = facts.image
    label = "malignant" if any(one.pathology == "malignant" for one in lesions) else "benign"
    return Row(
        image_id=f"{patient}_{image.label or facts.path.stem}",
        patient_id=patient,
        study_id=image.study_uid or patient,
        laterality=image.laterality or "",
        view=image.view or "",
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=image.rows,
        columns=image.columns,
        spacing_mm=facts.spacing_mm,
        source="ffdm",
        density="",
        age=years,
        vendor=facts.vendor,
        label=label if lesions else "normal",
        label_source="cmmd: biopsy of the breast; normal: the patient's other breast",
        findings=lesions,
        licence=LICENCE,
    )


def _table(root: Path) -> Path:
    table = find_table(root, (f"{TABLE}.csv",))
    if table is not None:
        return table
    book = find_table(root, (f"{TABLE}.xlsx",))
    if book is not None:
        raise TrainerError(f"{book}: save this workbook as {TABLE}.csv beside it; workbooks are not read")
    raise TrainerError(f"{root}: no {TABLE}.csv of CMMD is here")


def _unique(rows: list[Row]) -> list[Row]:
    """Give images of the same view and patient a number of their own."""
    seen: dict[str, int] = {}
    made = []
    for row in rows:
        count = seen[row.image_id] = seen.get(row.image_id, 0) + 1
        made.append(row if count == 1 else replace(row, image_id=f"{row.image_id}-{count}"))
    return made


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image whose patient stands in the clinical table, by patient.

    Raises
    ------
    TrainerError
        No table as CSV, or one without a column it needs.
    """
    table, root = _table(root), root.resolve()
    breasts = read_breasts(table, report)
    years = {patient: entries[0]["age"] for (patient, _), entries in breasts.items()}
    shown: set[Breast] = set()
    rows = []
    for facts in examine_all(files_below(root, DICOMS | {".png"}), report).values():
        patient = _patient_of(facts, root)
        if patient is None or patient not in years:
            report(f"{facts.path}: left out, its patient has no row in {table.name}")
            continue
        side = facts.image.laterality
        if side not in ("L", "R"):
            report(f"{facts.path}: left out, it does not say which breast it shows")
            continue
        shown.add((patient, side))
        rows.append(_row(facts, patient, breasts.get((patient, side), []), years[patient]))
    for patient, breast in sorted(set(breasts) - shown):
        report(f"{patient} {breast}: no image of this breast is there, though {table.name} names it")
    rows.sort(key=lambda row: (row.patient_id, row.laterality, row.view, str(row.path)))
    return _unique(rows)

"""VinDr-Mammo: 5,000 exams of four views, BI-RADS of each breast, boxes of findings, no pathology.

Nguyen HT et al. (2023), Sci Data 10:277; PhysioNet, doi 10.13026/br2v-7517.
``images/<study_id>/<image_id>.dicom``, ``breast-level_annotations.csv``, ``finding_annotations.csv``.
Traps: the categories of a finding are a Python list written as text (read as a literal, never evaluated);
boxes reach outside the image (clipped); a study's id is all that is told of its patient.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all, files_below
from trainer.rois import clipped
from trainer.tables import decimal, find_table, is_missing, laterality, rows_of

LICENCE = "research: PhysioNet Restricted Health Data License 1.5.0 (VinDr-Mammo)"
_BREAST = ("study id", "image id", "laterality", "view position", "breast birads", "breast density", "split")
_FINDING = ("image id", "finding categories", "xmin", "ymin", "xmax", "ymax")
_SPLITS = {"training": "train", "test": "test"}
_ID = re.compile(r"[0-9a-fA-F]{8,64}")
NO_FINDING = "No Finding"


def categories_of(text: str) -> tuple[str, ...]:
    """Return the categories of ``['Mass', 'Skin Thickening']``; raises ValueError for anything else."""
    if len(text) > 2000:
        raise ValueError("the categories are longer than any list of them")
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"the categories {text[:60]!r} are no list") from error
    if not isinstance(found, list) or not found or not all(isinstance(one, str) for one in found):
        raise ValueError(f"the categories {text[:60]!r} are no list of names")
    return tuple(found)


def _finding(cells: dict[str, str]) -> tuple[Lesion, tuple[float, float, float, float] | None] | None:
    """Return a finding and its box as it is written, (row, column); None for ``No Finding``."""
    categories = categories_of(cells["finding categories"])
    if categories == (NO_FINDING,):
        return None
    described = [("categories", "|".join(categories))] if len(categories) > 1 else []
    birads = cells.get("finding birads", "")
    if not is_missing(birads):
        described.append(("BI-RADS", _birads(birads)))
    lesion = Lesion(categories[0], None, None, None, tuple(described))
    texts = [cells[name] for name in ("ymin", "xmin", "ymax", "xmax")]
    if all(is_missing(text) for text in texts):
        return lesion, None
    row0, col0, row1, col1 = (decimal(text, "box", -1e5, 1e5) for text in texts)
    if not (row1 > row0 and col1 > col0):
        raise ValueError("the box has no extent")
    return lesion, (row0, col0, row1, col1)


def _birads(text: str) -> str:
    match = re.fullmatch(r"BI-RADS ([0-6])", text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no BI-RADS category")
    return match[1]


Found = dict[str, list[tuple[Lesion, tuple[float, float, float, float] | None]]]


def _findings(root: Path, report: Callable[[str], None]) -> Found:
    table = find_table(root, ("finding_annotations.csv",))
    found: Found = {}
    if table is None:
        report(f"{root}: no finding_annotations.csv, so no image has boxes")
        return found
    for number, cells in rows_of(table, _FINDING):
        try:
            one = _finding(cells)
        except ValueError as error:
            report(f"{table}: line {number}: a finding without a place, its box is not understood: {error}")
            one = Lesion("finding"), None
        if one is not None:
            found.setdefault(cells["image id"], []).append(one)
    return found


def _lesions(found: Found, image_id: str, facts: Facts, report: Callable[[str], None]) -> tuple[Lesion, ...]:
    lesions = []
    for lesion, written in found.get(image_id, ()):
        box = clipped(written, facts.image.rows, facts.image.columns) if written else None
        if written and box is None:
            report(f"{facts.path}: a {lesion.label} lies outside the image, so it has no place")
        lesions.append(Lesion(lesion.label, box, None, None, lesion.descriptors))
    return tuple(lesions)


def _row(cells: dict[str, str], facts: Facts, lesions: tuple[Lesion, ...]) -> Row:
    split = cells["split"].lower()
    if split not in _SPLITS:
        raise ValueError(f"{cells['split'][:40]!r} is no part of the official split")
    density = re.fullmatch(r"DENSITY ([A-D])", cells["breast density"].upper())
    if density is None and not is_missing(cells["breast density"]):
        raise ValueError(f"{cells['breast density'][:40]!r} is no density")
    study = cells["study id"]
    return Row(
        image_id=cells["image id"],
        patient_id=study,
        study_id=study,
        laterality=laterality(cells["laterality"]),
        view=cells["view position"].upper(),
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=facts.image.rows,
        columns=facts.image.columns,
        spacing_mm=facts.spacing_mm,
        source="ffdm",
        density=density[1] if density else "",
        age=facts.years,
        vendor=facts.vendor,
        label=f"birads-{_birads(cells['breast birads'])}",
        label_source="vindr: BI-RADS of the breast (readers' consensus; no pathology)",
        findings=lesions,
        official_split=_SPLITS[split],
        licence=LICENCE,
    )


def _names(cells: dict[str, str]) -> tuple[str, str]:
    for name in ("study id", "image id"):
        if not _ID.fullmatch(cells[name]):
            raise ValueError(f"{cells[name][:40]!r} is no {name}")
    return cells["study id"], cells["image id"]


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image of the breast-level table that is present, in its order.

    Raises
    ------
    TrainerError
        No breast-level_annotations.csv, or one without a column it needs.
    """
    table = find_table(root, ("breast-level_annotations.csv",))
    if table is None:
        raise TrainerError(f"{root}: no breast-level_annotations.csv of VinDr-Mammo is here")
    images = table.parent / "images"
    there = set(files_below(images, (".dicom", ".dcm", ".png")))
    lines: list[tuple[int, dict[str, str], Path]] = []
    named: set[str] = set()
    for number, cells in rows_of(table, _BREAST):
        try:
            study, image = _names(cells)
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
            continue
        named.add(image)
        places = [images / study / f"{image}{suffix}" for suffix in (".dicom", ".dcm", ".png")]
        path = next((place for place in places if place in there), None)
        if path is None:
            report(f"{places[0]}: not there, though {table.name} names it")
        else:
            lines.append((number, cells, path))
    found = _findings(root, report)
    for image in sorted(set(found) - named):
        report(f"{image}: its findings are left out, {table.name} does not name the image")
    facts = examine_all((path for _, _, path in lines), report)
    rows = []
    for number, cells, path in lines:
        if path not in facts:
            continue
        try:
            lesions = _lesions(found, cells["image id"], facts[path], report)
            rows.append(_row(cells, facts[path], lesions))
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
    for path in sorted(there - {path for _, _, path in lines}):
        report(f"{path}: left out, it has no row in {table.name}")
    return rows

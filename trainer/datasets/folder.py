"""A folder of one's own: ``ROOT/<label>/<patient>/image``, the label being the folder's name.

``ROOT/train/<label>/...`` and ``ROOT/test/<label>/...`` are an official split. The patient is what a DICOM
file states, else the folder between label and image; of an image right inside its label's folder no
patient is known, and every report says so. Laterality and view are the file's own, else from its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from app.core.dicom.naming import parse
from app.core.manifest import NO_PATIENT, Row
from trainer.errors import TrainerError
from trainer.examine import DICOMS, PICTURES, Facts, examine_all, files_below

LICENCE = "research: the licence of your own images is not stated"
PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LABEL = re.compile(r"[^\x00-\x1f,;|]{1,60}")


def _row(facts: Facts, root: Path, label: str, part: str, between: tuple[str, ...]) -> Row:
    image = facts.image
    image_id = str(facts.path.relative_to(root).with_suffix("")).replace("\\", "/")
    patient = image.patient.id or "/".join(between)
    named = parse(facts.path.stem, file_name=True)
    return Row(
        image_id=image_id,
        patient_id=patient or NO_PATIENT + image_id,
        study_id=(image.study_uid if image.kind == "dicom" else "") or patient or image_id,
        laterality=image.laterality or named.laterality or "",
        view=image.view or named.view or "",
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=image.rows,
        columns=image.columns,
        spacing_mm=facts.spacing_mm,
        source=image.source,
        density="",
        age=facts.years,
        vendor=facts.vendor,
        label=label,
        label_source="folder: name of the folder",
        official_split=part,
        licence=LICENCE,
    )


def _place(path: Path, root: Path, split: bool) -> tuple[str, str, tuple[str, ...]] | None:
    """Return (part, label, folders below it) of a file; None where it lies in no label's folder."""
    parts = path.relative_to(root).parts[:-1]
    part = ""
    if split and parts:
        part, parts = PARTS[parts[0].lower()], parts[1:]
    if not parts or not _LABEL.fullmatch(parts[0]):
        return None
    return part, parts[0], parts[1:]


def _is_split(root: Path) -> bool:
    """Tell whether all folders right inside are parts of a split, one of them the test part."""
    names = {entry.name.lower() for entry in root.iterdir() if entry.is_dir() and entry.name[0] != "."}
    return "test" in names and names <= set(PARTS)


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image below a label's folder, by path.

    Raises
    ------
    TrainerError
        Two images that differ in their suffix alone.
    """
    root = root.resolve()
    split, placed = _is_split(root), {}
    for path in files_below(root, PICTURES | DICOMS):
        place = _place(path, root, split)
        if place is None:
            report(f"{path}: left out, it lies in no folder named after a label")
        else:
            placed[path] = place
    rows: dict[str, Row] = {}
    for path, facts in examine_all(placed, report).items():
        part, label, between = placed[path]
        row = _row(facts, root, label, part, between)
        if row.image_id in rows:
            raise TrainerError(f"{path}: {rows[row.image_id].path.name} beside it has the same name")
        rows[row.image_id] = row
    return list(rows.values())

"""Our own synthetic exams: folders written by ``app.core.phantom`` with their ``truth.json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.dicom.reader import read_image
from app.core.errors import ReadError
from app.core.manifest import Lesion, Row, file_sha256
from trainer.errors import TrainerError

LICENCE = "any: synthetic images made by Mammoview (Apache-2.0)"


def _lesion(entry: dict[str, Any]) -> Lesion:
    row0, col0, row1, col1 = (float(value) for value in entry["box"])
    return Lesion(str(entry["kind"]), (row0, col0, row1, col1))


def _row(folder: Path, truth: dict[str, Any], view: dict[str, Any]) -> Row:
    path = (folder / str(view["path"])).resolve()
    image = read_image(path)
    lesions = tuple(_lesion(entry) for entry in view["findings"])
    patient = f"phantom-{int(truth['seed'])}"
    return Row(
        image_id=f"{patient}-{view['laterality']}{view['view']}",
        patient_id=patient,
        study_id=patient,
        laterality=str(view["laterality"]),
        view=str(view["view"]),
        path=path,
        frame=0,
        sha256=file_sha256(path),
        rows=image.rows,
        columns=image.columns,
        spacing_mm=(image.spacing.row_mm, image.spacing.col_mm) if image.spacing else None,
        source="phantom",
        density=str(truth["density"]),
        age=image.age,
        vendor=image.manufacturer,
        label="lesion" if lesions else "normal",
        label_source="phantom: what was drawn (truth.json)",
        findings=lesions,
        licence=LICENCE,
    )


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per view of every exam below `root`, by folder.

    Raises
    ------
    TrainerError
        No truth.json below the folder, or one that cannot be understood.
    """
    files = sorted(root.rglob("truth.json"))
    if not files:
        raise TrainerError(f"{root}: no truth.json, so no phantom exam")
    rows: list[Row] = []
    seen: set[str] = set()
    for file in files:
        try:
            truth = json.loads(file.read_text(encoding="utf-8"))
            made = [_row(file.parent, truth, view) for view in truth["views"]]
        except ReadError as error:
            report(f"{error}; the exam was left out")
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TrainerError(f"{file}: the truth cannot be understood ({error})") from error
        twice = [row.image_id for row in made if row.image_id in seen]
        if twice:
            raise TrainerError(f"{file}: the exam of {made[0].patient_id} stands there twice")
        seen.update(row.image_id for row in made)
        rows.extend(made)
    return rows

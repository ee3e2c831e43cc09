"""A made data set of eight images with predictions, and the window of audits over a workstation."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.manifest import Lesion, Row, file_sha256, write_manifest
from app.ui.audit.table_model import COLUMNS
from app.ui.audit.window import AuditWindow

PLACE = {column.key: number for number, column in enumerate(COLUMNS)}

SIZE = (96, 64)
LESION = (10.0, 10.0, 30.0, 30.0)
HIT = (12.0, 12.0, 28.0, 28.0)
ELSEWHERE = (60.0, 30.0, 80.0, 50.0)
FACTS = (
    ("normal", 0.10),
    ("normal", 0.70),
    ("malignant", 0.90),
    ("malignant", 0.31),
    ("normal", 0.20),
    ("benign", 0.60),
    ("normal", None),
    ("malignant", 0.45),
)
"""Label and score by image; None: declined. At 0.5 that is TP 2, FP 1, FN 2, TN 2, and one without score."""
BOXES = {2: ((HIT, 0.8), (ELSEWHERE, 0.55)), 5: ((ELSEWHERE, 0.6),)}
FINDS = {2: (Lesion("mass", LESION, None, "malignant"),), 3: (Lesion("mass", LESION, None, "malignant"),)}


def made_audit(folder: Path) -> tuple[Path, Path]:
    """Write images, manifest and predictions; return the last two."""
    rows, studies = [], []
    for number, (label, score) in enumerate(FACTS):
        path = folder / f"i{number}.png"
        pixels = np.full(SIZE, 40 + 10 * number, np.uint8)
        pixels[20:70, 10:50] = 120 + 10 * number
        cv2.imwrite(str(path), pixels)
        study = f"s{number // 2}"
        side, view = "LR"[number % 2], ("CC", "MLO")[number // 2 % 2]
        density = "AB"[number // 4]
        rows.append(
            Row(f"i{number}", f"p{number // 2}", study, side, view, path, 0, file_sha256(path), *SIZE,
                (0.1, 0.1), "film", density, str(50 + number), "", label, "made: made up",
                FINDS.get(number, ()), licence="any: made up")
        )  # fmt: skip
        said = {
            "sop_uid": "", "path": str(path), "model": "made", "laterality": side, "view": view,
            "status": "declined" if score is None else "scored", "score": score,
            "reason": "it is too small" if score is None else None, "heatmap": None, "notes": [],
            "findings": [
                {"label": "mass", "score": own, "calibrated": False, "frame": 0, "box": list(box)}
                for box, own in BOXES.get(number, ())
            ],
        }  # fmt: skip
        if number % 2 == 0:
            studies.append({"study_uid": study, "status": "complete", "breasts": {"L": None, "R": None},
                            "exam_score": None, "suitability": [], "views": []})  # fmt: skip
        studies[-1]["views"].append(said)
        studies[-1]["breasts"][side] = score
    manifest, predictions = folder / "made.csv", folder / "made.json"
    write_manifest(rows, manifest)
    score = {"of": "a made-up lesion", "prevalence": None, "calibrated": False}
    model = {"name": "made", "version": "1", "outputs": {"score": score}}
    content = {"format": "mammoview-prediction", "version": 1, "models": [model], "studies": studies}
    predictions.write_text(json.dumps(content))
    return manifest, predictions


def texts(room: AuditWindow, key: str) -> list[str]:
    """Return what a column of the list says."""
    model = room.table.cases
    return [model.index(row, PLACE[key]).data() for row in range(model.rowCount())]


def press(room: AuditWindow, key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key in the window of audits."""
    QTest.keyClick(room.windowHandle(), key, keys)


def count(room: AuditWindow, cell: int) -> int:
    """Return the number in a cell of the matrix."""
    return int(room.matrix.cells[cell].text().split()[-1])


def show(room: AuditWindow, qtbot, row: int) -> list:
    """Put a case on screen and return what is drawn over it."""
    room.go(row)
    qtbot.waitUntil(lambda: room.panes.case is not None and room.panes.case.row == row)
    return list(room.views[0].shown)

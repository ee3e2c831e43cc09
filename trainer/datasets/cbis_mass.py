"""CBIS-DDSM masses as 800x800 pictures with boxes: the edition in ``../shared/data/cbis-mass``.

Film mammograms, CC and MLO, each with one mass or more; no normal breast is in it. The pictures are
stretched to a square, so that the two sides of a pixel differ; native sizes stand in ``images.csv``.
Sawyer-Lee R et al. (2016), doi 10.7937/K9/TCIA.2016.7O02S9CY.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import examine_all, present
from trainer.rois import clipped
from trainer.tables import below, decimal, is_missing, laterality, rows_of, whole

LICENCE = "any: CC BY 3.0 (CBIS-DDSM, The Cancer Imaging Archive)"
SIDE = 800
NATIVE_MM = 0.046
"""Nominal; DDSM's scanners had 42 to 50 micrometres, and which one made a film is not given here."""
MEAN_RATIO = 0.5935
"""Width over height, where a film's native size could not be found."""
MEAN_HEIGHT = 4900.0


_DESCRIPTORS = (
    "mass shape",
    "mass margins",
    "assessment",
    "subtlety",
    "abnormality id",
    "link",
    "pathology safe",
)
_PATHOLOGIES = {"MALIGNANT": "malignant", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}


def _lesions(path: Path) -> dict[str, list[Lesion]]:
    """Return the masses of each file; raises TrainerError for a line that cannot be understood."""
    found: dict[str, list[Lesion]] = {}
    for line, cells in rows_of(path, ("file", "x", "y", "w", "h", "pathology")):
        try:
            x, y, width, height = (decimal(cells[name], name, -SIDE, 2 * SIDE) for name in "xywh")
            pathology = _PATHOLOGIES[cells["pathology"]]
        except (KeyError, ValueError) as error:
            raise TrainerError(f"{path}: line {line} cannot be understood ({error})") from error
        box = clipped((y, x, y + height, x + width), SIDE, SIDE)
        words = tuple((name, cells[name]) for name in _DESCRIPTORS if not is_missing(cells.get(name, "")))
        found.setdefault(cells["file"], []).append(Lesion("mass", box, None, pathology, words))
    return found


def spacing(native_width: str, native_height: str) -> tuple[float, float]:
    """Return (row, column) millimetres of a stretched pixel from a film's native size in pixels."""
    height = decimal(native_height, "native_height", 1, 1e5) if native_height else MEAN_HEIGHT
    width = decimal(native_width, "native_width", 1, 1e5) if native_width else height * MEAN_RATIO
    return round(NATIVE_MM * height / SIDE, 5), round(NATIVE_MM * width / SIDE, 5)


def _row(path: Path, sha256: str, cells: dict[str, str], lesions: list[Lesion]) -> Row:
    if not re.fullmatch(r"P_[0-9]{5}", cells["patient id"]):
        raise ValueError(f"{cells['patient id'][:40]!r} is no patient id of the form P_00001")
    malignant = any(lesion.pathology == "malignant" for lesion in lesions)
    return Row(
        image_id=path.stem,
        patient_id=cells["patient id"],
        study_id=cells["patient id"],
        laterality=laterality(cells["side"]),
        view=cells["view"],
        path=path,
        frame=0,
        sha256=sha256,
        rows=SIDE,
        columns=SIDE,
        spacing_mm=spacing(cells["native width"], cells["native height"]),
        source="film",
        density=str(whole(cells["breast density"], "breast_density", 0, 4)),
        age="",
        vendor="",
        label="malignant" if malignant else "benign",
        label_source="cbis-mass: pathology of the masses (biopsy or follow-up)",
        findings=tuple(lesions),
        official_split=cells["split"],
        licence=LICENCE,
    )


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per picture of images.csv that is present, in the order of the table.

    Raises
    ------
    TrainerError
        A missing table or column, or a value that cannot be understood.
    """
    table = root / "images.csv"
    needed = (
        "split",
        "file",
        "patient id",
        "side",
        "view",
        "breast density",
        "native width",
        "native height",
    )
    lesions, lines = _lesions(root / "lesions.csv"), []
    for line, cells in rows_of(table, needed):
        try:
            lines.append((line, cells, below(root, cells["file"])))
        except ValueError as error:
            raise TrainerError(f"{table}: line {line} cannot be understood ({error})") from error
    facts = examine_all(present((path for _, _, path in lines), report, table.name), report)
    rows = []
    for line, cells, path in lines:
        if path not in facts:
            continue
        one = facts[path]
        if (one.image.rows, one.image.columns) != (SIDE, SIDE):
            report(f"{path}: left out, it is not of {SIDE} x {SIDE} pixels")
            continue
        try:
            rows.append(_row(one.path, one.sha256, cells, lesions.get(cells["file"], [])))
        except ValueError as error:
            raise TrainerError(f"{table}: line {line} cannot be understood ({error})") from error
    return rows

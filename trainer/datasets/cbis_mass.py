"""CBIS-DDSM masses as 800x800 pictures with boxes: the edition in ``../shared/data/cbis-mass``.

Film mammograms, CC and MLO, each with one mass or more; no normal breast is in it. The pictures are
stretched to a square, so that the two sides of a pixel differ; native sizes stand in ``images.csv``.
Sawyer-Lee R et al. (2016), doi 10.7937/K9/TCIA.2016.7O02S9CY.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from trainer.errors import TrainerError
from trainer.manifest import Lesion, Row, file_sha256, read_table

LICENCE = "any: CC BY 3.0 (CBIS-DDSM, The Cancer Imaging Archive)"
SIDE = 800
NATIVE_MM = 0.046
"""Nominal; DDSM's scanners had 42 to 50 micrometres, and which one made a film is not given here."""
MEAN_RATIO = 0.5935
"""Width over height, where a film's native size could not be found."""
MEAN_HEIGHT = 4900.0


def _table(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    rows, _ = read_table(path)
    for name in columns:
        if rows and name not in rows[0][1]:
            raise TrainerError(f"{path}: the table lacks the column {name}")
    return rows


def _lesions(path: Path) -> dict[str, list[Lesion]]:
    found: dict[str, list[Lesion]] = {}
    for _, entry in _table(path, ("file", "x", "y", "w", "h", "pathology")):
        x, y, width, height = (float(entry[name]) for name in "xywh")
        pathology = "malignant" if entry["pathology"] == "MALIGNANT" else "benign"
        box = (max(y, 0.0), max(x, 0.0), min(y + height, float(SIDE)), min(x + width, float(SIDE)))
        found.setdefault(entry["file"], []).append(Lesion("mass", box, None, pathology))
    return found


def spacing(native_width: str, native_height: str) -> tuple[float, float]:
    """Return (row, column) millimetres of a stretched pixel from a film's native size in pixels."""
    height = float(native_height) if native_height else MEAN_HEIGHT
    width = float(native_width) if native_width else height * MEAN_RATIO
    return round(NATIVE_MM * height / SIDE, 5), round(NATIVE_MM * width / SIDE, 5)


def _row(root: Path, entry: dict[str, str], lesions: list[Lesion]) -> Row:
    path = (root / entry["file"]).resolve()
    side = {"LEFT": "L", "RIGHT": "R"}[entry["side"]]
    malignant = any(lesion.pathology == "malignant" for lesion in lesions)
    return Row(
        image_id=path.stem,
        patient_id=entry["patient_id"],
        study_id=entry["patient_id"],
        laterality=side,
        view=entry["view"],
        path=path,
        frame=0,
        sha256=file_sha256(path),
        rows=SIDE,
        columns=SIDE,
        spacing_mm=spacing(entry["native_width"], entry["native_height"]),
        source="film",
        density=entry["breast_density"],
        age="",
        vendor="",
        label="malignant" if malignant else "benign",
        label_source="cbis-mass: pathology of the masses (biopsy or follow-up)",
        findings=tuple(lesions),
        official_split=entry["split"],
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
    columns = (
        "split",
        "file",
        "patient_id",
        "side",
        "view",
        "breast_density",
        "native_width",
        "native_height",
    )
    lesions = _lesions(root / "lesions.csv")
    rows, missing = [], 0
    for number, entry in _table(table, columns):
        if not (root / entry["file"]).is_file():
            missing += 1
            continue
        try:
            rows.append(_row(root, entry, lesions.get(entry["file"], [])))
        except (KeyError, ValueError) as error:
            raise TrainerError(f"{table}: line {number} cannot be understood ({error})") from error
    if missing:
        report(f"{root}: {missing} pictures of {table.name} are not there and were left out")
    return rows

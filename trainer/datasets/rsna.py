"""RSNA Screening Mammography Breast Cancer Detection (2022): 54,706 images, 11,913 patients.

``train.csv`` and ``train_images/<patient_id>/<image_id>.dcm``. ``cancer`` is of a breast, from biopsy and
follow-up; all its images share it, and it has no place. Traps: BIRADS is of the exam's reading (0 to be
followed up, 1 negative, 2 benign or normal) and often empty, as age and density are; further views (AT,
LM, ML, LMO) exist; test.csv has no labels and is left out. PNG copies are taken where there is no
DICOM: ``train_images/<patient_id>/<image_id>.png`` or ``<patient_id>_<image_id>.png``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all, files_below
from trainer.tables import age, decimal, find_table, is_missing, laterality, rows_of, whole

LICENCE = "research: RSNA Screening Mammography Breast Cancer Detection, competition rules (non-commercial)"
_NEEDED = ("patient id", "image id", "laterality", "view", "age", "cancer")
_SUFFIXES = (".dcm", ".png")
_DESCRIPTORS = ("invasive", "birads", "biopsy", "difficult negative case")
_VIEWS = frozenset({"CC", "MLO", "ML", "LM", "LMO", "AT"})


def _flag(cells: dict[str, str], name: str) -> str:
    """Return 0 or 1 as text, "" where nothing is said; True and False are taken too."""
    text = cells.get(name, "")
    if is_missing(text):
        return ""
    if text.lower() in ("true", "false"):
        return str(int(text.lower() == "true"))
    return str(whole(text, name, 0, 1))


def _names(cells: dict[str, str]) -> tuple[str, str]:
    """Return patient and image number as text: as a folder and a file are named after them."""
    patient, image = (whole(cells[name], name, 0, 10**12) for name in ("patient id", "image id"))
    return str(patient), str(image)


def _label(cancer: str, biopsy: str) -> str:
    if cancer == "1":
        return "malignant"
    return "benign" if biopsy == "1" else "negative"


def _lesions(cells: dict[str, str], cancer: str) -> tuple[Lesion, ...]:
    if cancer != "1":
        return ()
    described = tuple((name, cells[name]) for name in _DESCRIPTORS if not is_missing(cells.get(name, "")))
    return (Lesion("cancer", None, None, "malignant", described),)


def _checked(cells: dict[str, str]) -> None:
    if not is_missing(cells.get("birads", "")):
        whole(cells["birads"], "BIRADS", 0, 6)
    if not is_missing(cells["age"]):
        decimal(cells["age"], "age", 0, 120)
    if cells["view"].upper() not in _VIEWS:
        raise ValueError(f"{cells['view'][:40]!r} is no view of this set")
    density = cells.get("density", "")
    if not is_missing(density) and density.upper() not in ("A", "B", "C", "D"):
        raise ValueError(f"{density[:40]!r} is no density")


def _row(cells: dict[str, str], facts: Facts) -> Row:
    patient, image = _names(cells)
    _checked(cells)
    cancer, biopsy = _flag(cells, "cancer"), _flag(cells, "biopsy")
    if not cancer:
        raise ValueError("cancer is empty")
    machine = " ".join(
        f"{word} {cells[name]}"
        for word, name in (("site", "site id"), ("machine", "machine id"))
        if not is_missing(cells.get(name, ""))
    )
    density = cells.get("density", "")
    years = cells["age"]
    return Row(
        image_id=f"{patient}_{image}",
        patient_id=f"rsna-{patient}",
        study_id=f"rsna-{patient}",
        laterality=laterality(cells["laterality"]),
        view=cells["view"].upper(),
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=facts.image.rows,
        columns=facts.image.columns,
        spacing_mm=facts.spacing_mm,
        source="ffdm",
        density="" if is_missing(density) else density.upper(),
        age=age(str(int(float(years)))) if not is_missing(years) else "",
        vendor=machine or facts.vendor,
        label=_label(cancer, biopsy),
        label_source="rsna: cancer of the breast by biopsy; negative by follow-up",
        findings=_lesions(cells, cancer),
        licence=LICENCE,
    )


def _file(images: Path, patient: str, image: str, there: set[Path]) -> Path | None:
    places = [images / patient / f"{image}{suffix}" for suffix in _SUFFIXES]
    places.append(images / f"{patient}_{image}.png")
    return next((place for place in places if place in there), None)


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image of train.csv that is present, in the order of the table.

    Raises
    ------
    TrainerError
        No train.csv, or one without a column it needs, or no train_images beside it.
    """
    table = find_table(root, ("train.csv",))
    if table is None:
        raise TrainerError(f"{root}: no train.csv of RSNA 2022 is here")
    images = table.parent / "train_images"
    if not images.is_dir():
        raise TrainerError(f"{images}: not there, so there is no image to train.csv")
    there = set(files_below(images, _SUFFIXES))
    lines: list[tuple[int, dict[str, str], Path]] = []
    for number, cells in rows_of(table, _NEEDED):
        try:
            patient, image = _names(cells)
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
            continue
        path = _file(images, patient, image, there)
        if path is None:
            report(f"{images / patient / image}.dcm: not there, though train.csv names it")
        else:
            lines.append((number, cells, path))
    facts = examine_all((path for _, _, path in lines), report)
    rows = []
    for number, cells, path in lines:
        if path not in facts:
            continue
        try:
            rows.append(_row(cells, facts[path]))
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
    for path in sorted(there - {path for _, _, path in lines}):
        report(f"{path}: left out, it has no row in train.csv")
    if (table.parent / "test.csv").is_file():
        report(f"{table.parent / 'test.csv'}: left out, it holds no labels")
    return rows

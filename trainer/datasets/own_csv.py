"""A table of one's own: one line per image, or several with the same path, one per lesion.

Columns, in any order: ``path`` and ``label`` are needed; ``image_id``, ``patient_id``, ``study_id``,
``laterality``, ``view``, ``density``, ``age``, ``vendor``, ``source``, ``spacing_mm``, ``label_source``,
``split`` and ``licence`` say more of the image; ``lesion``, ``pathology``, ``row0``, ``col0``, ``row1``,
``col1`` (edges at pixel corners, half-open) and ``mask`` say of a lesion. Paths start at the table's folder
and stay below it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.core.manifest import NO_PATIENT, Box, Lesion, Row, parse_spacing
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all, present
from trainer.rois import clipped
from trainer.tables import age, below, decimal, is_missing, laterality, rows_of

LICENCE = "research: the licence of your own images is not stated"
IMAGE = (
    "label",
    "image id",
    "patient id",
    "study id",
    "laterality",
    "view",
    "density",
    "age",
    "vendor",
    "source",
    "spacing mm",
    "label source",
    "split",
    "licence",
)
_BOX = ("row0", "col0", "row1", "col1")
LESION = ("lesion", "pathology", *_BOX, "mask")
_PATHOLOGIES = ("benign", "malignant")
_SOURCES = ("ffdm", "film", "synthetic2d", "dbt", "phantom", "unknown")

Line = tuple[int, dict[str, str]]


def _said(cells: dict[str, str], name: str) -> str:
    text = cells.get(name, "")
    return "" if is_missing(text) else text


def _box(cells: dict[str, str]) -> Box | None:
    texts = [_said(cells, name) for name in _BOX]
    if not any(texts):
        return None
    row0, col0, row1, col1 = (decimal(text, name, -1e6, 1e6) for text, name in zip(texts, _BOX, strict=True))
    if not (row1 > row0 and col1 > col0):
        raise ValueError("the box has no extent")
    return row0, col0, row1, col1


def _lesion(
    cells: dict[str, str], folder: Path, facts: Facts, report: Callable[[str], None]
) -> Lesion | None:
    if not any(_said(cells, name) for name in LESION):
        return None
    pathology = _said(cells, "pathology").lower() or None
    if pathology is not None and pathology not in _PATHOLOGIES:
        raise ValueError(f"pathology {pathology[:40]!r} is neither benign nor malignant")
    written, mask = _box(cells), None
    box = clipped(written, facts.image.rows, facts.image.columns) if written else None
    if written and box is None:
        report(f"{facts.path}: a box lies outside the image, so the lesion has no place")
    if _said(cells, "mask"):
        file = below(folder, cells["mask"]).resolve()
        if file.is_file():
            mask = str(file)
        else:
            report(f"{file}: not there, though a line names it as a mask")
    return Lesion(_said(cells, "lesion") or "lesion", box, mask, pathology)


def _licence(text: str) -> str:
    if text and not text.startswith(("any:", "research:")):
        raise ValueError(f"the licence {text[:40]!r} does not start with 'any:' or 'research:'")
    return text or LICENCE


def _row(cells: dict[str, str], facts: Facts, lesions: tuple[Lesion, ...], image_id: str) -> Row:
    if not cells["label"]:
        raise ValueError("the label is empty")
    source = _said(cells, "source").lower() or facts.image.source
    if source not in _SOURCES:
        raise ValueError(f"the source {source[:40]!r} is none of {', '.join(_SOURCES)}")
    image, side = facts.image, _said(cells, "laterality")
    patient = _said(cells, "patient id") or image.patient.id
    return Row(
        image_id=image_id,
        patient_id=patient or NO_PATIENT + image_id,
        study_id=_said(cells, "study id") or patient or image_id,
        laterality=laterality(side) if side else image.laterality or "",
        view=_said(cells, "view").upper() or image.view or "",
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=image.rows,
        columns=image.columns,
        spacing_mm=parse_spacing(_said(cells, "spacing mm")) or facts.spacing_mm,
        source=source,
        density=_said(cells, "density"),
        age=age(cells.get("age", "")) or facts.years,
        vendor=_said(cells, "vendor") or facts.vendor,
        label=cells["label"],
        label_source=f"csv: {_said(cells, 'label source') or 'the column label'}",
        findings=lesions,
        official_split=_said(cells, "split").lower(),
        licence=_licence(_said(cells, "licence")),
    )


def _table(root: Path) -> Path:
    if root.is_file():
        return root
    tables = sorted(path for path in root.glob("*.csv") if path.is_file())
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise TrainerError(f"{root}: no CSV table is in this folder")
    raise TrainerError(f"{root}: {len(tables)} CSV tables are in this folder; name the one that is meant")


def _conflict(first: dict[str, str], other: dict[str, str]) -> str:
    """Return the first image column in which two lines of one image differ, "" where they agree."""
    return next((name for name in IMAGE if first.get(name, "") != other.get(name, "")), "")


def _image(lines: list[Line], folder: Path, table: Path, facts: Facts, report: Callable[[str], None]) -> Row:
    number, first = lines[0]
    lesions = []
    for number, cells in lines:
        differs = _conflict(first, cells)
        if differs:
            report(f"{table}: line {number}: another {differs} than the image's first line, which is taken")
        lesion = _lesion(cells, folder, facts, report)
        if lesion is not None:
            lesions.append(lesion)
    stem = str(below(Path(), first["path"]).with_suffix("")).replace("\\", "/")
    return _row(first, facts, tuple(lesions), _said(first, "image id") or stem)


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image of a CSV file, or of the only one in a folder, in its order.

    Raises
    ------
    TrainerError
        No table or several, a column that is missing, an image id twice.
    """
    table = _table(root)
    folder = table.parent
    groups: dict[Path, list[Line]] = {}
    unused: set[str] = set()
    for number, cells in rows_of(table, ("path", "label")):
        unused.update(set(cells) - {"path", *IMAGE, *LESION})
        try:
            groups.setdefault(below(folder, cells["path"]), []).append((number, cells))
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
    if unused:
        report(f"{table}: columns that mean nothing here: {', '.join(sorted(unused))}")
    facts = examine_all(present(groups, report, table.name), report)
    rows: dict[str, Row] = {}
    for path, lines in groups.items():
        if path not in facts:
            continue
        try:
            row = _image(lines, folder, table, facts[path], report)
        except ValueError as error:
            report(f"{table}: line {lines[0][0]} left out: {error}")
            continue
        if row.image_id in rows:
            raise TrainerError(f"{table}: line {lines[0][0]}: the image id {row.image_id} stands there twice")
        rows[row.image_id] = row
    return list(rows.values())

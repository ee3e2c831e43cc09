"""CDD-CESM, the edition in ``../shared/data/cdd-cesm``: malignant images with masks, 512 pixels a side.

Khaled R et al. (2022), Sci Data 9, doi 10.1038/s41597-022-01238-0. Low-energy images (``dm/``, like
ordinary digital mammograms) and subtracted ones (``cm/``: source ``cesm``, not what a mammogram model
expects). Traps:

* every image here is malignant: nothing to tell benign from malignant by;
* a mask holds *all* marked findings of the view, benign ones too: one lesion per connected part, none
  of them with a pathology of its own;
* ``_`` is no density; ``4$2`` are two BI-RADS assessments;
* the size of a native pixel is not told, so there are no millimetres.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all, present
from trainer.rois import parts_of, read_mask
from trainer.tables import age, below, is_missing, laterality, rows_of

LICENCE = "any: CC BY 4.0 (CDD-CESM, The Cancer Imaging Archive)"
_NEEDED = (
    "file",
    "mask",
    "patient id",
    "side",
    "view",
    "type",
    "age",
    "density acr",
    "birads",
    "findings",
    "machine",
    "pathology",
)
_SOURCES = {"DM": "ffdm", "CESM": "cesm"}


def _lesions(
    root: Path, cells: dict[str, str], facts: Facts, report: Callable[[str], None]
) -> tuple[Lesion, ...]:
    described = tuple(
        (name, cells[key])
        for name, key in (("BI-RADS", "birads"), ("findings", "findings"), ("tags", "tags"))
        if not is_missing(cells.get(key, ""))
    )
    nowhere = (Lesion("finding", None, None, None, described),)
    if is_missing(cells["mask"]):
        return nowhere
    path = below(root, cells["mask"]).resolve()
    try:
        parts = parts_of(read_mask(path, facts.image.rows, facts.image.columns))
    except TrainerError as error:
        report(f"{error}; {facts.path.name} has a finding without a place")
        return nowhere
    if not parts:
        report(f"{path}: the mask is empty; {facts.path.name} has a finding without a place")
        return nowhere
    return tuple(Lesion("finding", part, str(path), None, described) for part in parts)


def _row(root: Path, cells: dict[str, str], facts: Facts, report: Callable[[str], None]) -> Row:
    if not re.fullmatch(r"[0-9]{1,6}", cells["patient id"]):
        raise ValueError(f"{cells['patient id'][:40]!r} is no patient number")
    if cells["view"] not in ("CC", "MLO"):
        raise ValueError(f"{cells['view'][:40]!r} is neither CC nor MLO")
    if cells["type"] not in _SOURCES:
        raise ValueError(f"{cells['type'][:40]!r} is neither DM nor CESM")
    if cells["pathology"].lower() not in ("malignant", "benign", "normal"):
        raise ValueError(f"{cells['pathology'][:40]!r} is no pathology")
    patient = f"cdd-cesm-{cells['patient id']}"
    return Row(
        image_id=facts.path.stem,
        patient_id=patient,
        # The subtracted images are a study of their own: an exam has one image per view.
        study_id=f"{patient}-{cells['type']}",
        laterality=laterality(cells["side"]),
        view=cells["view"],
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=facts.image.rows,
        columns=facts.image.columns,
        spacing_mm=None,
        source=_SOURCES[cells["type"]],
        density="" if is_missing(cells["density acr"]) else cells["density acr"],
        age=age(cells["age"]),
        vendor="" if is_missing(cells["machine"]) else f"machine {cells['machine']}",
        label=cells["pathology"].lower(),
        label_source="cdd-cesm: pathology of the image (biopsy or follow-up)",
        findings=_lesions(root, cells, facts, report),
        licence=LICENCE,
    )


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image of labels.csv that is present, in the order of the table.

    Raises
    ------
    TrainerError
        No labels.csv, or one without a column it needs.
    """
    table, lines = root / "labels.csv", []
    for number, cells in rows_of(table, _NEEDED):
        try:
            lines.append((number, cells, below(root, cells["file"])))
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
    facts = examine_all(present((path for _, _, path in lines), report, table.name), report)
    rows = []
    for number, cells, path in lines:
        if path not in facts:
            continue
        try:
            rows.append(_row(root, cells, facts[path], report))
        except ValueError as error:
            report(f"{table}: line {number} left out: {error}")
    return rows

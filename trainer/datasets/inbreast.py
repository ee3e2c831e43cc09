"""INbreast: 410 digital mammograms of 115 cases with outlines of findings; BI-RADS, no pathology.

Moreira IC et al. (2012), Acad Radiol 19:236. ``AllDICOMs/<File Name>_<patient>_MG_<L|R>_<CC|ML>_ANON.dcm``,
``AllXML/<File Name>.xml``, ``INbreast.csv`` (semicolons). Traps:

* ``ML`` in a file name is MLO; the patient is the word after the number, the table names none;
* the last rows of INbreast.xls, and of a CSV made from it, are a footer; a workbook is not read itself;
* outlines are text such as ``(2315.3, 1250.7)``: parsed as two numbers, never evaluated;
* one or two points are a single calcification; the pectoral muscle is outlined too and is no finding;
* an image without findings has no XML.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

from app.core.manifest import Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all, files_below
from trainer.rois import box_of_points, clipped
from trainer.tables import find_table, is_missing, laterality, rows_of, whole

LICENCE = "research: INbreast agreement (INESC Porto, Breast Research Group)"
ANATOMY = frozenset({"pectoral muscle", "nipple"})
"""Outlines that are no findings."""
_NAME = re.compile(r"([0-9]+)_([0-9a-zA-Z]+)_MG_([LR])_(CC|ML|MLO)_ANON")
_NUMBER = r"[+-]?[0-9]{1,6}(?:\.[0-9]{0,12})?"
_POINT = re.compile(rf"\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)")
_BIRADS = re.compile(r"([0-6])([abc]?)")
_NEEDED = ("file name", "laterality", "view", "acr", "bi-rads")
_ALIASES = {"bi rads": "bi-rads", "birads": "bi-rads"}
_VIEWS = {"CC": "CC", "ML": "MLO", "MLO": "MLO"}
_MOST_BYTES = 64 << 20


def points_of(texts: Any) -> list[tuple[float, float]]:
    """Return the (row, column) points of ``(x, y)`` texts; raises ValueError for anything else."""
    if not isinstance(texts, list):
        raise ValueError("an outline is no list of points")
    points = []
    for text in texts:
        match = _POINT.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"{str(text)[:40]!r} is no point")
        points.append((float(match[2]), float(match[1])))
    return points


def _regions(path: Path) -> list[dict[str, Any]]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too large for outlines")
    content = plistlib.loads(path.read_bytes(), fmt=plistlib.FMT_XML)
    regions = content["Images"][0]["ROIs"]
    if not isinstance(regions, list) or not all(isinstance(one, dict) for one in regions):
        raise ValueError("its ROIs are no list of outlines")
    return regions


def read_outlines(path: Path, rows: int, columns: int, report: Callable[[str], None]) -> tuple[Lesion, ...]:
    """Return the findings of an XML file, boxes clipped to the image; an outline not understood has none.

    Raises
    ------
    TrainerError
        The file is no property list of outlines.
    """
    try:
        regions = _regions(path)
    except (OSError, ValueError, KeyError, IndexError, TypeError, ExpatError, AttributeError) as error:
        raise TrainerError(f"{path}: the outlines cannot be read ({error.__class__.__name__})") from error
    lesions = []
    for region in regions:
        name = " ".join(str(region.get("Name", "")).split()) or "finding"
        if name.lower() in ANATOMY:
            continue
        box, described = None, tuple[tuple[str, str], ...]()
        try:
            points = points_of(region.get("Point_px", []))
            whole_box = box_of_points(points)
            box = clipped(whole_box, rows, columns) if whole_box else None
            described = (("single", "yes"),) if 0 < len(points) <= 2 else ()
        except ValueError as error:
            report(f"{path}: {name}: {error}")
        if box is None:
            report(f"{path}: {name} has no outline inside the image, so it has no place")
        lesions.append(Lesion(name.lower(), box, None, None, described))
    return tuple(lesions)


def _entries(table: Path, report: Callable[[str], None]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line, cells in rows_of(table, _NEEDED, aliases=_ALIASES, delimiter=_delimiter(table)):
        if is_missing(cells["file name"]):
            continue  # a footer
        try:
            number = str(whole(cells["file name"], "file name", 1, 10**12))
            if not _BIRADS.fullmatch(cells["bi-rads"].lower()):
                raise ValueError(f"{cells['bi-rads'][:40]!r} is no BI-RADS category")
            if not is_missing(cells["acr"]):
                cells["acr"] = str(whole(cells["acr"], "ACR", 1, 4))
            laterality(cells["laterality"])
            if cells["view"].upper() not in _VIEWS:
                raise ValueError(f"{cells['view'][:40]!r} is no view of this set")
        except ValueError as error:
            report(f"{table}: line {line} left out: {error}")
            continue
        found[number] = cells
    return found


def _delimiter(table: Path) -> str:
    with table.open(encoding="utf-8-sig", errors="replace") as stream:
        first = stream.readline()
    return ";" if first.count(";") >= first.count(",") else ","


def _row(facts: Facts, match: re.Match[str], cells: dict[str, str], lesions: tuple[Lesion, ...]) -> Row:
    birads = cells["bi-rads"].lower()
    return Row(
        image_id=match[1],
        patient_id=f"inbreast-{match[2]}",
        study_id=facts.image.study_uid or f"inbreast-{match[2]}",
        laterality=match[3],
        view=_VIEWS[match[4]],
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=facts.image.rows,
        columns=facts.image.columns,
        spacing_mm=facts.spacing_mm,
        source="ffdm",
        density="" if is_missing(cells["acr"]) else cells["acr"],
        age=cells.get("patient age", "") if cells.get("patient age", "").isdigit() else "",
        vendor=facts.vendor,
        label=f"birads-{birads}",
        label_source="inbreast: BI-RADS of the image (no pathology)",
        findings=lesions,
        licence=LICENCE,
    )


def _table(root: Path) -> Path:
    table = find_table(root, ("INbreast.csv",))
    if table is not None:
        return table
    book = find_table(root, ("INbreast.xls", "INbreast.xlsx"))
    if book is not None:
        raise TrainerError(f"{book}: save this workbook as INbreast.csv beside it; workbooks are not read")
    raise TrainerError(f"{root}: no INbreast.csv is here")


def _doubt(facts: Facts, match: re.Match[str], cells: dict[str, str]) -> str:
    """Return a sentence if the table contradicts the file's name, which is followed."""
    said = laterality(cells["laterality"]), _VIEWS[cells["view"].upper()]
    named = match[3], _VIEWS[match[4]]
    if said == named:
        return ""
    return f"{facts.path}: named {' '.join(named)}, but {' '.join(said)} in the table: the name is followed"


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per DICOM file that has a row in INbreast.csv, by number.

    Raises
    ------
    TrainerError
        No INbreast.csv, or one without a column it needs.
    """
    table = _table(root)
    entries = _entries(table, report)
    outlines = {path.stem: path for path in files_below(root, (".xml",))}
    named: dict[Path, re.Match[str]] = {}
    for path in files_below(root, (".dcm",)):
        match = _NAME.fullmatch(path.stem)
        if match is None or match[1] not in entries:
            why = "its name is not of the set's form" if match is None else f"it has no row in {table.name}"
            report(f"{path}: left out, {why}")
        else:
            named[path] = match
    rows = []
    for path, facts in examine_all(named, report).items():
        match = named[path]
        cells, lesions = entries[match[1]], tuple[Lesion, ...]()
        if match[1] in outlines:
            try:
                size = facts.image.rows, facts.image.columns
                lesions = read_outlines(outlines[match[1]], *size, report)
            except TrainerError as error:
                # Its findings are not known: without them it would count as free of any.
                report(f"{error}; {path.name} left out")
                continue
        doubt = _doubt(facts, match, cells)
        if doubt:
            report(doubt)
        rows.append(_row(facts, match, cells, lesions))
    there = {match[1] for match in named.values()}
    for number in sorted(set(entries) - there, key=int):
        report(f"{root}: no DICOM file of image {number}, though {table.name} names it")
    for number in sorted(set(outlines) - there):
        report(f"{outlines[number]}: left out, there is no image to it")
    return sorted(rows, key=lambda row: int(row.image_id))

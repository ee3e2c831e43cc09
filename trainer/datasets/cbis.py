"""CBIS-DDSM: film mammograms with masses and calcifications, masks and pathology, in all its layouts.

Lee RS et al. (2017), Sci Data 4:170177; Sawyer-Lee R et al. (2016), doi 10.7937/K9/TCIA.2016.7O02S9CY.
Traps: see `trainer.cbis_tables` and `trainer.cbis_files`; and

* 71 views stand there twice, once with the masses, once with the calcifications: one image here;
* 31 patients, 29 views among theirs, are in the official training part and in the test part when masses
  and calcifications are pooled: ``split --official-strict`` takes them out of training;
* some masks are not of their view's size: brought to it, with a remark, and a louder one where the
  shapes differ too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.core.manifest import Lesion, Row
from trainer.cbis_files import File, Files, Region, find_files, region, whole_view
from trainer.cbis_tables import Abnormality, Place, in_both_parts, read_tables
from trainer.errors import TrainerError
from trainer.examine import examine
from trainer.rois import ASPECT_DOUBT, aspect_difference, box_of, scaled

LICENCE = "any: CC BY 3.0 (CBIS-DDSM, The Cancer Imaging Archive)"
NATIVE_MM = 0.046
"""Nominal: DDSM's scanners had 42 to 50 micrometres; which one made a film is not told."""
_SIDES = {"L": "LEFT", "R": "RIGHT"}
_THREADS = min(4, os.cpu_count() or 1)


def _folder_of(entry: Abnormality) -> str:
    return f"{entry.image.case}_{entry.number}"


def _regions_of(entry: Abnormality) -> tuple[Place, ...]:
    """Return where an abnormality's files may be; the folder's number is the abnormality's."""
    case = _folder_of(entry)
    return tuple(Place(case, place.study, place.series) for place in entry.regions)


def _mask_doubts(mask: File, whole: tuple[int, int]) -> list[str]:
    if mask.shape == whole:
        return []
    sizes = f"{mask.rows} x {mask.columns}, its view {whole[0]} x {whole[1]}"
    said = [f"{mask.path}: the mask is {sizes}: brought to the view's size"]
    difference = aspect_difference(mask.shape, whole)
    if difference > ASPECT_DOUBT:
        said.append(
            f"{mask.path}: LOOK AT IT: the shapes of mask and view differ by {100 * difference:.1f} %"
        )
    return said


def _lesion(entry: Abnormality, found: Region, whole: tuple[int, int]) -> tuple[Lesion, list[str]]:
    said = list(found.doubts)
    box, mask = None, None
    if found.mask is None or found.pixels is None:
        said.append(f"{_folder_of(entry)}: no mask is there, so the {entry.kind} has no place")
    else:
        said += _mask_doubts(found.mask, whole)
        inside = box_of(found.pixels)
        if inside is None:
            said.append(f"{found.mask.path}: the mask is empty, so the {entry.kind} has no place")
        else:
            box = scaled(inside, found.mask.shape, whole)
            mask = str(found.mask.path.resolve())
    return Lesion(entry.kind, box, mask, entry.pathology, entry.descriptors), said


def _row(files: Files, file: File, entries: list[Abnormality]) -> tuple[Row, list[str]]:
    facts = examine(file.path)
    whole = (facts.image.rows, facts.image.columns)
    lesions, said = [], []
    for entry in entries:
        made, doubts = _lesion(entry, region(files, _regions_of(entry), _folder_of(entry), whole), whole)
        lesions.append(made)
        said += doubts
    first = entries[0]
    densities = sorted({entry.density for entry in entries if entry.density})
    if len(densities) > 1:
        said.append(f"{file.path}: densities {' and '.join(densities)} are given; the first is taken")
    native = bool(file.series) and not (file.case and file.path.stem.startswith(file.case))
    row = Row(
        image_id=f"{first.patient}_{_SIDES[first.laterality]}_{first.view}",
        patient_id=first.patient,
        study_id=first.patient,
        laterality=first.laterality,
        view=first.view,
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=whole[0],
        columns=whole[1],
        spacing_mm=facts.spacing_mm or ((NATIVE_MM, NATIVE_MM) if native else None),
        source="film",
        density=densities[0] if densities else "",
        age="",
        vendor="DDSM film scanner, lossy 8-bit JPEG" if file.lossy else "DDSM film scanner",
        label="malignant" if any(entry.pathology == "malignant" for entry in entries) else "benign",
        label_source="cbis: pathology of the abnormalities (biopsy; without callback: follow-up)",
        findings=tuple(lesions),
        official_split=" ".join(sorted({entry.part for entry in entries}, reverse=True)),
        licence=LICENCE,
    )
    return row, said


def _views(entries: list[Abnormality]) -> dict[tuple[str, str, str], list[Abnormality]]:
    views: dict[tuple[str, str, str], list[Abnormality]] = {}
    for entry in entries:
        views.setdefault(entry.key, []).append(entry)
    return dict(sorted(views.items()))


def _warn(entries: list[Abnormality], report: Callable[[str], None]) -> None:
    both = in_both_parts(entries)
    if both:
        report(
            f"{len(both)} patient(s) stand in the official training part and in the official test part "
            f"(use split --official-strict): {' '.join(both)}"
        )


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per view that is present, masses and calcifications together, by patient.

    Raises
    ------
    TrainerError
        None of the four tables, or one without a column it needs.
    """
    entries = read_tables(root, report)
    _warn(entries, report)
    files = find_files(root, report)
    work: list[tuple[File, list[Abnormality]]] = []
    for (patient, side, view), group in _views(entries).items():
        places = tuple(dict.fromkeys(entry.image for entry in group))
        file = whole_view(files, places)
        # The other copy of a view that stands there twice is known too, though not taken.
        files.used.update(other.path for place in places for other in files.at(place))
        if file is None:
            report(f"{places[0].case}: no whole view of {patient} {_SIDES[side]} {view} is there; left out")
        else:
            work.append((file, group))

    def one(task: tuple[File, list[Abnormality]]) -> tuple[Row | None, list[str]]:
        try:
            return _row(files, *task)
        except TrainerError as error:
            return None, [f"{error}; left out"]

    rows = []
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="cbis") as threads:
        for row, said in threads.map(one, work):
            for sentence in said:
                report(sentence)
            if row is not None:
                rows.append(row)
    for left in files.every:
        if left.path not in files.used:
            report(f"{left.path}: belongs to no image that was taken; left out")
    if any(file.lossy for file, _ in work):
        report(f"{root}: the pictures are lossy 8-bit JPEG copies of 16-bit films")
    return rows

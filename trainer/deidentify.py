"""A manifest's images for others: no person in any header, picture, name of a file, or cell of the table.

Everything is written into a folder of its own, whole or not at all. Patients, studies, images and UIDs are
mapped by one secret key (`app.core.dicom.pseudonyms`), so that the same set is exported to the same bytes
and a later one fits an earlier one.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset

from app.core.dicom.deidentify import Deidentifier, Removed, Wishes, file_meta, note_blanked, set_pixels
from app.core.dicom.elements import text
from app.core.dicom.header import BIG_ENDIAN, read_header
from app.core.dicom.identities import Identities, identities_in, identities_of
from app.core.dicom.pixels import read_frame
from app.core.dicom.pseudonyms import Pseudonyms
from app.core.dicom.reader import complete, read_image
from app.core.files import whole, write_json
from app.core.imaging.image import Image
from app.core.imaging.outside import blanked, marks_outside, outside
from app.core.manifest import Manifest, Row, check_unchanged, file_sha256, write_manifest
from trainer.curation.row_without_person import Words, clean_row, words_of
from trainer.errors import TrainerError
from trainer.views import read_view

BurnedIn = Literal["refuse", "blank", "keep"]
Tell = Callable[[str], None]
MANIFEST: Final = "manifest.csv"
REPORT: Final = "report.json"
FORMAT: Final = "mammoview-deidentified"
_NO_AIR: Final = "; no air around the breast is found, so that nothing can be made black"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an export is to be.

    Attributes
    ----------
    form
        ``dicom``: uncompressed files with all frames; ``png``: 16-bit P-values of each row's frame.
    burned_in
        Images that may hold text outside the breast: none is exported, it is made black, or it stays.
    """

    form: Literal["dicom", "png"] = "dicom"
    burned_in: BurnedIn = "refuse"
    wishes: Wishes = field(default_factory=Wishes)


@dataclass(slots=True)
class _Work:
    """What is gathered while files are written."""

    removed: Removed = field(default_factory=Removed)
    asked_about: list[str] = field(default_factory=list)
    blanked: int = 0
    kept: int = 0
    unsure: int = 0
    rows: list[Row] = field(default_factory=list)


def export(
    manifest: Manifest,
    folder: Path,
    asked: Asked,
    pseudonyms: Pseudonyms,
    tell: Tell,
    report: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Write a de-identified copy of a manifest's images and return its manifest.

    Raises
    ------
    TrainerError
        A folder that holds something, a file that is no DICOM where DICOM is asked for, burnt-in text that
        nobody decided about, a label that names somebody, or an identity found in what was written.
    ManifestError, ReadError
        A file that is gone, has changed, or cannot be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainerError(f"{folder}: exists already and is not empty; take another name")
    words = words_of(manifest.rows, _everyone(manifest.rows))
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        part.mkdir(mode=0o700)
        work = _written(manifest, part, asked, pseudonyms, words, report)
        _decided(work, asked, tell, manifest.path)
        _finish(work, part, folder, asked)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    made = Manifest(folder / MANIFEST, tuple(work.rows), file_sha256(folder / MANIFEST))
    for sentence in _sentences(work, asked):
        tell(sentence)
    return made


def _everyone(rows: Sequence[Row]) -> Identities:
    """Return the identities of all files and rows: none of them may stand in a table."""
    found = identities_of([row.patient_id for row in rows])
    for path in dict.fromkeys(row.path for row in rows):
        found |= _of_file(path)
    return found


def _of_file(path: Path) -> Identities:
    return Identities() if read_image(path).kind == "raster" else identities_in(read_header(path).dataset)


def _written(
    manifest: Manifest,
    part: Path,
    asked: Asked,
    pseudonyms: Pseudonyms,
    words: Words,
    report: Callable[[int, int], None] | None,
) -> _Work:
    work = _Work()
    files: dict[Path, list[Row]] = {}
    for row in manifest.rows:
        files.setdefault(row.path, []).append(row)
    for number, rows in enumerate(files.values(), start=1):
        check_unchanged(rows[0])
        writer = _dicom if asked.form == "dicom" else _png
        work.rows += writer(rows, part, asked, pseudonyms, words, work)
        if report is not None:
            report(number, len(files))
    return work


def _dicom(
    rows: Sequence[Row],
    part: Path,
    asked: Asked,
    pseudonyms: Pseudonyms,
    words: Words,
    work: _Work,
) -> list[Row]:
    first = rows[0]
    image = read_image(first.path)
    if image.kind == "raster":
        raise TrainerError(f"{first.path}: is no DICOM file; export it with --as png")
    header = read_header(first.path)
    names = identities_in(header.dataset) | identities_of([first.patient_id])
    stated = text(header.dataset, "BurnedInAnnotation")
    frames, black = _frames(image, asked, stated, rows, work)
    maker = Deidentifier(pseudonyms, first.patient_id, names, asked.wishes, work.removed)
    made = maker.dataset(header.dataset, swapped=header.transfer_syntax == BIG_ENDIAN)
    if "SOPClassUID" not in made or "SOPInstanceUID" not in made:
        raise TrainerError(f"{first.path}: lacks the SOP UIDs, so that no DICOM file can be made of it")
    if black:
        note_blanked(made)
    grey = image.grey_of(0)
    set_pixels(made, frames, bits_stored=grey.bits_stored, signed=grey.signed)
    made.file_meta = file_meta(made)
    made.preamble = b"\0" * 128
    path = part / f"{pseudonyms.name('I', first.sha256)}.dcm"
    with whole(path) as partly:
        pydicom.dcmwrite(partly, made, enforce_file_format=True)
    _search(path, names, first, len(made.PixelData))
    return [_row(row, path, pseudonyms, words, asked, vendor=_vendor(made)) for row in rows]


def _frames(
    image: Image, asked: Asked, stated: str, rows: Sequence[Row], work: _Work
) -> tuple[list[npt.NDArray[Any]], bool]:
    """Return all frames of an image, black outside the breast where asked for, and whether any changed."""
    frames = [read_frame(image, number).stored for number in range(image.frames)]
    grey = image.grey_of(0)
    doubtful = asked.burned_in != "keep" and _doubtful(stated, frames, image)
    if doubtful and asked.burned_in == "blank":
        made = [each for frame in frames if (each := blanked(frame, grey)) is not None]
        work.unsure += stated.upper() != "NO"
        if len(made) == len(frames):
            changed = any(not np.array_equal(*pair) for pair in zip(made, frames, strict=True))
            work.blanked += changed
            return made, changed
        doubtful += _NO_AIR
    if doubtful:
        work.asked_about.append(f"{rows[0].image_id} ({rows[0].path}): {doubtful}")
    work.kept += asked.burned_in == "keep" and stated.upper() != "NO"
    return frames, False


def _doubtful(stated: str, frames: Sequence[npt.NDArray[Any]], image: Image) -> str:
    """Return why somebody must look at a picture, "" where nothing says that text is burnt in."""
    if stated.upper() != "NO":
        return f"burnt-in annotation is {stated.upper() or 'not stated'}"
    marks = max(marks_outside(frame, image.grey_of(0)) for frame in frames)
    return f"{marks} things outside the breast that may be letters" if marks else ""


def _png(
    rows: Sequence[Row],
    part: Path,
    asked: Asked,
    pseudonyms: Pseudonyms,
    words: Words,
    work: _Work,
) -> list[Row]:
    path = rows[0].path
    image = read_image(path)
    dataset = None if image.kind == "raster" else read_header(path).dataset
    stated = "" if dataset is None else text(dataset, "BurnedInAnnotation")
    vendor = "" if dataset is None else _vendor(dataset)
    made = []
    for row in rows:
        stored = read_frame(image, row.frame).stored
        grey = complete(image, stored).grey_of(row.frame)
        view = read_view(row)
        pixels = view.pixels.copy()
        if view.padding is not None:
            pixels[view.padding] = 0
        doubtful = asked.burned_in != "keep" and _doubtful(stated, [stored], image)
        if doubtful and asked.burned_in == "blank":
            region = outside(stored, grey)
            work.unsure += stated.upper() != "NO"
            work.blanked += bool(pixels[region].any())
            pixels[region] = 0
            doubtful = "" if region.any() else doubtful + _NO_AIR
        if doubtful:
            work.asked_about.append(f"{row.image_id} ({row.path}): {doubtful}")
        work.kept += asked.burned_in == "keep" and stated.upper() != "NO"
        file = part / f"{pseudonyms.name('I', f'{row.sha256}/{row.frame}')}.png"
        done, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
        if not done:
            raise TrainerError(f"{row.path}: the picture cannot be encoded")
        with whole(file) as partly:
            partly.write_bytes(encoded.tobytes())
        made.append(_row(replace(row, frame=0), file, pseudonyms, words, asked, vendor=vendor))
    return made


def _row(row: Row, path: Path, pseudonyms: Pseudonyms, words: Words, asked: Asked, *, vendor: str) -> Row:
    cleaned = clean_row(row, pseudonyms, words, ages=asked.wishes.characteristics, vendor=vendor)
    return replace(cleaned, path=Path(path.name), sha256=file_sha256(path))


def _vendor(dataset: Dataset) -> str:
    return " ".join(filter(None, (text(dataset, "Manufacturer"), text(dataset, "ManufacturerModelName"))))


def _search(path: Path, names: Identities, row: Row, pixels: int) -> None:
    """Refuse a file in whose header an identity is still found: a fault of ours, told without its value."""
    content = path.read_bytes()
    if names.in_bytes(content[: len(content) - pixels]):
        raise TrainerError(f"{row.path}: an identity would remain in its header; nothing was exported")


def _decided(work: _Work, asked: Asked, tell: Tell, manifest: Path) -> None:
    if not work.asked_about:
        return
    for sentence in work.asked_about:
        tell(sentence)
    advice = "say --burned-in blank or --burned-in keep"
    if asked.burned_in == "blank":
        advice = "leave them out of the manifest, or say --burned-in keep"
    raise TrainerError(
        f"{manifest}: {len(work.asked_about)} images may hold burnt-in text; look at them and {advice}; "
        "nothing was exported"
    )


def _finish(work: _Work, part: Path, folder: Path, asked: Asked) -> None:
    """Write manifest and report; paths are names beside the manifest, so that the folder can be moved."""
    write_manifest(work.rows, part / MANIFEST)
    work.rows = [replace(row, path=folder / row.path) for row in work.rows]
    counts = [
        {"attribute": name, "what": how, "count": count}
        for (name, how), count in sorted(work.removed.counts.items())
    ]
    content = {
        "format": FORMAT,
        "version": 1,
        "form": asked.form,
        "profile": "PS3.15 2026c, Annex E, basic application level confidentiality profile",
        "dates": asked.wishes.dates,
        "characteristics_kept": asked.wishes.characteristics,
        "images": len(work.rows),
        "patients": len({row.patient_id for row in work.rows}),
        "burned_in": {
            "asked": asked.burned_in,
            "blanked": work.blanked,
            "blank_unsure": work.unsure,
            "kept_unsure": work.kept,
        },
        "removed": counts,
    }
    write_json(part / REPORT, content)


def _sentences(work: _Work, asked: Asked) -> list[str]:
    removed = sum(work.removed.counts.values())
    said = [f"{removed} attributes removed, emptied or replaced" if asked.form == "dicom" else ""]
    if work.blanked:
        said.append(f"{work.blanked} images are black outside the breast; text over the breast is not found")
    if work.unsure:
        said.append(f"{work.unsure} images do not state that no text is burnt in: look at each of these")
    if work.kept:
        said.append(f"{work.kept} images were kept as they are though nothing says that no text is burnt in")
    return [sentence for sentence in said if sentence]


def safe_key_path(key: Path, folder: Path) -> None:
    """Refuse a key inside the export; raises TrainerError."""
    if re.match(re.escape(str(folder.resolve())) + r"(/|$)", str(key.resolve())):
        raise TrainerError(f"{key}: the key must not lie in the export")

"""mini-MIAS: 322 film mammograms (161 patients, MLO), 0.2 mm pixels, circles around lesions.

Suckling J et al. (1994), The Mammographic Image Analysis Society Digital Mammogram Database.
The set it was reduced from has 0.05 mm pixels; its files are named after the film's side and size
(``mdb001ll``), and no picture of it fits into mini-MIAS' 1024 x 1024.
Reads the original ``Info.txt`` (a preamble, then rows) and the Kaggle edition (one header line),
PGM or PNG files, and any part of the set. What the set's notes do not say and the pictures do:

* odd numbers are left breasts, even numbers right ones (the README says the opposite; the burned-in
  markers decide), and the pictures are stored mirrored;
* the origin of x, y is the bottom-left corner for every lesion, not for calcifications alone;
* a second row of the same number is a second lesion of the same picture, never a second picture.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from app.core.manifest import Box, Lesion, Row, file_sha256
from trainer.errors import TrainerError

MINI_MM, FULL_MM = 0.2, 0.05
MINI_SIDE = 1024
CLASSES = ("CALC", "CIRC", "SPIC", "MISC", "ARCH", "ASYM", "NORM")
LICENCE = "research: mini-MIAS licence agreement (Mammographic Image Analysis Society)"
_ROW = re.compile(r"^\s*mdb(\d{3})\s+([FGD])\s+(" + "|".join(CLASSES) + r")\b(.*)$", re.IGNORECASE)
_NAME = re.compile(r"^mdb(\d{3})(?:[lr]([smlx]?))?$", re.IGNORECASE)
_PATHOLOGY = {"B": "benign", "M": "malignant"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of Info.txt; `circle` is (x, y, radius) in pixels from the bottom-left corner, or None."""

    number: int
    density: str
    kind: str
    severity: str | None
    circle: tuple[int, int, int] | None


def parse_info(text: str) -> list[Entry]:
    """Return the rows of an Info.txt in either edition; everything that is no row is preamble."""
    entries = []
    for line in text.splitlines():
        match = _ROW.match(line)
        if match is None:
            continue
        words = match[4].split()
        severity = _PATHOLOGY.get(words[0].upper()) if words else None
        place = words[1:4] if severity else words[:3]
        circle = None
        # "*NOTE 3*" or nothing at all stands where the lesion has no single place.
        if len(place) == 3 and all(re.fullmatch(r"\d+(\.0*)?", word) for word in place):
            x, y, radius = (int(float(word)) for word in place)
            circle = (x, y, radius)
        entries.append(Entry(int(match[1]), match[2].upper(), match[3].upper(), severity, circle))
    return entries


def box_of_circle(circle: tuple[int, int, int], rows: int, columns: int) -> Box | None:
    """Return the circle's bounding box in stored pixels, clipped; None when it misses the picture."""
    x, y, radius = circle
    row, col = rows - y, x
    box = (
        float(max(row - radius, 0)),
        float(max(col - radius, 0)),
        float(min(row + radius, rows)),
        float(min(col + radius, columns)),
    )
    return box if box[2] > box[0] and box[3] > box[1] else None


def laterality(number: int) -> str:
    """Return L for odd numbers and R for even ones."""
    return "L" if number % 2 else "R"


def spacing(path: Path, rows: int, columns: int) -> float:
    """Return the side of a pixel in millimetres: of the reduced set, or of the one it was made from."""
    match = _NAME.match(path.stem)
    of_a_film = match is not None and bool(match[2])
    return FULL_MM if of_a_film or max(rows, columns) > MINI_SIDE else MINI_MM


def _info_file(root: Path) -> Path:
    for path in sorted(root.rglob("*")):
        if path.name.lower() == "info.txt" and path.is_file():
            return path
    raise TrainerError(f"{root}: no Info.txt, so no labels")


def _pictures(root: Path) -> dict[int, Path]:
    """Return one file per number; a PGM (the original) goes before a PNG."""
    found: dict[int, Path] = {}
    for suffix in (".png", ".pgm"):
        for path in sorted(root.rglob("*")):
            match = _NAME.match(path.stem)
            if match and path.suffix.lower() == suffix and path.is_file():
                found[int(match[1])] = path
    return found


def _size(path: Path) -> tuple[int, int]:
    """Return (rows, columns) of a picture that decodes to its end; raises TrainerError."""
    try:
        with PIL.Image.open(path) as picture:
            picture.load()
            return picture.height, picture.width
    except (OSError, SyntaxError, ValueError, PIL.Image.DecompressionBombError) as error:
        raise TrainerError(f"{path}: the picture cannot be read") from error


def _row(number: int, path: Path, entries: list[Entry]) -> Row:
    rows, columns = _size(path)
    lesions = tuple(
        Lesion(
            entry.kind,
            box_of_circle(entry.circle, rows, columns) if entry.circle else None,
            None,
            entry.severity,
        )
        for entry in entries
        if entry.kind != "NORM"
    )
    severities = {lesion.pathology for lesion in lesions}
    label = "normal"
    if lesions:
        # mdb144 has a benign and a malignant row: the image is as bad as its worst lesion.
        label = (
            "malignant" if "malignant" in severities else "benign" if "benign" in severities else "abnormal"
        )
    side = spacing(path, rows, columns)
    patient = f"mias-{math.ceil(number / 2):03d}"
    return Row(
        image_id=f"mdb{number:03d}",
        patient_id=patient,
        study_id=patient,
        laterality=laterality(number),
        view="MLO",
        path=path.resolve(),
        frame=0,
        sha256=file_sha256(path),
        rows=rows,
        columns=columns,
        spacing_mm=(side, side),
        source="film",
        density=entries[0].density,
        age="",
        vendor="",
        label=label,
        label_source="mias: abnormality and severity of Info.txt",
        findings=lesions,
        licence=LICENCE,
    )


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per picture that is present and has a row in Info.txt, by number.

    Raises
    ------
    TrainerError
        No Info.txt, no row in it, or no picture.
    """
    info = _info_file(root)
    entries: dict[int, list[Entry]] = {}
    for entry in parse_info(info.read_text(encoding="latin-1")):
        entries.setdefault(entry.number, []).append(entry)
    if not entries:
        raise TrainerError(f"{info}: no row of the mini-MIAS form (mdb001 G CIRC B 535 425 197) was found")
    rows, pictures = [], _pictures(root)
    for number in sorted(set(entries) - set(pictures)):
        report(f"mdb{number:03d}: no picture is there, though {info.name} names it")
    for number, path in sorted(pictures.items()):
        if number not in entries:
            report(f"{path}: left out, it has no row in {info.name}")
            continue
        try:
            rows.append(_row(number, path, entries[number]))
        except TrainerError as error:
            report(f"{error}; left out")
    return rows

"""The files that a DICOMDIR lists, PS3.3 F and PS3.10 8.

A listed path may not leave the folder of its DICOMDIR: a crafted one could otherwise make the program
open any file.
"""

from __future__ import annotations

from pathlib import Path

from app.core.dicom.elements import items, text, texts
from app.core.dicom.header import read_header
from app.core.errors import ReadError
from app.core.imaging.image import LeftOut

SOP_CLASS = "1.2.840.10008.1.3.10"


def is_dicomdir(path: Path) -> bool:
    """Tell from the name whether a file is a DICOMDIR."""
    return path.name.upper() == "DICOMDIR"


def listed_files(path: Path) -> tuple[list[Path], list[LeftOut]]:
    """Return the files that a DICOMDIR lists and that exist, and what is left out.

    Raises
    ------
    ReadError
        The DICOMDIR itself cannot be read.
    """
    header = read_header(path)
    records = items(header.dataset, "DirectoryRecordSequence")
    if not records and text(header.dataset, "MediaStorageSOPClassUID") != SOP_CLASS:
        raise ReadError(path, "is not a DICOMDIR that can be read, or lists nothing")
    folder = path.parent
    inside = folder.resolve()
    found: list[Path] = []
    left_out: list[LeftOut] = []
    for record in records:
        parts = texts(record, "ReferencedFileID")
        if not parts:
            continue
        target = _existing(folder, parts)
        if not target.resolve().is_relative_to(inside) or any(_climbs(part) for part in parts):
            left_out.append(LeftOut(target, "lies outside the folder of the DICOMDIR that lists it"))
        elif not target.is_file():
            left_out.append(LeftOut(target, "is listed in the DICOMDIR but does not exist"))
        else:
            found.append(target)
    return list(dict.fromkeys(found)), left_out


def _climbs(part: str) -> bool:
    return part in ("..", "") or part.startswith(("/", "~")) or ":" in part or "/" in part


def _existing(folder: Path, parts: list[str]) -> Path:
    """Return the listed path; media copied to disk often have lower-case names."""
    target = folder.joinpath(*parts)
    if not target.exists():
        lower = folder.joinpath(*(part.lower() for part in parts))
        if lower.exists():
            return lower
    return target

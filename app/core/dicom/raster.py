"""Facts of pictures that are no DICOM: side and view from the file name, no patient, no millimetres.

A picture knows no patient: its id is empty, so that it never joins another, and alone it is a study of
its own (`app.core.dicom.picture_exams` puts exams together). Its UIDs are derived from bytes and place, so
that they are the same on every run.
"""

from __future__ import annotations

import functools
import hashlib
import io
from pathlib import Path

from app.core.dicom.codes import label_of
from app.core.dicom.codestream import CodecError
from app.core.dicom.naming import Named, parse
from app.core.dicom.pictures import EIGHT_BIT, SUFFIXES, probe
from app.core.dicom.spacing import MISSING
from app.core.errors import ReadError
from app.core.imaging.image import Grey, Image, Note

_HASHED = 4096


def is_picture(path: Path) -> bool:
    """Tell from the name whether the file is a picture; a DICOM file under such a name is none."""
    return path.suffix.lower() in SUFFIXES and not _is_dicom(path)


def _is_dicom(path: Path) -> bool:
    """Tell whether DICM stands behind the preamble (PS3.10 7.1)."""
    try:
        if not path.is_file():
            return False  # a pipe would never end
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def folder_of(path: Path) -> Path:
    """Return the folder of a file, without symbolic links."""
    return _resolved(path.parent)


def study_uid_of(path: Path, exam: str | None = None) -> str:
    """Return the UID of the exam of a picture: named within its folder, or (None) the picture alone."""
    text = f"{folder_of(path)}\n{f'file {path.name}' if exam is None else exam}"
    return _uid(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest())


def read_picture_facts(path: Path) -> Image:
    """Return the facts of a picture; its pixels are not decoded.

    Raises
    ------
    ReadError
        Missing, empty, broken, too large, or not an image of 8 or 16 bit.
    """
    try:
        rows, columns, mode, white_is_zero = probe(path)
        place = folder_of(path)
        uid = _uid(_digest(path, place))
    except CodecError as error:
        raise ReadError(path, str(error)) from error
    except OSError as error:
        raise ReadError(path, "cannot be read") from error
    named = parse(path.stem, file_name=True)
    label = label_of(named.laterality, named.view, named.modifiers)
    bits = 8 if mode in EIGHT_BIT else 16
    return Image(
        path=path,
        sop_uid=uid,
        study_uid=study_uid_of(path),
        rows=rows,
        columns=columns,
        laterality=named.laterality,
        view=named.view,
        modifiers=named.modifiers,
        label=label,
        grey=(Grey(bits_stored=bits, inverse=white_is_zero),),
        photometric="MONOCHROME1" if white_is_zero else "MONOCHROME2",
        study_description=path.stem,
        notes=_notes(named, label, mode),
        kind="raster",
    )


def _notes(named: Named, label: str, mode: str) -> tuple[Note, ...]:
    notes = [MISSING]
    if named.laterality or named.view:
        words = f"Side and view ({label}) were taken from the file name."
        notes.append(Note("view-inferred", words, "inferred"))
    if named.laterality is None:
        notes.append(
            Note("laterality-unknown", "The file name does not say which breast it shows.", "warning")
        )
    if named.view is None:
        notes.append(Note("view-unknown", "The file name does not say which view it shows.", "warning"))
    if mode in EIGHT_BIT:
        notes.append(Note("eight-bit", "8-bit pixels: fewer grey levels than a mammogram has."))
    if mode in EIGHT_BIT - {"L", "1"}:
        notes.append(Note("colour-to-grey", "A colour picture, shown as grey.", "warning"))
    return tuple(notes)


@functools.lru_cache(maxsize=256)
def _resolved(folder: Path) -> Path:
    return folder.resolve()


def _digest(path: Path, place: Path) -> bytes:
    """Return a hash of a picture's beginning, its size and its place.

    The whole would have to be read, which a search of thousands does not do; and the same bytes at two
    places are two images: in a folder of masks many are blank.
    """
    with path.open("rb") as file:
        start = file.read(_HASHED)
        size = file.seek(0, io.SEEK_END)
    return hashlib.sha256(
        start + f"\n{size}\n{place / path.name}".encode("utf-8", "surrogateescape")
    ).digest()


def _uid(digest: bytes) -> str:
    """Return a UID under 2.25 (PS3.5 B.2) from the first 128 bits."""
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"

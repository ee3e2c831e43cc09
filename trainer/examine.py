"""What an image file is, before it enters the manifest: its facts, its sha256, and that it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.dicom.codecs import RLE
from app.core.dicom.codestream import CodecError
from app.core.dicom.header import read_header
from app.core.dicom.layout import read_layout
from app.core.dicom.offsets import frame_spans
from app.core.dicom.pictures import SUFFIXES, decode_picture
from app.core.dicom.raster import is_picture, read_picture_facts
from app.core.dicom.reader import image_of
from app.core.errors import ReadError
from app.core.imaging.image import Image
from app.core.manifest import file_sha256
from trainer.errors import TrainerError

PICTURES = SUFFIXES
DICOMS = frozenset({".dcm", ".dicom", ".ima", ""})
"""Suffixes under which data sets keep DICOM files; some give them none."""
_THREADS = min(8, 2 * (os.cpu_count() or 1))
_CUT = "ends before its last pixel"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Facts:
    """One image file that can be read.

    Attributes
    ----------
    path
        Absolute.
    image
        What the file says of itself.
    sha256
        Of its bytes.
    """

    path: Path
    image: Image
    sha256: str

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """(row, column) millimetres as the file states them, or None."""
        spacing = self.image.spacing
        return (spacing.row_mm, spacing.col_mm) if spacing else None

    @property
    def years(self) -> str:
        """Age in whole years as the file states it, or ""."""
        number, _, unit = self.image.age.partition(" ")
        return number if unit == "y" else ""

    @property
    def vendor(self) -> str:
        """Manufacturer and model."""
        return " ".join(part for part in (self.image.manufacturer, self.image.model_name) if part)


def _dicom(path: Path) -> Image:
    header = read_header(path)
    image = image_of(header)
    layout = read_layout(header)
    if any(note.code == "pixels-truncated" for note in image.notes):
        raise ReadError(path, _CUT)
    if layout.encapsulated:
        with path.open("rb") as file:
            rle = layout.transfer_syntax == RLE
            frames = frame_spans(path, file, layout.offset, layout.frames, rle=rle)
        ends = [offset + length for spans in frames for offset, length in spans]
        if not all(frames) or max(ends, default=0) > header.size:
            raise ReadError(path, _CUT)
    return image


def examine(path: Path) -> Facts:
    """Return the facts of a DICOM file or picture.

    A picture is decoded to its end. Of a DICOM file it is checked that all its pixels are there;
    compressed ones are decoded by the audit and the cache.

    Raises
    ------
    TrainerError
        Missing, empty, cut off, foreign, or not a mammogram: one sentence that names the file.
    """
    path = path.resolve()
    try:
        if is_picture(path):
            image = read_picture_facts(path)
            decode_picture(path)
        else:
            image = _dicom(path)
        # Corner texts and notes hold what no manifest needs; 50,000 of them would be gigabytes.
        return Facts(path, replace(image, corner=(), notes=()), file_sha256(path))
    except ReadError as error:
        raise TrainerError(str(error)) from error
    except CodecError as error:
        raise TrainerError(f"{path}: {error}") from error
    except OSError as error:
        raise TrainerError(f"{path}: cannot be read ({error.strerror})") from error


def examine_all(paths: Iterable[Path], report: Report) -> dict[Path, Facts]:
    """Return the facts of files by the path given, in order; what cannot be read is reported by name.

    Several files at a time: reading and hashing wait for the disk.
    """
    wanted = list(dict.fromkeys(paths))

    def one(path: Path) -> Facts | TrainerError:
        try:
            return examine(path)
        except TrainerError as error:
            return error

    found: dict[Path, Facts] = {}
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="examine") as threads:
        for path, facts in zip(wanted, threads.map(one, wanted), strict=True):
            if isinstance(facts, Facts):
                found[path] = facts
                if facts.image.frames > 1:
                    report(f"{path}: holds {facts.image.frames} frames; the first is taken")
            else:
                report(f"{facts}; left out")
    return found


def present(paths: Iterable[Path], report: Report, why: str) -> list[Path]:
    """Return the files that are there; report each that is not, as named by `why`."""
    kept = []
    for path in dict.fromkeys(paths):
        if path.is_file():
            kept.append(path)
        else:
            report(f"{path}: not there, though {why} names it")
    return kept


def files_below(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files below a folder with one of the (lower-case) suffixes, sorted; no hidden ones."""
    kept = frozenset(suffixes)
    found = []
    for folder, names, files in os.walk(root, followlinks=True):
        names[:] = sorted(name for name in names if not name.startswith(".") and name != "__MACOSX")
        for name in files:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in kept:
                found.append(Path(folder, name))
    return sorted(found)

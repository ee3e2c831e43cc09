"""All mammograms below the paths that a user gives: folders, files, DICOMDIRs, in any mixture.

Only headers are read. Whatever is not opened is named with the reason.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.core.dicom import dicomdir
from app.core.dicom.grouping import group
from app.core.dicom.header import looks_like_dicom
from app.core.dicom.raster import is_picture
from app.core.dicom.reader import read_image
from app.core.errors import ReadError
from app.core.imaging.image import Collection, Image, LeftOut

Report = Callable[[int, int], None]

FOREIGN = "is not a DICOM file or picture"
_THREADS = 4
_AHEAD = 32
_HEADER_BYTES = 1 << 16
_STEP = 25
_SAME = ("patient", "study_uid", "laterality", "view", "modifiers", "rows", "columns", "frames", "acquired")
"""What is the same in two files of one image."""


def find(paths: Sequence[Path | str] | Iterable[Path | str], report: Report | None = None) -> Collection:
    """Find all mammograms below paths and group them by patient and study.

    Parameters
    ----------
    paths
        Folders are searched recursively; hidden files and folders below them are skipped.
    report
        Called as ``report(files looked at, files in all)``; may raise `Cancelled`.

    Returns
    -------
    What was found, and every file that was left out with its reason, in the order of the paths. Duplicates by
    SOP instance UID are left out, the first in that order is kept.

    Raises
    ------
    Cancelled
        When `report` raises it.
    """
    left_out: list[LeftOut] = []
    files = list(dict.fromkeys(_candidates([Path(path) for path in paths], left_out, report)))
    images: list[Image] = []
    seen: dict[str, Image] = {}
    for path, image, reason in _read_all(files, report):
        if image is None:
            left_out.append(LeftOut(path, reason))
        elif image.sop_uid and image.sop_uid in seen:
            left_out.append(LeftOut(path, _why_twice(image, seen[image.sop_uid])))
        else:
            if image.sop_uid:
                seen[image.sop_uid] = image
            images.append(image)
    return Collection(group(images), tuple(left_out))


def _why_twice(image: Image, first: Image) -> str:
    """Say that a file has the identity of an earlier one; by their headers alone, so not of the pixels."""
    if any(getattr(image, fact) != getattr(first, fact) for fact in _SAME):
        return f"is another image than {first.path}, but has the same SOP instance UID"
    return f"is a duplicate of {first.path} (same SOP instance UID)"


def _candidates(paths: list[Path], left_out: list[LeftOut], report: Report | None) -> Iterator[Path]:
    visited: set[tuple[int, int]] = set()
    count = 0
    for path in paths:
        for file in _walk(path, visited, left_out, named=True):
            count += 1
            if report is not None and count % _STEP == 0:
                report(0, count)
            yield file


def _walk(
    path: Path, visited: set[tuple[int, int]], left_out: list[LeftOut], *, named: bool
) -> Iterator[Path]:
    """Yield the files below a path in sorted order, never a folder twice (symbolic links can loop)."""
    try:
        if not path.is_dir():
            yield from _file(path, left_out, named=named)
            return
        state = path.stat()
        if (state.st_dev, state.st_ino) in visited:
            return
        visited.add((state.st_dev, state.st_ino))
        names = sorted(os.listdir(path))
    except OSError as error:
        left_out.append(LeftOut(path, _unreadable(error)))
        return
    listed = next((name for name in names if dicomdir.is_dicomdir(Path(name))), None)
    if listed is not None:
        # A DICOMDIR may be incomplete or stale: it names files, and the folder is searched as well.
        yield from _file(path / listed, left_out, named=True)
    for name in names:
        if not name.startswith(".") and name != listed:
            yield from _walk(path / name, visited, left_out, named=False)


def _file(path: Path, left_out: list[LeftOut], *, named: bool) -> Iterator[Path]:
    if not dicomdir.is_dicomdir(path):
        yield path
        return
    try:
        files, outside = dicomdir.listed_files(path)
    except ReadError as error:
        left_out.append(LeftOut(path, error.reason))
        return
    left_out.extend(outside)
    yield from files


def _read_all(files: list[Path], report: Report | None) -> Iterator[tuple[Path, Image | None, str]]:
    """Yield what each file is, in order.

    Headers are parsed one after the other: several threads would only wait for the interpreter's lock.
    What they are good for is the waiting for disks and networks, so they touch the files ahead.
    """
    total = len(files)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="finder") as ahead:
        try:
            for path in files[:_AHEAD]:
                ahead.submit(_touch, path)
            for done, path in enumerate(files, start=1):
                if done + _AHEAD <= total:
                    ahead.submit(_touch, files[done + _AHEAD - 1])
                yield _read(path)
                if report is not None and (done % _STEP == 0 or done == total):
                    report(done, total)
        finally:
            ahead.shutdown(wait=False, cancel_futures=True)


def _touch(path: Path) -> None:
    """Let the system fetch the beginning of a file, where a header mostly is."""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                file.read(_HEADER_BYTES)


def _read(path: Path) -> tuple[Path, Image | None, str]:
    try:
        if not is_picture(path) and not _may_be_dicom(path):
            return path, None, FOREIGN
        return path, read_image(path), ""
    except ReadError as error:
        return path, None, error.reason


def _may_be_dicom(path: Path) -> bool:
    """Tell from the first bytes; a file that is to be told in detail (empty, missing, .dcm) passes too."""
    if path.suffix.lower() in (".dcm", ".dicom", ".ima") or not path.is_file():
        return True
    try:
        with path.open("rb") as file:
            start = file.read(140)
    except OSError:
        return True
    return not start or looks_like_dicom(start)


def _unreadable(error: OSError) -> str:
    return f"cannot be read ({(error.strerror or 'input error').lower()})"

"""The files of CBIS-DDSM in any of its layouts: found by UID, by case, by the last digits of a UID.

* TCIA: ``Mass-Training_P_00001_LEFT_CC/<StudyUID>/<SeriesUID>/000000.dcm``.
* NBIA, descriptive: ``Mass-Training_P_00001_LEFT_CC/07-20-2016-DDSM-NA-74994/1.000000-full mammogram
  images-24515/1-1.dcm``, older ``07-20-2016-DDSM-74994/1-full mammogram images-24515/000000.dcm``: five
  digits are the last of the UID.
* Kaggle's JPEG edition: ``jpeg/<SeriesUID>/1-249.jpg`` with ``csv/dicom_info.csv``.
* Loose files named after their case (``Mass-Test_P_00016_LEFT_CC-full.png``).

Which file of an abnormality is the crop and which the mask is decided from the pixels: descriptions
and columns name them the wrong way round in places.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from app.core.dicom.codestream import CodecError
from app.core.dicom.elements import text
from app.core.dicom.header import read_header
from app.core.dicom.layout import read_layout
from app.core.dicom.pictures import probe
from app.core.dicom.raster import is_picture
from app.core.errors import ReadError
from trainer.cbis_tables import CASE, Place
from trainer.errors import TrainerError
from trainer.examine import PICTURES, files_below
from trainer.rois import ASPECT_DOUBT, Mask, as_mask, aspect_difference, read_pixels
from trainer.tables import find_table, rows_of

_UID = re.compile(r"[0-9]+(?:\.[0-9]+){5,}")
_TAIL = re.compile(r".*-(\d{5})")


@dataclass(frozen=True, slots=True)
class File:
    """One file, its header or its place alone read.

    Attributes
    ----------
    case
        As in `trainer.cbis_tables.CASE`, "" where neither the header nor the path names one.
    study, series
        UIDs, "" where unknown.
    tail
        The last five digits of study and series UID as folders are named after them, "" where not.
    description
        What it is said to be; a hint only.
    bits
        Bits allocated, of the DICOM file that a picture was made from where that is known.
    """

    path: Path
    case: str
    study: str
    series: str
    tail: str
    description: str
    bits: int
    rows: int
    columns: int
    lossy: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.rows, self.columns


@dataclass(slots=True)
class Files:
    """All files of the set that are there, by what they can be found by."""

    by_series: dict[str, list[File]] = field(default_factory=dict)
    by_case: dict[str, list[File]] = field(default_factory=dict)
    by_tail: dict[str, list[File]] = field(default_factory=dict)
    used: set[Path] = field(default_factory=set)
    every: list[File] = field(default_factory=list)

    def add(self, file: File) -> None:
        """Take in a file."""
        self.every.append(file)
        for index, name in (
            (self.by_series, file.series),
            (self.by_case, file.case),
            (self.by_tail, file.tail),
        ):
            if name:
                index.setdefault(name, []).append(file)

    def at(self, place: Place) -> list[File]:
        """Return the files of a place: of its series, else of its UIDs' last digits, else of its case."""
        found = self.by_series.get(place.series, []) if place.series else []
        if not found and place.study and place.series:
            tail = f"{place.study[-5:]}/{place.series[-5:]}"
            found = [file for file in self.by_tail.get(tail, []) if file.case in ("", place.case)]
        return found or self.by_case.get(place.case, [])


def _case_in(path: Path, root: Path) -> str:
    """Return the case that a file's own name or its nearest folder names, "" where none does."""
    inside = path.relative_to(root)
    for part in (inside.stem, *reversed(inside.parts[:-1])):
        match = CASE.match(part)
        if match:
            return match[0]
    return ""


def _tail_of(path: Path) -> str:
    ends = [_TAIL.fullmatch(name) for name in (path.parent.parent.name, path.parent.name)]
    return "/".join(match[1] for match in ends if match) if all(ends) else ""


def _uids_in(path: Path) -> tuple[str, str]:
    """Return (study, series) as the folders are named after them, "" where not."""
    study, series = path.parent.parent.name, path.parent.name
    return (study if _UID.fullmatch(study) else "", series if _UID.fullmatch(series) else "")


def _dicom(path: Path, root: Path) -> File:
    header = read_header(path)
    layout, ds = read_layout(header), header.dataset
    stated = CASE.fullmatch(text(ds, "PatientID"))
    study, series = _uids_in(path)
    return File(
        path=path,
        case=stated[0] if stated else _case_in(path, root),
        study=text(ds, "StudyInstanceUID") or study,
        series=text(ds, "SeriesInstanceUID") or series,
        tail=_tail_of(path),
        description=text(ds, "SeriesDescription").lower(),
        bits=layout.bits_allocated,
        rows=layout.rows,
        columns=layout.columns,
    )


def _picture(path: Path, root: Path, info: dict[tuple[str, str], dict[str, str]]) -> File:
    rows, columns, mode, _ = probe(path)
    study, series = _uids_in(path)
    said = info.get((path.parent.name, path.name), {})
    named = CASE.fullmatch(said.get("patientid", ""))
    bits = said.get("bitsallocated", "")
    return File(
        path=path,
        case=named[0] if named else _case_in(path, root),
        study=said.get("studyinstanceuid", "") or study,
        series=said.get("seriesinstanceuid", "") or series,
        tail="",
        description=said.get("seriesdescription", "").lower(),
        bits=int(bits) if bits in ("8", "16") else 16 if mode.startswith("I") else 8,
        rows=rows,
        columns=columns,
        lossy=path.suffix.lower() in (".jpg", ".jpeg"),
    )


def _kaggle(root: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the lines of dicom_info.csv by (series folder, file name) of their picture."""
    table = find_table(root, ("dicom_info.csv",))
    if table is None:
        return {}
    wanted = (
        "patientid",
        "seriesdescription",
        "bitsallocated",
        "seriesinstanceuid",
        "studyinstanceuid",
    )
    lines = {}
    for _, cells in rows_of(table, ("image path", *wanted)):
        parts = cells["image path"].replace("\\", "/").split("/")
        lines[("".join(parts[-2:-1]), parts[-1])] = {name: cells[name] for name in wanted}
    return lines


def find_files(root: Path, report: Callable[[str], None]) -> Files:
    """Return the files below `root` that belong to a case; a broken or foreign one is reported."""
    info, files = _kaggle(root), Files()
    for path in files_below(root, PICTURES | {".dcm"}):
        try:
            file = _picture(path, root, info) if is_picture(path) else _dicom(path, root)
        except ReadError as error:
            report(f"{error}; left out")
            continue
        except CodecError as error:
            report(f"{path}: {error}; left out")
            continue
        files.add(file)
    for series, name in sorted(info):
        if not any(file.path.name == name for file in files.by_series.get(series, [])):
            report(f"{series}/{name}: not there, though dicom_info.csv names it")
    return files


def _is_of_a_region(case: str) -> bool:
    match = CASE.fullmatch(case)
    return match is not None and match[6] is not None


def whole_view(files: Files, places: Iterable[Place]) -> File | None:
    """Return the whole mammogram at the first of some places that has one: the largest that is no part."""
    for place in places:
        found = [
            file
            for file in files.at(place)
            if "mask" not in file.description
            and "crop" not in file.description
            and not _is_of_a_region(file.case)
        ]
        if found:
            return max(found, key=lambda file: (file.bits, file.rows * file.columns))
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The mask and the crop of one abnormality, each None where it is not there; and doubts about them."""

    mask: File | None
    pixels: Mask | None
    crop: File | None
    doubts: tuple[str, ...] = ()


def _likely(file: File, whole: tuple[int, int]) -> tuple[bool, bool, int]:
    """Order files by how likely each is the mask: shaped as the view, 8 bits, large."""
    return (
        aspect_difference(file.shape, whole) > ASPECT_DOUBT,
        file.bits != 8,
        -file.rows * file.columns,
    )


def region(files: Files, places: Iterable[Place], case: str, whole: tuple[int, int]) -> Region:
    """Return the mask and the crop of an abnormality, told apart by what their pixels are.

    A mask holds two values and mostly has the view's shape; the crop is smaller and grey. Descriptions
    are asked only where several files are left for one role.

    Parameters
    ----------
    case
        Its folder, ``..._1``: files of another abnormality in the same series are not taken.
    whole
        (rows, columns) of the whole view.
    """
    found = {file.path: file for place in places for file in files.at(place)}
    if not found:
        found = {file.path: file for file in files.by_case.get(case, [])}
    candidates = [file for file in found.values() if file.case in ("", case)]
    mask, pixels, greys, doubts = None, None, [], []
    for file in sorted(candidates, key=lambda file: (_likely(file, whole), str(file.path))):
        if mask is not None:
            greys.append(file)
            continue
        try:
            marked = as_mask(read_pixels(file.path))
        except TrainerError as error:
            doubts.append(f"{error}; left out")
            continue
        if marked is None:
            greys.append(file)
        else:
            mask, pixels = file, marked
    crop = max(greys, key=lambda file: ("crop" in file.description, file.rows * file.columns), default=None)
    if mask is not None and "crop" in mask.description:
        doubts.append(f"{mask.path}: said to be a crop, but its pixels are a mask's: taken as the mask")
    if crop is not None and "mask" in crop.description:
        doubts.append(f"{crop.path}: said to be a mask, but its pixels are a crop's: taken as the crop")
    files.used.update(file.path for file in (mask, crop) if file)
    return Region(mask, pixels, crop, tuple(doubts))

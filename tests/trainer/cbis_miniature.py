"""A miniature of CBIS-DDSM in the exact forms of its layouts, from phantom images of 120 x 80 pixels.

The forms are those of the published tables and folders: columns and their spelling, the line break at
the end of the last quoted column, UIDs under 1.3.6.1.4.1.9590.100.1.2, folder names that end in the last
five digits of a UID, Kaggle's ``jpeg/<SeriesUID>/`` with ``dicom_info.csv``.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from dicom_files import IMPLICIT, phantom_pixels, write_mg

LAYOUTS = ("tcia", "nbia", "nbia-old", "kaggle")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ROOT_UID = "1.3.6.1.4.1.9590.100.1.2"
SHAPE = (120, 80)
CROP = (24, 20)
MASS = ("patient_id", "breast_density", "left or right breast", "image view", "abnormality id",
        "abnormality type", "mass shape", "mass margins", "assessment", "pathology", "subtlety",
        "image file path", "cropped image file path", "ROI mask file path")  # fmt: skip
CALC = ("patient_id", "breast density", *MASS[2:6], "calc type", "calc distribution", *MASS[8:])
DICOM_INFO = ("file_path", "image_path", "AccessionNumber", "BitsAllocated", "BitsStored", "BodyPartExamined",
              "Columns", "Modality", "PatientID", "Rows", "SOPInstanceUID", "SeriesDescription",
              "SeriesInstanceUID", "StudyInstanceUID")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One row of a table and the files that belong to it.

    Attributes
    ----------
    box
        (row0, col0, row1, col1) of the mask, in the mask's own pixels.
    mask_first
        The mask is 000000.dcm and the crop 000001.dcm, whatever the columns say.
    apart
        The mask lies in a series of its own.
    mask_shape
        (rows, columns) of the mask.
    descriptions
        Series descriptions of (crop, mask).
    """

    kind: str
    part: str
    patient: str
    side: str
    view: str
    number: int = 1
    pathology: str = "MALIGNANT"
    box: tuple[int, int, int, int] = (40, 20, 64, 40)
    mask_first: bool = False
    apart: bool = False
    mask_shape: tuple[int, int] = SHAPE
    descriptions: tuple[str, str] = ("cropped images", "ROI mask images")
    density: str = "3"

    @property
    def view_folder(self) -> str:
        part = {"train": "Training", "test": "Test"}[self.part]
        return f"{self.kind.title()}-{part}_{self.patient}_{self.side}_{self.view}"

    @property
    def region_folder(self) -> str:
        return f"{self.view_folder}_{self.number}"


CASES = (
    Case("mass", "train", "P_00001", "LEFT", "CC"),
    Case("mass", "train", "P_00001", "LEFT", "MLO", mask_first=True, pathology="BENIGN"),
    Case("mass", "train", "P_00002", "RIGHT", "CC", 1, "BENIGN_WITHOUT_CALLBACK", (10, 10, 30, 22)),
    Case("mass", "train", "P_00002", "RIGHT", "CC", 2, "MALIGNANT", (70, 50, 90, 60)),
    Case("calc", "train", "P_00002", "RIGHT", "CC", 1, "BENIGN", (50, 30, 58, 44)),
    Case("mass", "test", "P_00003", "LEFT", "CC", apart=True),
    Case("calc", "train", "P_00003", "LEFT", "MLO", mask_first=True, pathology="BENIGN"),
    Case("calc", "test", "P_00004", "LEFT", "CC", descriptions=("ROI mask images", "cropped images")),
)


def uid(*parts: object) -> str:
    """A UID as the set has them: a long last number, so that its last five digits tell it."""
    number = int(hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:30], 16)
    return f"{ROOT_UID}.{str(number)[:30]}"


def mask_of(case: Case) -> np.ndarray:
    mask = np.zeros(case.mask_shape, np.uint8)
    row0, col0, row1, col1 = case.box
    mask[row0:row1, col0:col1] = 255
    return mask


def crop_of(case: Case) -> np.ndarray:
    return phantom_pixels(*CROP, bits=16, seed=case.number)


def _path_cells(case: Case) -> tuple[str, str, str]:
    """The three path columns, crop and mask named as the tables do whatever the files are."""
    view = f"{case.view_folder}/{uid('study', case.view_folder)}/{uid('series', case.view_folder)}/000000.dcm"
    study = f"{case.region_folder}/{uid('study', case.region_folder)}"
    crop_series = f"{study}/{uid('series', case.region_folder)}"
    mask_series = f"{study}/{uid('mask series', case.region_folder)}" if case.apart else crop_series
    first, second = f"{crop_series}/000000.dcm", f"{mask_series}/{'000000' if case.apart else '000001'}.dcm"
    if case.kind == "mass":
        return view, first, second + "\n"  # cropped, ROI mask with its line break
    return view, second + "\n", first


def write_tables(folder: Path, cases: tuple[Case, ...] = CASES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, columns in (("mass", MASS), ("calc", CALC)):
        words = ("IRREGULAR", "SPICULATED") if kind == "mass" else ("PLEOMORPHIC", "CLUSTERED")
        name = "mass" if kind == "mass" else "calcification"
        for part in ("train", "test"):
            table = io.StringIO()
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(columns)
            for case in cases:
                if (case.kind, case.part) == (kind, part):
                    writer.writerow([case.patient, case.density, case.side, case.view, case.number, name,
                                     *words, 4, case.pathology, 5, *_path_cells(case)])  # fmt: skip
            path = folder / f"{kind}_case_description_{part}_set.csv"
            path.write_bytes(table.getvalue().encode())


@dataclass(frozen=True)
class _File:
    case: Case
    role: str
    pixels: np.ndarray
    folder: str
    series: str
    number: int
    description: str


def _files(cases: tuple[Case, ...]) -> list[_File]:
    made, views = [], set()
    for case in cases:
        if case.view_folder not in views:
            views.add(case.view_folder)
            whole = phantom_pixels(*SHAPE, bits=16, chest="left" if case.side == "LEFT" else "right",
                                   seed=len(views))  # fmt: skip
            made.append(_File(case, "full", whole, case.view_folder, uid("series", case.view_folder), 0,
                              "full mammogram images"))  # fmt: skip
        region = uid("series", case.region_folder)
        apart = uid("mask series", case.region_folder) if case.apart else region
        crop, mask = (1, 0) if case.mask_first else (0, 0 if case.apart else 1)
        made.append(
            _File(case, "crop", crop_of(case), case.region_folder, region, crop, case.descriptions[0])
        )
        made.append(_File(case, "mask", mask_of(case), case.region_folder, apart, mask, case.descriptions[1]))
    return made


def _place(root: Path, file: _File, layout: str) -> Path:
    study = uid("study", file.folder)
    if layout == "tcia":
        return root / file.folder / study / file.series / f"{file.number:06d}.dcm"
    if layout == "kaggle":
        return root / "jpeg" / file.series / f"{file.number + 1}-{int(file.series[-4:-1]):03d}.jpg"
    if layout == "nbia":
        folders = (f"07-20-2016-DDSM-NA-{study[-5:]}", f"1.000000-{file.description}-{file.series[-5:]}")
        return root / "CBIS-DDSM" / file.folder / folders[0] / folders[1] / f"1-{file.number + 1}.dcm"
    folders = (f"07-20-2016-DDSM-{study[-5:]}", f"1-{file.description}-{file.series[-5:]}")
    return root / "CBIS-DDSM" / file.folder / folders[0] / folders[1] / f"{file.number:06d}.dcm"


def write_dicom(path: Path, file: _File, *, stripped: bool = False) -> None:
    """Write a file as the set has them; `stripped`: without patient and UIDs, its folder alone tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    gone = {"PatientID": None, "StudyInstanceUID": None, "SeriesInstanceUID": None, "SeriesDescription": None}
    stated = {"PatientID": file.folder, "StudyInstanceUID": uid("study", file.folder),
              "SeriesInstanceUID": file.series, "SeriesDescription": file.description}  # fmt: skip
    write_mg(
        path,
        file.pixels,
        laterality=None,
        view=None,
        orientation=None,
        bits_stored=8 if file.pixels.dtype == np.uint8 else 16,
        transfer_syntax=IMPLICIT,
        sop_class=SECONDARY_CAPTURE,
        PatientOrientation=file.case.view,
        Laterality=file.case.side[0],
        ImagerPixelSpacing=None,
        SOPInstanceUID=uid("file", file.folder, file.role),
        Manufacturer=None,
        **(gone if stripped else stated),
    )


def write_jpeg(path: Path, file: _File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = file.pixels if file.pixels.dtype == np.uint8 else (file.pixels // 257).astype(np.uint8)
    PIL.Image.fromarray(grey).save(path, quality=95)


def _write_info(root: Path, files: list[_File], unnamed: tuple[str, ...]) -> None:
    table = io.StringIO()
    writer = csv.DictWriter(table, DICOM_INFO, restval="")
    writer.writeheader()
    for file in files:
        path = _place(root, file, "kaggle")
        described = "" if file.role == "mask" and file.folder in unnamed else file.description
        writer.writerow({
            "file_path": f"CBIS-DDSM/dicom/{file.series}/{path.stem}.dcm",
            "image_path": f"CBIS-DDSM/jpeg/{file.series}/{path.name}",
            "BitsAllocated": 8 if file.role == "mask" else 16,
            "PatientID": file.folder,
            "SeriesDescription": described,
            "SeriesInstanceUID": file.series,
            "StudyInstanceUID": uid("study", file.folder),
        })  # fmt: skip
    (root / "csv").mkdir(exist_ok=True)
    (root / "csv" / "dicom_info.csv").write_text(table.getvalue())


def make_cbis(
    root: Path, layout: str, cases: tuple[Case, ...] = CASES, *, stripped: bool = False, info: bool = True
) -> dict[tuple[str, str], Path]:
    """Write tables and files; return the path of each by (folder, role)."""
    files = _files(cases)
    paths = {}
    for file in files:
        path = paths[file.folder, file.role] = _place(root, file, layout)
        if layout == "kaggle":
            write_jpeg(path, file)
        else:
            write_dicom(path, file, stripped=stripped)
    write_tables(root / "csv" if layout == "kaggle" else root, cases)
    if layout == "kaggle" and info:
        _write_info(root, files, (cases[0].region_folder,))
    return paths

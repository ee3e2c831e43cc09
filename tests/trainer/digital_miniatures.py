"""Miniatures of RSNA 2022, VinDr-Mammo, INbreast and CMMD in their exact forms, from phantom images."""

from __future__ import annotations

import csv
import io
import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from dicom_files import J2K, JPEG_LOSSLESS_SV1, phantom_pixels, write_mg

SHAPE = (96, 64)
RSNA = ("site_id", "patient_id", "image_id", "laterality", "view", "age", "cancer", "biopsy", "invasive",
        "BIRADS", "implant", "density", "machine_id", "difficult_negative_case")  # fmt: skip
RSNA_ROWS = (
    (2, 10006, 462822612, "L", "CC", "61.0", 0, 0, 0, "", 0, "", 29, "False"),
    (2, 10006, 1459541791, "L", "MLO", "61.0", 0, 0, 0, "", 0, "", 29, "False"),
    (1, 10130, 388811999, "R", "MLO", "71.0", 1, 1, 1, "0.0", 0, "B", 49, "False"),
    (1, 10130, 613462606, "R", "AT", "71.0", 1, 1, 1, "0.0", 0, "B", 49, "False"),
    (1, 10011, 220375232, "L", "CC", "", 0, 1, 0, "0.0", 0, "C", 21, "True"),
)
VINDR_BREAST = ("study_id", "series_id", "image_id", "laterality", "view_position", "height", "width",
                "breast_birads", "breast_density", "split")  # fmt: skip
VINDR_FINDING = (
    *VINDR_BREAST[:9],
    "finding_categories",
    "finding_birads",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "split",
)
STUDIES = ("b8d273e8601f348d3664778dae0e7e0b", "8269f5971eaca3e5d3772d1796e6bd7a")
IMAGES = (
    "d8125545210c08e1b1793a5af6458ee2",
    "290c658f4e75a3f83ec78a847414297c",
    "cd0fc7bc53ac632a11643ac4cc91002a",
)
CMMD = ("ID1", "LeftRight", "Age", "number", "abnormality", "classification", "subtype")


def table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]], delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows([columns, *rows])
    path.write_bytes(text.getvalue().encode())


def image(path: Path, seed: int, side: str | None, view: str | None, **facts: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    chest = "left" if side == "L" else "right"
    return write_mg(path, phantom_pixels(*SHAPE, chest=chest, seed=seed), laterality=side, view=view, **facts)


def make_rsna(root: Path) -> dict[int, Path]:
    """Alternate the two transfer syntaxes and photometric interpretations of the set."""
    table(root / "train.csv", RSNA, RSNA_ROWS)
    paths = {}
    for number, row in enumerate(RSNA_ROWS):
        view = str(row[4])
        paths[int(str(row[2]))] = image(
            root / "train_images" / str(row[1]) / f"{row[2]}.dcm",
            number,
            str(row[3]),
            None if view == "AT" else view,
            transfer_syntax=(JPEG_LOSSLESS_SV1, J2K)[number % 2],
            photometric=("MONOCHROME2", "MONOCHROME1")[number % 2],
            PatientID=str(row[1]),
        )
    return paths


def vindr_rows() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    size = SHAPE
    breast = [
        (STUDIES[0], "series0", IMAGES[0], "R", "CC", *size, "BI-RADS 4", "DENSITY C", "training"),
        (STUDIES[0], "series0", IMAGES[1], "L", "MLO", *size, "BI-RADS 1", "DENSITY C", "training"),
        (STUDIES[1], "series1", IMAGES[2], "L", "CC", *size, "BI-RADS 5", "DENSITY B", "test"),
    ]
    finding = [
        (*breast[0][:9], "['Mass']", "BI-RADS 4", 10.5, 20.25, 30.0, 44.0, "training"),
        (*breast[1][:9], "['No Finding']", "", "", "", "", "", "training"),
        (
            *breast[2][:9],
            "['Suspicious Calcification', 'Mass']",
            "BI-RADS 5",
            -4.5,
            80.0,
            12.0,
            110.5,
            "test",
        ),
        (*breast[2][:9], "['Skin Thickening']", "", 70.0, 10.0, 90.0, 20.0, "test"),
    ]
    return breast, finding


def make_vindr(root: Path) -> None:
    breast, finding = vindr_rows()
    table(root / "breast-level_annotations.csv", VINDR_BREAST, breast)
    table(root / "finding_annotations.csv", VINDR_FINDING, finding)
    for number, row in enumerate(breast):
        path = root / "images" / str(row[0]) / f"{row[2]}.dicom"
        image(path, number, str(row[3]), str(row[4]), PatientAge="053Y")


def roi(name: str, points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    texts = [f"({x:.6f}, {y:.6f})" for x, y in points]
    return {"Name": name, "NumberOfPoints": len(points), "Point_px": texts, "Type": 15, "Area": 0.0}


def make_inbreast(root: Path) -> Path:
    """``INbreast Release 1.0`` with a table that ends in two footer rows."""
    home = root / "INbreast Release 1.0"
    columns = (
        "Patient ID",
        "Patient age",
        "Laterality",
        "View",
        "Acquisition date",
        "File Name",
        "ACR",
        "Bi-Rads",
    )
    rows = [
        ("removed", "removed", "R", "CC", "201001", "22678622", "2", "4c"),
        ("removed", "removed", "L", "MLO", "201001", "22678646", "2", "1"),
        ("removed", "removed", "L", "CC", "200806", "22614127", "3", "2"),
        ("", "", "", "", "", "", "", ""),
        ("", "", "Total", "3", "", "", "", "#REF!"),
    ]
    table(home / "INbreast.csv", columns, rows, ";")
    files = (("22678622", "61b13c59bcba149e", "R", "CC"), ("22678646", "61b13c59bcba149e", "L", "ML"),
             ("22614127", "f571a3e02ef0a17c", "L", "CC"))  # fmt: skip
    for number, (name, patient, side, view) in enumerate(files):
        path = home / "AllDICOMs" / f"{name}_{patient}_MG_{side}_{view}_ANON.dcm"
        image(path, number, None, None, orientation=None, PatientID="removed")
    regions = [
        roi("Mass", [(20.0, 30.0), (35.4, 30.0), (35.4, 50.6), (20.0, 50.6)]),
        roi("Calcification", [(12.0, 70.0)]),
        roi("Pectoral Muscle", [(0.0, 0.0), (10.0, 0.0), (0.0, 30.0)]),
    ]
    outlines = home / "AllXML" / "22678622.xml"
    outlines.parent.mkdir(parents=True)
    outlines.write_bytes(plistlib.dumps({"Images": [{"ImageIndex": 0, "NumberOfROIs": 3, "ROIs": regions}]}))
    return home


def make_cmmd(root: Path) -> None:
    table(root / "CMMD_clinicaldata_revision.csv", CMMD, [
        ("D1-0001", "R", 44, 2, "calcification", "Benign", ""),
        ("D2-0002", "L", 51, 2, "both", "Malignant", "Luminal A"),
    ])  # fmt: skip
    views = (("D1-0001", "R", "CC"), ("D1-0001", "R", "MLO"), ("D1-0001", "L", "CC"), ("D2-0002", "L", "MLO"))
    for number, (patient, side, view) in enumerate(views):
        study = f"07-18-2010-NA-NA-{number // 3:05d}"
        path = root / "CMMD" / patient / study / "1.000000-NA-70244" / f"1-{number + 1}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mg(
            path,
            (phantom_pixels(*SHAPE, seed=number) >> 4).astype(np.uint8),
            laterality=side,
            view=view,
            bits_stored=8,
            window=(128, 256),
            function="SIGMOID",
            PatientID=patient,
            ImagerPixelSpacing=["0.0941", "0.0941"],
        )

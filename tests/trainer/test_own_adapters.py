"""Images of one's own: a folder, a CSV table, COCO's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from dicom_files import phantom_pixels, write_mg

from app.core.manifest import NO_PATIENT, Row, read_manifest
from trainer.cli import main
from trainer.datasets import index
from trainer.errors import TrainerError

SHAPE = (96, 64)


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


def png(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(phantom_pixels(*SHAPE, bits=16, seed=seed)).save(path)
    return path


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row.image_id: row for row in rows}


# A folder


def test_the_folders_name_is_the_label_and_the_folder_below_it_the_patient(tmp_path: Path) -> None:
    png(tmp_path / "normal" / "anna" / "L_CC.png", 1)
    png(tmp_path / "normal" / "anna" / "R_MLO.png", 2)
    png(tmp_path / "cancer" / "berta" / "LMLO.png", 3)
    rows = by_id(index("folder", tmp_path, quiet))
    assert {name: (row.label, row.patient_id, row.laterality, row.view) for name, row in rows.items()} == {
        "normal/anna/L_CC": ("normal", "anna", "L", "CC"),
        "normal/anna/R_MLO": ("normal", "anna", "R", "MLO"),
        "cancer/berta/LMLO": ("cancer", "berta", "L", "MLO"),
    }
    assert all(row.licence.startswith("research:") for row in rows.values())


def test_a_dicom_file_states_its_own_patient(tmp_path: Path) -> None:
    (tmp_path / "normal" / "x").mkdir(parents=True)
    write_mg(tmp_path / "normal" / "x" / "1.dcm", PatientID="P-77", PatientAge="061Y")
    row = index("folder", tmp_path, quiet)[0]
    assert (row.patient_id, row.laterality, row.view, row.age) == ("P-77", "R", "MLO", "61")
    assert row.spacing_mm == (0.1, 0.1)


def test_parts_of_a_split_may_stand_above_the_labels(tmp_path: Path) -> None:
    for part in ("train", "test"):
        png(tmp_path / part / "normal" / f"p-{part}" / "1.png")
    rows = index("folder", tmp_path, quiet)
    assert {row.official_split: (row.label, row.patient_id) for row in rows} == {
        "train": ("normal", "p-train"),
        "test": ("normal", "p-test"),
    }


def test_images_without_a_patient_are_told_in_every_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        png(tmp_path / "data" / ("ill", "well")[number % 2] / f"{number}.png", number)
    manifest, splits = tmp_path / "manifest.csv", tmp_path / "splits.json"
    assert main(["index", "folder", str(tmp_path / "data"), "-o", str(manifest)]) == 0
    assert "12 of 12 images have no patient id" in capsys.readouterr().out
    rows = read_manifest(manifest).rows
    assert len({row.patient_id for row in rows}) == 12
    assert all(row.patient_id.startswith(NO_PATIENT) for row in rows)
    assert main(["split", str(manifest), "-o", str(splits)]) == 0
    assert "a split by patient is impossible" in capsys.readouterr().out
    report = tmp_path / "report"
    assert main(["audit", str(manifest), "--splits", str(splits), "-o", str(report)]) == 0
    assert "a split by patient is impossible" in (report / "audit.json").read_text()


def test_a_broken_file_and_one_beside_the_labels_are_named(tmp_path: Path) -> None:
    png(tmp_path / "normal" / "a" / "1.png")
    png(tmp_path / "stray.png")
    cut = png(tmp_path / "normal" / "a" / "2.png", 5)
    cut.write_bytes(cut.read_bytes()[:300])
    said: list[str] = []
    assert len(index("folder", tmp_path, said.append)) == 1
    assert "stray.png" in said[0]
    assert "2.png" in said[1]


# A table


def write_csv(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "images.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_lines_of_one_path_are_lesions_of_one_image(tmp_path: Path) -> None:
    png(tmp_path / "img" / "a.png", 1)
    png(tmp_path / "img" / "b.png", 2)
    mask = np.zeros(SHAPE, np.uint8)
    PIL.Image.fromarray(mask).save(tmp_path / "mask.png")
    table = write_csv(
        tmp_path,
        "path,label,patient_id,laterality,view,spacing_mm,age,split,licence,lesion,pathology,row0,col0,row1,col1,mask",
        "img/a.png,malignant,p1,LEFT,cc,0.1,50,train,any: ours,mass,malignant,10,12.5,30,40,mask.png",
        "img/a.png,malignant,p1,LEFT,cc,0.1,50,train,any: ours,calcification,benign,80,50,120,90,",
        "img\\b.png,normal,p2,R,MLO,0.1\\0.2,,test,,,,,,,,",
    )
    for root in (tmp_path, table):
        first, second = index("csv", root, quiet)
        assert (first.image_id, first.patient_id, first.laterality, first.view) == ("img/a", "p1", "L", "CC")
        assert (first.age, first.official_split, first.licence) == ("50", "train", "any: ours")
        mass, calcification = first.findings
        assert (mass.label, mass.box, mass.pathology) == ("mass", (10.0, 12.5, 30.0, 40.0), "malignant")
        assert mass.mask == str((tmp_path / "mask.png").resolve())
        assert calcification.box == (80.0, 50.0, 96.0, 64.0)
        assert (second.spacing_mm, second.findings, second.age) == ((0.1, 0.2), (), "")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("../outside.png,normal,", "does not lead to a place below"),
        ("/etc/passwd,normal,", "does not lead to a place below"),
        ("C:\\outside.png,normal,", "does not lead to a place below"),
        ("a/../../outside.png,normal,", "does not lead to a place below"),
        (",normal,", "does not lead to a place below"),
        ("nowhere.png,normal,", "not there"),
        ("a.png,,", "label is empty"),
        ("a.png,normal,-1", "spacing -1 is not positive"),
        ("a.png,normal,inf", "spacing inf is not positive"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, word: str) -> None:
    png(tmp_path / "outside.png")
    png(tmp_path / "data" / "a.png")
    png(tmp_path / "data" / "b.png", 1)
    said: list[str] = []
    root = write_csv(tmp_path / "data", "path,label,spacing_mm", line, "b.png,normal,").parent
    assert [row.image_id for row in index("csv", root, said.append)] == ["b"]
    assert word in said[0]


def test_columns_nobody_knows_and_lines_that_disagree_are_said(tmp_path: Path) -> None:
    png(tmp_path / "a.png")
    write_csv(tmp_path, "path,label,colour", "a.png,benign,red", "a.png,malignant,red")
    said: list[str] = []
    assert index("csv", tmp_path, said.append)[0].label == "benign"
    assert "colour" in said[0]
    assert "line 3: another label" in said[1]


def test_a_table_without_a_needed_column_and_several_tables_are_one_sentence(tmp_path: Path) -> None:
    write_csv(tmp_path, "path,labels", "a.png,benign")
    with pytest.raises(TrainerError, match="lacks the column 'label'"):
        index("csv", tmp_path, quiet)
    (tmp_path / "other.csv").write_text("path,label\n")
    with pytest.raises(TrainerError, match="2 CSV tables"):
        index("csv", tmp_path, quiet)


def test_what_was_left_out_stands_beside_the_manifest_and_goes_with_the_next_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    png(tmp_path / "data" / "a.png")
    lines = [f"gone-{number}.png,normal,p{number}" for number in range(40)]
    write_csv(tmp_path / "data", "path,label,patient_id", *lines, "a.png,normal,p")
    output = tmp_path / "manifest.csv"
    assert main(["index", "csv", str(tmp_path / "data"), "-o", str(output)]) == 0
    notes = tmp_path / "manifest.csv.notes.txt"
    assert len(notes.read_text().splitlines()) == 40
    assert "gone-39.png" in notes.read_text()
    told = capsys.readouterr()
    assert "and 20 more, all in" in told.out
    assert told.err == ""
    write_csv(tmp_path / "data", "path,label,patient_id", "a.png,normal,p")
    assert main(["index", "csv", str(tmp_path / "data"), "-o", str(output)]) == 0
    assert not notes.exists()


# COCO


def coco(folder: Path, **changes: Any) -> Path:
    png(folder / "images" / "a.png", 1)
    png(folder / "b.png", 2)
    content = {
        "images": [
            {"id": 1, "file_name": "a.png", "width": 64, "height": 96, "patient_id": "p1", "laterality": "L",
             "view": "CC", "split": "train"},
            {"id": 2, "file_name": "b.png", "width": 64, "height": 96, "patient_id": "p2", "label": "benign"},
        ],
        "annotations": [{"id": 7, "image_id": 1, "category_id": 3, "bbox": [10, 20, 30, 40], "area": 1200}],
        "categories": [{"id": 3, "name": "mass"}],
    }  # fmt: skip
    path = folder / "instances.json"
    path.write_text(json.dumps(content | changes))
    return path


def test_coco_boxes_are_x_y_width_height(tmp_path: Path) -> None:
    path = coco(tmp_path)
    for root in (tmp_path, path):
        first, second = index("coco", root, quiet)
        assert (first.label, first.patient_id, first.view, first.official_split) == (
            "lesion",
            "p1",
            "CC",
            "train",
        )
        assert first.findings[0].label == "mass"
        assert first.findings[0].box == (20.0, 10.0, 60.0, 40.0)
        assert (second.label, second.findings) == ("benign", ())


def test_coco_boxes_of_another_size_are_scaled_with_a_remark(tmp_path: Path) -> None:
    image = {"id": 1, "file_name": "a.png", "width": 128, "height": 192}
    coco(tmp_path, images=[image])
    said: list[str] = []
    assert index("coco", tmp_path, said.append)[0].findings[0].box == (10.0, 5.0, 30.0, 20.0)
    assert "boxes scaled" in said[0]


@pytest.mark.parametrize(
    ("bbox", "word"),
    [
        ([10, 20, 30], "bbox is not"),
        ([10, 20, -3, 4], "no extent"),
        ([10, 20, "30", 4], "not a number"),
        ([True, 20, 3, 4], "not a number"),
        ([500, 500, 3, 4], "outside the image"),
    ],
)
def test_a_box_that_is_none_leaves_the_lesion_without_a_place(
    tmp_path: Path, bbox: list[Any], word: str
) -> None:
    coco(tmp_path, annotations=[{"id": 7, "image_id": 1, "category_id": 3, "bbox": bbox}])
    said: list[str] = []
    row = index("coco", tmp_path, said.append)[0]
    assert (row.label, row.located) == ("lesion", False)
    assert word in said[0]


def test_coco_names_files_and_annotations_that_lead_nowhere(tmp_path: Path) -> None:
    images = [
        {"id": 1, "file_name": "../a.png"},
        {"id": 2, "file_name": "b.png"},
        {"id": 3, "file_name": "c.png"},
    ]
    coco(tmp_path / "data", images=images, annotations=[{"id": 5, "image_id": [9], "bbox": [1, 1, 2, 2]}])
    png(tmp_path / "a.png")
    said: list[str] = []
    rows = index("coco", tmp_path / "data", said.append)
    assert [row.image_id for row in rows] == ["b"]
    assert rows[0].patient_id == NO_PATIENT + "b"
    text = "\n".join(said)
    for word in ("image 1 left out", "c.png: not there", "annotation 5 left out"):
        assert word in text


def test_where_nothing_is_left_the_reasons_are_said_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv(tmp_path / "data", "path,label", "gone.png,normal")
    assert main(["index", "csv", str(tmp_path / "data"), "-o", str(tmp_path / "manifest.csv")]) == 1
    told = capsys.readouterr()
    assert "gone.png: not there" in told.out
    assert len(told.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_json_that_is_no_coco_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"images": []}')
    with pytest.raises(TrainerError, match="no file in COCO's form"):
        index("coco", tmp_path, quiet)
    (tmp_path / "x.json").write_text('{"images": [')
    with pytest.raises(TrainerError, match="cannot be read as JSON"):
        index("coco", tmp_path, quiet)

"""The adapters of the editions in ../shared/data (CDD-CESM, CBIS masses): miniatures and the real thing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from dicom_files import phantom_pixels

from trainer.datasets import index
from trainer.errors import TrainerError
from trainer.tables import rows_of

CESM = (
    "file,mask,patient_id,side,view,type,age,density_acr,birads,findings,tags,machine,pathology,mask_x,mask_y,"
    "mask_w,mask_h,regions,region_shapes,scale_native_per_px"
)
IMAGES = (
    "split,file,patient_id,side,view,breast_density,lesions,pathology_any,native_width,native_height,"
    "native_from"
)
LESIONS = (
    "split,file,patient_id,side,view,coco_annotation_id,abnormality_id,link,pathology_safe,x,y,w,h,pathology,"
    "assessment,subtlety,breast_density,mass_shape,mass_margins"
)


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


def picture(path: Path, rows: int, columns: int, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(phantom_pixels(rows, columns, bits=8, seed=seed)).save(path)


def make_cesm(root: Path) -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[10:20, 5:15] = mask[40:44, 30:50] = True
    (root / "masks").mkdir(parents=True)
    for folder, name in (("dm", "P3_L_DM_CC"), ("cm", "P3_L_CM_CC")):
        picture(root / folder / f"{name}.jpg", 64, 64)
        PIL.Image.fromarray(mask).save(root / "masks" / f"{name}.png")
    (root / "labels.csv").write_text(
        f"{CESM}\n"
        'dm/P3_L_DM_CC.jpg,masks/P3_L_DM_CC.png,3,L,CC,DM,45,C,4$2,a mass,"malignant, mass",1,Malignant,'
        "5,10,45,34,2,,\n"
        "cm/P3_L_CM_CC.jpg,masks/P3_L_CM_CC.png,3,L,CC,CESM,45,_,5,a mass,mass,1,Malignant,5,10,45,34,2,,\n"
    )


def test_cesm_gives_a_lesion_per_marked_part_and_tells_subtracted_images(tmp_path: Path) -> None:
    make_cesm(tmp_path)
    low, subtracted = index("cdd-cesm", tmp_path, quiet)
    assert (low.image_id, low.patient_id, low.laterality, low.view) == ("P3_L_DM_CC", "cdd-cesm-3", "L", "CC")
    assert (low.age, low.density, low.source, low.label) == ("45", "C", "ffdm", "malignant")
    assert [lesion.box for lesion in low.findings] == [(10.0, 5.0, 20.0, 15.0), (40.0, 30.0, 44.0, 50.0)]
    # The mask holds benign findings too: none of its parts has a pathology.
    assert {lesion.pathology for lesion in low.findings} == {None}
    assert low.findings[0].descriptor("BI-RADS") == "4$2"
    assert (subtracted.source, subtracted.density) == ("cesm", "")
    assert subtracted.patient_id == low.patient_id
    assert subtracted.study_id != low.study_id


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ("dm/P3_L_DM_CC.jpg,", "../P3.jpg,", "line 2 left out"),
        ("dm/P3_L_DM_CC.jpg,", "dm/gone.jpg,", "gone.jpg: not there"),
        (",DM,45", ",XX,45", "line 2 left out"),
        (",3,L,", ",3/..,L,", "line 2 left out"),
        (",DM,45", ",DM,450", "line 2 left out"),
    ],
)
def test_cesm_names_a_line_that_cannot_be_used(tmp_path: Path, good: str, bad: str, word: str) -> None:
    make_cesm(tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text(table.read_text().replace(good, bad, 1))
    said: list[str] = []
    assert [row.source for row in index("cdd-cesm", tmp_path, said.append)] == ["cesm"]
    assert word in said[0]


def test_cesm_without_its_mask_keeps_the_image_and_its_finding_without_a_place(tmp_path: Path) -> None:
    make_cesm(tmp_path)
    (tmp_path / "masks" / "P3_L_DM_CC.png").unlink()
    said: list[str] = []
    row = index("cdd-cesm", tmp_path, said.append)[0]
    assert [lesion.box for lesion in row.findings] == [None]
    assert "P3_L_DM_CC.png" in said[0]


def make_masses(root: Path, size: int = 800) -> None:
    picture(root / "train" / "00001_LEFT_CC.jpg", size, size)
    (root / "images.csv").write_text(
        f"{IMAGES}\ntrain,train/00001_LEFT_CC.jpg,P_00001,LEFT,CC,3,1,MALIGNANT,3024,4808,unique\n"
    )
    (root / "lesions.csv").write_text(
        f"{LESIONS}\ntrain,train/00001_LEFT_CC.jpg,P_00001,LEFT,CC,196,1,only,1,70,400,100,80,MALIGNANT,4,5,3,OVAL,OBSCURED\n"
    )


def test_masses_have_boxes_descriptors_and_stretched_pixels(tmp_path: Path) -> None:
    make_masses(tmp_path)
    row = index("cbis-mass", tmp_path, quiet)[0]
    assert row.findings[0].box == (400.0, 70.0, 480.0, 170.0)
    assert row.findings[0].descriptor("mass shape") == "OVAL"
    assert row.findings[0].descriptor("link") == "only"
    assert row.spacing_mm == (round(0.046 * 4808 / 800, 5), round(0.046 * 3024 / 800, 5))


def test_masses_name_a_picture_that_is_missing_or_of_another_size(tmp_path: Path) -> None:
    make_masses(tmp_path, 400)
    said: list[str] = []
    with pytest.raises(TrainerError, match="no image of the data set"):
        index("cbis-mass", tmp_path, said.append)
    assert "00001_LEFT_CC.jpg" in said[0]
    assert "800 x 800" in said[0]
    (tmp_path / "train" / "00001_LEFT_CC.jpg").unlink()
    with pytest.raises(TrainerError, match="no image of the data set"):
        index("cbis-mass", tmp_path, said.append)
    assert "00001_LEFT_CC.jpg: not there" in said[1]


def test_masses_refuse_a_path_that_leaves_the_folder(tmp_path: Path) -> None:
    make_masses(tmp_path)
    table = tmp_path / "images.csv"
    table.write_text(table.read_text().replace("train/00001", "../../00001"))
    with pytest.raises(TrainerError, match="line 2 cannot be understood"):
        index("cbis-mass", tmp_path, quiet)


@pytest.mark.shared_data
def test_the_real_masses(shared_data: Path) -> None:
    rows = index("cbis-mass", shared_data / "cbis-mass", quiet)
    assert (len(rows), len({row.patient_id for row in rows})) == (1231, 691)
    assert sum(len(row.findings) for row in rows) == 1318
    lines = [cells for _, cells in rows_of(shared_data / "cbis-mass" / "lesions.csv", ("link",))]
    links = Counter(lesion.descriptor("link") for row in rows for lesion in row.findings)
    assert links == Counter(cells["link"] for cells in lines)


@pytest.mark.shared_data
def test_the_real_cesm_masks_lie_where_its_table_says(shared_data: Path) -> None:
    root = shared_data / "cdd-cesm"
    rows = {row.image_id: row for row in index("cdd-cesm", root, quiet)}
    lines = [cells for _, cells in rows_of(root / "labels.csv", ("file",))]
    assert len(rows) == len(lines) == 502
    for cells in lines:
        boxes = [lesion.box for lesion in rows[Path(cells["file"]).stem].findings]
        assert all(boxes)
        x, y, width, height = (int(cells[f"mask {name}"]) for name in "xywh")
        around = (min(b[0] for b in boxes if b), min(b[1] for b in boxes if b),
                  max(b[2] for b in boxes if b), max(b[3] for b in boxes if b))  # fmt: skip
        assert around == (y, x, y + height, x + width)

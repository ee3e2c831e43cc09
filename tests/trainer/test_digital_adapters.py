"""The adapters of RSNA 2022, VinDr-Mammo, INbreast and CMMD on miniatures in their exact forms."""

from __future__ import annotations

import plistlib
import time
from pathlib import Path

import pytest
from digital_miniatures import (
    CMMD,
    IMAGES,
    RSNA,
    RSNA_ROWS,
    SHAPE,
    VINDR_BREAST,
    VINDR_FINDING,
    image,
    make_cmmd,
    make_inbreast,
    make_rsna,
    make_vindr,
    roi,
    table,
    vindr_rows,
)

from app.core.manifest import read_manifest, write_manifest
from trainer.datasets import index
from trainer.datasets.cmmd import read_breasts
from trainer.datasets.inbreast import points_of
from trainer.datasets.vindr import categories_of
from trainer.errors import TrainerError


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


# RSNA 2022


def test_rsna_gives_cancer_biopsied_and_negative_breasts(tmp_path: Path) -> None:
    make_rsna(tmp_path)
    rows = index("rsna", tmp_path, quiet)
    assert [(row.image_id, row.patient_id, row.laterality, row.view, row.label) for row in rows] == [
        ("10006_462822612", "rsna-10006", "L", "CC", "negative"),
        ("10006_1459541791", "rsna-10006", "L", "MLO", "negative"),
        ("10130_388811999", "rsna-10130", "R", "MLO", "malignant"),
        ("10130_613462606", "rsna-10130", "R", "AT", "malignant"),
        ("10011_220375232", "rsna-10011", "L", "CC", "benign"),
    ]
    assert [row.age for row in rows] == ["61", "61", "71", "71", ""]
    assert [row.density for row in rows] == ["", "", "B", "B", "C"]
    assert rows[2].vendor == "site 1 machine 49"
    assert rows[2].findings[0].descriptor("invasive") == "1"
    assert [row.located for row in rows] == [True, True, False, False, True]
    assert all(row.licence.startswith("research:") for row in rows)


def test_rsna_says_what_is_missing_cut_off_unmatched_and_without_labels(tmp_path: Path) -> None:
    paths = make_rsna(tmp_path)
    paths[462822612].unlink()
    cut = paths[388811999]
    cut.write_bytes(cut.read_bytes()[:-400])
    image(tmp_path / "train_images" / "99" / "1.dcm", 9, "L", "CC")
    (tmp_path / "test.csv").write_text("site_id,patient_id,image_id\n")
    said: list[str] = []
    rows = index("rsna", tmp_path, said.append)
    assert [row.image_id for row in rows] == ["10006_1459541791", "10130_613462606", "10011_220375232"]
    assert len(said) == 4
    assert "462822612.dcm: not there" in said[0]
    assert "388811999.dcm" in said[1]
    assert "ends before its last pixel" in said[1]
    assert "99/1.dcm" in said[2]
    assert "test.csv" in said[3]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("patient_id", "../../etc"),
        ("image_id", "1e9"),
        ("cancer", "maybe"),
        ("cancer", ""),
        ("age", "nan years"),
        ("age", "1_0"),
        ("BIRADS", "7"),
        ("density", "E"),
        ("laterality", "B"),
        ("view", "../CC"),
    ],
)
def test_rsna_leaves_out_a_line_that_cannot_be_understood_and_names_it(
    tmp_path: Path, column: str, value: str
) -> None:
    make_rsna(tmp_path)
    changed = list(RSNA_ROWS[0])
    changed[RSNA.index(column)] = value
    table(tmp_path / "train.csv", RSNA, [changed, *RSNA_ROWS[1:]])
    said: list[str] = []
    assert len(index("rsna", tmp_path, said.append)) == 4
    assert "line 2 left out" in said[0]


def test_rsna_takes_png_copies_in_either_form(tmp_path: Path) -> None:
    import PIL.Image
    from dicom_files import phantom_pixels

    table(tmp_path / "train.csv", RSNA, RSNA_ROWS[:2])
    picture = PIL.Image.fromarray(phantom_pixels(*SHAPE, bits=8))
    (tmp_path / "train_images" / "10006").mkdir(parents=True)
    picture.save(tmp_path / "train_images" / "10006" / "462822612.png")
    picture.save(tmp_path / "train_images" / "10006_1459541791.png")
    assert len(index("rsna", tmp_path, quiet)) == 2


def test_rsna_without_its_images_is_one_sentence(tmp_path: Path) -> None:
    table(tmp_path / "train.csv", RSNA, RSNA_ROWS)
    with pytest.raises(TrainerError, match=r"train_images: not there"):
        index("rsna", tmp_path, quiet)


def test_rsna_reads_fifty_thousand_lines_in_seconds(tmp_path: Path) -> None:
    make_rsna(tmp_path)
    others = [(1, 20_000 + n // 4, 10**6 + n, *RSNA_ROWS[0][3:]) for n in range(50_000)]
    table(tmp_path / "train.csv", RSNA, [*others, *RSNA_ROWS])
    said: list[str] = []
    start = time.perf_counter()
    assert len(index("rsna", tmp_path, said.append)) == len(RSNA_ROWS)
    assert time.perf_counter() - start < 20
    assert len(said) == 50_000


# VinDr-Mammo


def test_vindr_gives_birads_density_split_and_boxes_clipped_to_the_image(tmp_path: Path) -> None:
    make_vindr(tmp_path)
    said: list[str] = []
    rows = index("vindr", tmp_path, said.append)
    assert [(row.label, row.density, row.official_split, row.age) for row in rows] == [
        ("birads-4", "C", "train", "53"),
        ("birads-1", "C", "train", "53"),
        ("birads-5", "B", "test", "53"),
    ]
    assert all("no pathology" in row.label_source for row in rows)
    assert rows[0].patient_id == rows[1].patient_id != rows[2].patient_id
    assert rows[0].findings[0].box == (20.25, 10.5, 44.0, 30.0)
    assert rows[1].findings == ()
    both, outside = rows[2].findings
    # -4.5 .. 12 x 80 .. 110.5 in an image of 96 x 64.
    assert both.box == (80.0, 0.0, 96.0, 12.0)
    assert both.label == "Suspicious Calcification"
    assert both.descriptor("categories") == "Suspicious Calcification|Mass"
    assert both.descriptor("BI-RADS") == "5"
    assert outside.box is None
    assert len(said) == 1
    assert "Skin Thickening" in said[0]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "['Mass'",
        "'Mass'",
        "[1]",
        "[]",
        "['a'] * 10**9",
        "(" * 500,
        "[" * 5000,
    ],
)
def test_vindr_never_evaluates_the_categories(text: str) -> None:
    with pytest.raises(ValueError, match="categories"):
        categories_of(text)


def test_vindr_says_which_lines_it_could_not_understand(tmp_path: Path) -> None:
    make_vindr(tmp_path)
    breast, finding = vindr_rows()
    bad = list(breast[1])
    bad[VINDR_BREAST.index("breast_birads")] = "4"
    table(tmp_path / "breast-level_annotations.csv", VINDR_BREAST, [breast[0], bad, breast[2]])
    box = list(finding[0])
    box[VINDR_FINDING.index("xmin")] = "inf"
    table(tmp_path / "finding_annotations.csv", VINDR_FINDING, [box])
    said: list[str] = []
    rows = index("vindr", tmp_path, said.append)
    assert [row.image_id for row in rows] == [IMAGES[0], IMAGES[2]]
    assert not rows[0].located
    assert any("line 2" in sentence and "box" in sentence for sentence in said)
    assert any("line 3 left out" in sentence for sentence in said)


def test_vindr_names_findings_of_an_image_that_the_breast_table_lacks(tmp_path: Path) -> None:
    make_vindr(tmp_path)
    breast, _ = vindr_rows()
    table(tmp_path / "breast-level_annotations.csv", VINDR_BREAST, breast[:2])
    said: list[str] = []
    assert len(index("vindr", tmp_path, said.append)) == 2
    assert any(sentence.startswith(f"{IMAGES[2]}: its findings are left out") for sentence in said)
    assert any(f"{IMAGES[2]}.dicom: left out, it has no row" in sentence for sentence in said)


# INbreast


def test_inbreast_gives_birads_outlines_and_patients_of_the_file_names(tmp_path: Path) -> None:
    make_inbreast(tmp_path)
    rows = index("inbreast", tmp_path, quiet)
    assert [
        (row.image_id, row.patient_id, row.laterality, row.view, row.label, row.density) for row in rows
    ] == [
        ("22614127", "inbreast-f571a3e02ef0a17c", "L", "CC", "birads-2", "3"),
        ("22678622", "inbreast-61b13c59bcba149e", "R", "CC", "birads-4c", "2"),
        ("22678646", "inbreast-61b13c59bcba149e", "L", "MLO", "birads-1", "2"),
    ]
    mass, calcification = rows[1].findings
    # Points (x, y) of 20..35.4 x 30..50.6: edges lie half a pixel beyond the outermost centres.
    assert mass.box == pytest.approx((30.0, 20.0, 51.6, 36.4))
    assert (mass.label, calcification.label) == ("mass", "calcification")
    assert calcification.box == (70.0, 12.0, 71.0, 13.0)
    assert calcification.descriptor("single") == "yes"
    assert rows[0].findings == ()


@pytest.mark.parametrize(
    "text", ["__import__('os')", "(1, 2, 3)", "(1; 2)", "(1e9, 2)", "(nan, 1)", "1, 2", 5]
)
def test_inbreast_reads_points_as_two_numbers_and_never_evaluates_them(text: object) -> None:
    with pytest.raises(ValueError, match="is no point"):
        points_of([text])


def test_inbreast_names_what_does_not_match_and_what_is_broken(tmp_path: Path) -> None:
    home = make_inbreast(tmp_path)
    (home / "AllDICOMs" / "22614127_f571a3e02ef0a17c_MG_L_CC_ANON.dcm").unlink()
    image(home / "AllDICOMs" / "99999999_aaaa_MG_L_CC_ANON.dcm", 7, None, None)
    (home / "AllXML" / "22678646.xml").write_text("<plist><dict>")
    (home / "AllXML" / "11111111.xml").write_bytes(plistlib.dumps({}))
    said: list[str] = []
    rows = index("inbreast", tmp_path, said.append)
    # An image whose outlines cannot be read would count as free of findings.
    assert [row.image_id for row in rows] == ["22678622"]
    text = "\n".join(said)
    for name in ("no DICOM file of image 22614127", "99999999_aaaa", "22678646.xml", "11111111.xml"):
        assert name in text


def test_inbreast_keeps_a_finding_whose_outline_is_nonsense_without_a_place(tmp_path: Path) -> None:
    home = make_inbreast(tmp_path)
    broken = roi("Mass", [(1.0, 2.0)]) | {"Point_px": ["os.system('true')"]}
    outlines = {"Images": [{"ROIs": [broken, roi("Cluster", [(500.0, 500.0), (510.0, 510.0)])]}]}
    (home / "AllXML" / "22678646.xml").write_bytes(plistlib.dumps(outlines))
    said: list[str] = []
    row = index("inbreast", tmp_path, said.append)[2]
    assert [(lesion.label, lesion.box) for lesion in row.findings] == [("mass", None), ("cluster", None)]
    assert any("is no point" in sentence for sentence in said)


def test_inbreast_refuses_outlines_with_entities(tmp_path: Path) -> None:
    home = make_inbreast(tmp_path)
    (home / "AllXML" / "22678646.xml").write_text(
        '<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "aaaa">]><plist><string>&a;</string></plist>'
    )
    said: list[str] = []
    assert len(index("inbreast", tmp_path, said.append)) == 2
    assert "22678646.xml" in said[0]


def test_inbreast_asks_for_the_workbook_as_csv(tmp_path: Path) -> None:
    home = make_inbreast(tmp_path)
    (home / "INbreast.csv").rename(home / "INbreast.xls")
    with pytest.raises(TrainerError, match=r"save this workbook as INbreast\.csv"):
        index("inbreast", tmp_path, quiet)


# CMMD


def test_cmmd_gives_biopsy_of_a_breast_and_calls_the_other_one_normal(tmp_path: Path) -> None:
    make_cmmd(tmp_path)
    rows = index("cmmd", tmp_path, quiet)
    assert [(row.patient_id, row.laterality, row.view, row.label, row.age) for row in rows] == [
        ("D1-0001", "L", "CC", "normal", "44"),
        ("D1-0001", "R", "CC", "benign", "44"),
        ("D1-0001", "R", "MLO", "benign", "44"),
        ("D2-0002", "L", "MLO", "malignant", "51"),
    ]
    assert [lesion.label for lesion in rows[3].findings] == ["mass", "calcification"]
    assert rows[3].findings[0].descriptor("subtype") == "Luminal A"
    assert {row.spacing_mm for row in rows} == {(0.0941, 0.0941)}
    assert len({row.image_id for row in rows}) == 4


def test_cmmd_says_which_patients_and_breasts_do_not_match(tmp_path: Path) -> None:
    make_cmmd(tmp_path)
    table(tmp_path / "CMMD_clinicaldata_revision.csv", CMMD, [
        ("D1-0001", "R", 44, 2, "calcification", "Benign", ""),
        ("D1-0001", "L", 44, 2, "cyst", "Benign", ""),
        ("D1-0009", "L", 44, 2, "mass", "Benign", ""),
    ])  # fmt: skip
    said: list[str] = []
    assert len(index("cmmd", tmp_path, said.append)) == 3
    text = "\n".join(said)
    assert "line 3 left out: 'cyst'" in text
    assert "D2-0002" in text
    assert "D1-0009 L: no image" in text


def test_cmmd_asks_for_the_workbook_as_csv(tmp_path: Path) -> None:
    (tmp_path / "CMMD_clinicaldata_revision.xlsx").write_bytes(b"PK")
    with pytest.raises(TrainerError, match="save this workbook"):
        index("cmmd", tmp_path, quiet)


@pytest.mark.shared_data
def test_the_real_table_of_cmmd_counts_as_documented(shared_data: Path) -> None:
    breasts = read_breasts(shared_data / "cmmd" / "CMMD_clinicaldata_revision.csv", quiet)
    assert sum(map(len, breasts.values())) == 1872
    assert len({patient for patient, _ in breasts}) == 1775
    # Two images of each breast: 2,632 of the images are malignant.
    assert 2 * sum(one["classification"] == "Malignant" for many in breasts.values() for one in many) == 2632


# All


@pytest.mark.parametrize(
    ("name", "make"),
    [("rsna", make_rsna), ("vindr", make_vindr), ("inbreast", make_inbreast), ("cmmd", make_cmmd)],
)
def test_a_manifest_of_each_comes_back_as_it_was_written(tmp_path: Path, name: str, make: object) -> None:
    make(tmp_path / "data")  # type: ignore[operator]
    rows = index(name, tmp_path / "data", lambda sentence: None)
    assert all(row.path.is_absolute() and (row.rows, row.columns) == SHAPE for row in rows)
    write_manifest(rows, tmp_path / "manifest.csv")
    assert read_manifest(tmp_path / "manifest.csv").rows == tuple(rows)


@pytest.mark.parametrize(
    "name", ["rsna", "vindr", "inbreast", "cmmd", "cdd-cesm", "ddsm-tiles", "csv", "coco"]
)
def test_a_wrong_folder_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainerError, match=str(tmp_path)) as told:
        index(name, tmp_path, lambda sentence: None)
    assert "\n" not in str(told.value)

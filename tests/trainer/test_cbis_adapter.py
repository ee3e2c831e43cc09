"""The CBIS-DDSM adapter: its layouts, its tables and their traps, on a miniature and on the real tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from cbis_miniature import CASES, LAYOUTS, SHAPE, Case, make_cbis

from app.core.manifest import Row, read_manifest, write_manifest
from trainer.cbis_files import File, Files, region
from trainer.cbis_tables import Place, in_both_parts, place_of, read_tables
from trainer.datasets import index
from trainer.errors import TrainerError
from trainer.rois import box_of, read_mask
from trainer.splits import make_splits

LEAKING = (
    "P_00016 P_00041 P_00159 P_00394 P_00495 P_00510 P_00591 P_00601 P_00639 P_00652 P_00678 P_00723 P_00753 "
    "P_00882 P_00906 P_00924 P_00969 P_01108 P_01152 P_01179 P_01237 P_01307 P_01365 P_01467 P_01566 P_01605 "
    "P_01621 P_01635 P_01741 P_01803 P_01883"
)
"""The patients who stand in both official parts: ../shared/field/learning.md, D2."""


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row.image_id: row for row in rows}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_images(tmp_path: Path, layout: str) -> None:
    make_cbis(tmp_path, layout)
    rows = index("cbis", tmp_path, lambda sentence: None)
    assert [(row.image_id, row.patient_id, row.laterality, row.view, row.label) for row in rows] == [
        ("P_00001_LEFT_CC", "P_00001", "L", "CC", "malignant"),
        ("P_00001_LEFT_MLO", "P_00001", "L", "MLO", "benign"),
        ("P_00002_RIGHT_CC", "P_00002", "R", "CC", "malignant"),
        ("P_00003_LEFT_CC", "P_00003", "L", "CC", "malignant"),
        ("P_00003_LEFT_MLO", "P_00003", "L", "MLO", "benign"),
        ("P_00004_LEFT_CC", "P_00004", "L", "CC", "malignant"),
    ]
    assert {(row.rows, row.columns) for row in rows} == {SHAPE}
    assert {row.density for row in rows} == {"3"}
    assert all(row.licence.startswith("any: CC BY 3.0") for row in rows)
    assert all(row.label_source.startswith("cbis: pathology") for row in rows)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boxes_are_those_of_the_masks_whichever_file_the_columns_call_the_mask(
    tmp_path: Path, layout: str
) -> None:
    make_cbis(tmp_path, layout)
    rows = by_id(index("cbis", tmp_path, lambda sentence: None))
    found = {
        (row.image_id, lesion.label, lesion.descriptor("abnormality id")): lesion.box
        for row in rows.values()
        for lesion in row.findings
    }
    names = {"mass": "mass", "calc": "calcification"}
    wanted = {
        (f"{case.patient}_{case.side}_{case.view}", names[case.kind], str(case.number)): case.box
        for case in CASES
    }
    assert found.keys() == wanted.keys()
    for key, box in wanted.items():
        # A JPEG copy of a mask may be off by a pixel at its edges.
        assert found[key] == pytest.approx(box, abs=1 if layout == "kaggle" else 0)


def test_the_mask_that_the_manifest_names_is_the_one_of_two_values(tmp_path: Path) -> None:
    paths = make_cbis(tmp_path, "tcia")
    for row in index("cbis", tmp_path, lambda sentence: None):
        for lesion in row.findings:
            assert lesion.mask is not None
            mask = read_mask(Path(lesion.mask), row.rows, row.columns)
            assert mask.shape == SHAPE
            assert Path(lesion.mask) in {
                path.resolve() for (_, role), path in paths.items() if role == "mask"
            }
    row = by_id(index("cbis", tmp_path, lambda sentence: None))["P_00001_LEFT_MLO"]
    assert row.findings[0].mask == str(paths["Mass-Training_P_00001_LEFT_MLO_1", "mask"].resolve())


def test_descriptions_that_name_crop_and_mask_the_wrong_way_round_are_said_and_not_followed(
    tmp_path: Path,
) -> None:
    make_cbis(tmp_path, "nbia", CASES[-1:])
    said: list[str] = []
    row = index("cbis", tmp_path, said.append)[0]
    assert row.findings[0].box == CASES[-1].box
    assert sum("its pixels are a mask's" in sentence for sentence in said) == 1
    assert sum("its pixels are a crop's" in sentence for sentence in said) == 1


def test_a_view_that_stands_there_twice_is_one_image_with_the_lesions_of_both(tmp_path: Path) -> None:
    make_cbis(tmp_path, "tcia")
    row = by_id(index("cbis", tmp_path, lambda sentence: None))["P_00002_RIGHT_CC"]
    assert [(lesion.label, lesion.pathology) for lesion in row.findings] == [
        ("mass", "benign"),
        ("mass", "malignant"),
        ("calcification", "benign"),
    ]
    assert "Mass-Training_P_00002_RIGHT_CC" in str(row.path)
    assert row.findings[0].descriptor("benign by") == "follow-up, without callback"
    assert row.findings[2].descriptor("calc type") == "PLEOMORPHIC"


def test_files_without_patient_and_uids_are_found_by_their_folders_last_digits(tmp_path: Path) -> None:
    make_cbis(tmp_path, "nbia", stripped=True)
    rows = by_id(index("cbis", tmp_path, lambda sentence: None))
    assert len(rows) == 6
    assert rows["P_00003_LEFT_CC"].findings[0].box == (40, 20, 64, 40)
    assert all(row.located for row in rows.values())


def test_the_last_digits_alone_lead_to_files_whose_case_nothing_names(tmp_path: Path) -> None:
    make_cbis(tmp_path, "nbia", CASES[:2], stripped=True)
    for number, folder in enumerate(sorted((tmp_path / "CBIS-DDSM").iterdir())):
        folder.rename(folder.with_name(f"S{number:04d}"))
    rows = index("cbis", tmp_path, quiet)
    assert [row.findings[0].box for row in rows] == [CASES[0].box, CASES[1].box]


def test_the_case_alone_leads_to_files_whose_folders_have_other_names(tmp_path: Path) -> None:
    paths = make_cbis(tmp_path / "data", "nbia", CASES[:2], stripped=True)
    flat = tmp_path / "flat"
    for (case, role), path in paths.items():
        target = flat / case / f"{role}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    for table in (tmp_path / "data").glob("*.csv"):
        table.rename(flat / table.name)
    rows = index("cbis", flat, quiet)
    assert [row.findings[0].box for row in rows] == [CASES[0].box, CASES[1].box]


def test_a_series_with_files_of_two_abnormalities_gives_each_its_own(tmp_path: Path) -> None:
    files = Files()
    for number, box in ((1, (2, 2, 9, 9)), (2, (20, 20, 30, 30))):
        mask = np.zeros(SHAPE, np.uint8)
        mask[box[0] : box[2], box[1] : box[3]] = 255
        path = tmp_path / f"{number}.png"
        PIL.Image.fromarray(mask).save(path)
        case = f"Mass-Training_P_00001_LEFT_CC_{number}"
        files.add(File(path, case, "1.2", "1.2.3", "", "", 8, *SHAPE))
    for number, box in ((1, (2, 2, 9, 9)), (2, (20, 20, 30, 30))):
        case = f"Mass-Training_P_00001_LEFT_CC_{number}"
        found = region(files, (Place(case, "1.2", "1.2.3"),), case, SHAPE)
        assert found.pixels is not None
        assert box_of(found.pixels) == box


def test_kaggles_edition_is_read_without_its_dicom_info_and_said_to_be_lossy(tmp_path: Path) -> None:
    make_cbis(tmp_path, "kaggle", info=False)
    said: list[str] = []
    rows = index("cbis", tmp_path, said.append)
    assert len(rows) == 6
    assert all(row.located for row in rows)
    assert all("lossy 8-bit" in row.vendor for row in rows)
    assert any("lossy 8-bit" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("shape", "flagged"),
    [((60, 40), False), ((120, 80), False), ((240, 163), False), ((120, 76), True)],
    ids=["half", "same", "ratios 2 and 2.04", "narrower"],
)
def test_a_mask_of_another_size_is_brought_to_the_views_and_flagged_if_its_shape_differs(
    tmp_path: Path, shape: tuple[int, int], flagged: bool
) -> None:
    case = replace(CASES[0], mask_shape=shape, box=(10, 10, 40, 30))
    make_cbis(tmp_path, "tcia", (case,))
    said: list[str] = []
    row = index("cbis", tmp_path, said.append)[0]
    down, across = SHAPE[0] / shape[0], SHAPE[1] / shape[1]
    assert row.findings[0].box == pytest.approx((10 * down, 10 * across, 40 * down, 30 * across))
    mask = read_mask(Path(str(row.findings[0].mask)), *SHAPE)
    assert np.flatnonzero(mask.any(axis=1))[[0, -1]].tolist() == [round(10 * down), round(40 * down) - 1]
    words = [sentence for sentence in said if ".csv" not in sentence]
    assert any("brought to the view's size" in word for word in words) == (shape != SHAPE)
    assert any("LOOK AT IT" in word for word in words) == flagged


def test_a_patient_in_both_official_parts_is_named_and_strict_takes_her_out_of_training(
    tmp_path: Path,
) -> None:
    more = tuple(Case("mass", "train", f"P_0010{n}", "LEFT", "CC") for n in range(6))
    make_cbis(tmp_path / "data", "tcia", CASES + more)
    said: list[str] = []
    rows = index("cbis", tmp_path / "data", said.append)
    assert any("1 patient(s) stand" in sentence and "P_00003" in sentence for sentence in said)
    manifest = read_manifest(write_manifest(rows, tmp_path / "manifest.csv").path)
    assert manifest.rows == tuple(rows)
    with pytest.raises(TrainerError, match="puts 1 patients"):
        make_splits(manifest, official="yes")
    fold = make_splits(manifest, official="strict").folds[0]
    assert fold.test == ("P_00003", "P_00004")
    assert "P_00003" not in (*fold.train, *fold.val)


def test_the_same_view_in_both_official_parts_counts_as_both_and_is_only_tested(tmp_path: Path) -> None:
    cases = (
        Case("mass", "test", "P_00016", "LEFT", "CC"),
        Case("calc", "train", "P_00016", "LEFT", "CC", 2),
        *(Case("mass", "train", f"P_0010{n}", "LEFT", "CC") for n in range(6)),
    )
    make_cbis(tmp_path / "data", "tcia", cases)
    rows = index("cbis", tmp_path / "data", lambda sentence: None)
    assert rows[0].official_split == "train test"
    manifest = write_manifest(rows, tmp_path / "manifest.csv")
    with pytest.raises(TrainerError, match="puts 1 patients"):
        make_splits(manifest, official="yes")
    assert make_splits(manifest, official="strict").folds[0].test == ("P_00016",)


def test_tables_beside_thousands_of_case_folders_are_found(tmp_path: Path) -> None:
    make_cbis(tmp_path, "tcia", CASES[:1])
    for number in range(3000):
        (tmp_path / f"Calc-Training_P_{number:05d}_LEFT_CC").mkdir()
    (tmp_path / "tables").mkdir()
    for table in tmp_path.glob("*.csv"):
        table.rename(tmp_path / "tables" / table.name)
    assert len(index("cbis", tmp_path, quiet)) == 1


def test_what_is_missing_cut_off_or_foreign_is_named(tmp_path: Path) -> None:
    paths = make_cbis(tmp_path, "tcia")
    paths["Mass-Training_P_00001_LEFT_MLO", "full"].unlink()
    paths["Mass-Training_P_00001_LEFT_CC_1", "mask"].unlink()
    cut = paths["Mass-Test_P_00003_LEFT_CC", "full"]
    cut.write_bytes(cut.read_bytes()[:-500])
    broken = paths["Calc-Training_P_00003_LEFT_MLO_1", "mask"]
    broken.write_bytes(broken.read_bytes()[:-500])
    (tmp_path / "notes.dcm").write_bytes(b"no DICOM at all")
    said: list[str] = []
    rows = by_id(index("cbis", tmp_path, said.append))
    assert set(rows) == {"P_00001_LEFT_CC", "P_00002_RIGHT_CC", "P_00003_LEFT_MLO", "P_00004_LEFT_CC"}
    text = "\n".join(said)
    assert "no whole view of P_00001 LEFT MLO" in text
    assert "Mass-Training_P_00001_LEFT_CC_1: no mask" in text
    assert str(cut.resolve()) in text
    assert str(broken) in text
    assert "notes.dcm" in text
    assert not rows["P_00001_LEFT_CC"].located
    assert not rows["P_00003_LEFT_MLO"].located
    # The crop of the view that is not there belongs to nothing.
    assert str(paths["Mass-Training_P_00001_LEFT_MLO_1", "crop"]) in text


def test_renamed_columns_and_backslashes_of_a_re_upload_are_understood(tmp_path: Path) -> None:
    make_cbis(tmp_path, "tcia", CASES[:2])
    table = tmp_path / "mass_case_description_train_set.csv"
    text = table.read_text().replace("/", "\\")
    for name, other in (
        ("left or right breast", "side"),
        ("image view", "view"),
        ("abnormality id", "abn_num"),
        ("cropped image file path", "od_crop_path"),
        ("ROI mask file path", "mask_path"),
        ("image file path", "od_img_path"),
    ):
        text = text.replace(name, other)
    table.write_text(text)
    rows = index("cbis", tmp_path, lambda sentence: None)
    assert [row.findings[0].box for row in rows] == [CASES[0].box, CASES[1].box]


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        (",MALIGNANT,", ",PERHAPS,", "pathology"),
        ("P_00001,3", "P_00001,three", "breast density"),
        ("P_00001,3", "../P_1,3", "patient id"),
        (",LEFT,CC,1,", ",LEFT,CC,1_0,", "abnormality id"),
        (",LEFT,CC,1,", ",UP,CC,1,", "laterality"),
    ],
)
def test_a_row_that_cannot_be_understood_is_named_and_the_others_stay(
    tmp_path: Path, good: str, bad: str, word: str
) -> None:
    make_cbis(tmp_path, "tcia", CASES[:2])
    table = tmp_path / "mass_case_description_train_set.csv"
    text = table.read_text()
    assert good in text
    table.write_text(text.replace(good, bad, 1))
    said: list[str] = []
    assert [row.view for row in index("cbis", tmp_path, said.append)] == ["MLO"]
    assert any("line 3" in sentence and word in sentence for sentence in said)


def test_a_path_that_climbs_out_of_the_folder_leads_nowhere() -> None:
    assert place_of("../../etc/passwd") is None
    place = place_of("Mass-Training_P_00001_LEFT_CC/../../x/000000.dcm")
    assert place is not None
    assert (place.case, place.series) == ("Mass-Training_P_00001_LEFT_CC", "")


def test_without_a_table_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="none of the tables of CBIS-DDSM"):
        index("cbis", tmp_path, quiet)


@pytest.mark.shared_data
def test_the_real_tables_count_as_documented(shared_data: Path) -> None:
    entries = read_tables(shared_data / "cbis", quiet)
    assert len(entries) == 3568
    assert len({entry.patient for entry in entries}) == 1566
    # 3,032 distinct views of 3,103 listed: 71 have a copy with masses and one with calcifications.
    assert len({entry.key for entry in entries}) == 3032
    assert len({(entry.kind, entry.part, entry.key) for entry in entries}) == 3103
    counts = {}
    for kind, part in (
        ("mass", "train"),
        ("mass", "test"),
        ("calcification", "train"),
        ("calcification", "test"),
    ):
        one = [entry for entry in entries if (entry.kind, entry.part) == (kind, part)]
        counts[kind, part] = (len(one), len({e.patient for e in one}), len({e.image.case for e in one}))
    assert counts == {
        ("mass", "train"): (1318, 691, 1231),
        ("mass", "test"): (378, 201, 361),
        ("calcification", "train"): (1546, 602, 1227),
        ("calcification", "test"): (326, 151, 284),
    }
    test_mass = Counter(e.pathology for e in entries if (e.kind, e.part) == ("mass", "test"))
    assert test_mass == {"malignant": 147, "benign": 194 + 37}
    assert sum(entry.density == "" for entry in entries) == 2


@pytest.mark.shared_data
def test_the_31_patients_who_leak_are_found_and_no_kind_leaks_alone(shared_data: Path) -> None:
    entries = read_tables(shared_data / "cbis", quiet)
    assert " ".join(in_both_parts(entries)) == LEAKING
    for kind in ("mass", "calcification"):
        assert in_both_parts(entry for entry in entries if entry.kind == kind) == ()
    parts: dict[tuple[str, str, str], set[str]] = {}
    for entry in entries:
        parts.setdefault(entry.key, set()).add(entry.part)
    both = [key for key, named in parts.items() if len(named) == 2]
    assert len(both) == 29
    breasts: dict[tuple[str, str], set[str]] = {}
    for entry in entries:
        breasts.setdefault(entry.key[:2], set()).add(entry.part)
    assert sum(len(named) == 2 for named in breasts.values()) == 19


@pytest.mark.shared_data
def test_the_loose_files_of_the_real_set_are_found_by_their_names(shared_data: Path) -> None:
    said: list[str] = []
    rows = by_id(index("cbis", shared_data / "cbis", said.append))
    assert set(rows) == {
        "P_00016_LEFT_CC", "P_00041_LEFT_CC", "P_00041_LEFT_MLO", "P_00116_RIGHT_MLO",
        "P_00127_RIGHT_CC", "P_00127_RIGHT_MLO", "P_00202_RIGHT_CC", "P_00202_RIGHT_MLO",
    }  # fmt: skip
    assert sum("no whole view" in sentence for sentence in said) == 3032 - 8
    # Crops without masks: the lesions have no place.
    assert not any(row.located for row in rows.values())
    assert rows["P_00116_RIGHT_MLO"].official_split == "test"

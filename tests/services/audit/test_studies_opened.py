"""An audit of studies that are open in the reading window: the rows of a folder of the same files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_mg

from app.core.audit.kept import KeptAnswers
from app.core.dicom.finder import find
from app.core.errors import MammoviewError
from app.core.imaging.image import Collection, Study
from app.services.assign import assigned, replaced
from app.services.audit.loading import Loaded, Wanted, load
from app.services.worklist import holding, studies_of

VISITS = (("ann", "2026"), ("ann", "2024"), ("eve", "2026"))
WITHOUT_TRUTH = "Nothing is known of what is true: outcomes, curves and the matrix stay empty."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two views of each visit, and two films that name side and view but no person."""
    made = tmp_path / "images"
    made.mkdir()
    for patient, year in VISITS:
        for side in "LR":
            name = f"{patient}-{year}-{side}"
            write_mg(
                made / f"{name}.dcm", np.full((64, 64), 900, np.uint16), laterality=side, view="CC",
                orientation=("A", "R") if side == "L" else ("P", "L"), PatientID=patient, PatientName=patient,
                StudyInstanceUID=f"1.2.{VISITS.index((patient, year)) + 1}", StudyDate=f"{year}0301",
            )  # fmt: skip
    for side in "LR":
        cv2.imwrite(str(made / f"film_{side}MLO.png"), np.full((96, 64), 90, np.uint8))
    return made


@pytest.fixture
def said(folder: Path, tmp_path: Path) -> Path:
    """A prediction file of every image."""
    views = [
        {"sop_uid": "", "path": str(path), "model": "m", "laterality": None, "view": None, "heatmap": None,
         "status": "scored", "score": 0.5, "reason": None, "notes": [], "findings": []}
        for path in sorted(folder.iterdir())
    ]  # fmt: skip
    model = {"name": "m", "version": "1", "outputs": {"score": {"of": "x"}}}
    study = {"study_uid": "", "status": "partial", "breasts": {}, "exam_score": None, "views": views}
    content = {"format": "mammoview-prediction", "version": 1, "models": [model], "studies": [study]}
    (tmp_path / "said.json").write_text(json.dumps(content))
    return tmp_path / "said.json"


def opened(tmp_path: Path, wanted: Wanted) -> Loaded:
    kept = KeptAnswers(tmp_path / "kept.sqlite")
    try:
        return load(wanted, kept, lambda done, total: None)
    finally:
        kept.close()


def listed(collection: Collection, patient: str) -> tuple[Study, ...]:
    return tuple(study for study in studies_of(collection) if study.patient.id == patient)


def test_all_listed_studies_are_the_rows_of_their_folder(folder: Path, said: Path, tmp_path: Path) -> None:
    studies = studies_of(find([folder]))
    as_folder = opened(tmp_path, Wanted((folder,), predictions=(said,)))
    as_list = opened(tmp_path, Wanted(predictions=(said,), studies=studies))
    assert as_list.table.rows == as_folder.table.rows
    exams: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row in as_list.table.rows:
        exams.setdefault((row.patient_id, row.study_id), set()).add((row.laterality, row.view))
    pair, films = {("L", "CC"), ("R", "CC")}, {("L", "MLO"), ("R", "MLO")}
    assert sorted(map(sorted, exams.values())) == sorted(map(sorted, [pair, pair, pair, films]))
    assert len({patient for patient, _ in exams}) == 3, "two visits of Ann are one patient's"
    assert (as_list.title, as_list.path) == ("4 studies", folder)
    assert as_list.notes == as_folder.notes == (WITHOUT_TRUTH,)


def test_of_two_studies_that_are_selected_only_their_rows_come(
    folder: Path, said: Path, tmp_path: Path
) -> None:
    anns = listed(find([folder]), "ann")
    table = opened(tmp_path, Wanted(predictions=(said,), studies=anns)).table
    every = opened(tmp_path, Wanted((folder,), predictions=(said,))).table.rows
    assert table.rows == tuple(row for row in every if row.path.name.startswith("ann"))
    assert len(table) == 4


def test_what_the_reader_said_by_hand_goes_before_the_file(folder: Path, said: Path, tmp_path: Path) -> None:
    collection = find([folder])
    image = listed(collection, "eve")[0].images[0]
    amended = replaced(collection, {image.key: assigned(image, image.laterality, "ML")})
    rows = opened(tmp_path, Wanted(predictions=(said,), studies=studies_of(amended))).table.rows
    assert {row.view for row in rows if row.path == image.path} == {"ML"}
    plain = opened(tmp_path, Wanted((folder,), predictions=(said,))).table.rows
    others = [row for row in plain if row.path != image.path]
    assert [row for row in rows if row.path != image.path] == others


def test_files_that_are_gone_are_left_out_and_that_is_said(folder: Path, said: Path, tmp_path: Path) -> None:
    studies = studies_of(find([folder]))
    (folder / "eve-2026-L.dcm").unlink()
    made = opened(tmp_path, Wanted(predictions=(said,), studies=studies))
    assert len(made.table) == 7
    assert any(
        note.startswith("1 image was left out: its file can no longer be read (eve-2026-L.dcm: ")
        for note in made.notes
    )
    for path in folder.iterdir():
        path.unlink()
    with pytest.raises(MammoviewError, match="cannot be read"):
        opened(tmp_path, Wanted(predictions=(said,), studies=studies))


def test_a_study_is_known_by_the_files_it_holds(folder: Path) -> None:
    studies = studies_of(find([folder]))
    for study in studies:
        assert holding(studies, [image.path for image in study.images]) is study
    one = replace(studies[0], images=studies[0].images[:1])
    assert holding((one,), [image.path for image in studies[0].images]) is None
    assert holding(studies, [folder / "elsewhere.dcm"]) is None

"""Answers kept on disk, and prediction files read back."""

from __future__ import annotations

import json
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest
from made_cases import box, row

from app.core.audit.cases import ViewSaid
from app.core.audit.kept import ExamRecord, KeptAnswers, exam_key, failed_record
from app.core.audit.prediction_files import join, read_predictions, rows_of
from app.core.errors import ReadError

ROWS = [row(k) for k in range(4)]
RECORD = ExamRecord(
    (
        ViewSaid(
            "scored", "", 0.25, (box(0.5, (1.0, 2.0, 3.0, 4.0)),), ("note",), {"fatty": 0.75, "dense": 0.25}
        ),
        ViewSaid("failed", "torn"),
    ),
    ("1.2", ""),
    "partial",
    {"L": 0.25, "R": None},
    None,
    ("remark",),
)


def test_answers_come_back_by_bundle_and_exam(tmp_path: Path) -> None:
    file = KeptAnswers(tmp_path / "sub" / "p.sqlite")
    assert file.find("b1", ["e1"]) == {}
    file.keep("b1", [("e1", RECORD), ("e2", failed_record(2, "no"))])
    file.close()
    again = KeptAnswers(file.path)
    assert again.find("b1", ["e1", "e3"]) == {"e1": RECORD}
    assert again.find("b2", ["e1"]) == {}
    again.close()


def test_an_exam_is_another_one_where_its_files_or_stated_facts_are() -> None:
    key = exam_key(ROWS)
    assert (
        exam_key([replace(one, path=Path("/moved") / one.path.name, label="benign") for one in ROWS]) == key
    )
    assert exam_key([replace(ROWS[0], sha256="ff"), *ROWS[1:]]) != key
    assert exam_key([replace(ROWS[0], laterality="R"), *ROWS[1:]]) != key
    assert exam_key([replace(ROWS[0], frame=1), *ROWS[1:]]) != key
    assert exam_key([replace(ROWS[0], label_source="mias: x"), *ROWS[1:]]) != key
    assert exam_key(ROWS[:3]) != key


def test_one_damaged_answer_is_asked_for_again(tmp_path: Path) -> None:
    file = KeptAnswers(tmp_path / "p.sqlite")
    file.keep("b", [("e1", RECORD), ("e2", RECORD)])
    file.close()
    with sqlite3.connect(file.path) as other:
        other.execute("UPDATE answers SET said = '{\"torn' WHERE exam = 'e1'")
    assert set(KeptAnswers(file.path).find("b", ["e1", "e2"])) == {"e2"}


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to be looked at" * 30, b"SQLite format 3\0"]
)
def test_a_file_that_is_none_of_ours_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p.sqlite"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"p\.sqlite"):
        KeptAnswers(path).keep("b", [("e", RECORD)])
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE letters (a)")
    with pytest.raises(ReadError, match="left as it is"):
        KeptAnswers(path).find("b", ["e"])


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_answers_are_for_their_owner_s_eyes_only(tmp_path: Path) -> None:
    file = KeptAnswers(tmp_path / "p.sqlite")
    file.keep("b", [("e", RECORD)])
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    file.close()


def test_windows_that_make_the_file_at_the_same_moment_all_use_it(tmp_path: Path) -> None:
    for turn in range(40):
        path = tmp_path / f"{turn}.sqlite"
        together = Barrier(3)

        def keep(bundle: str, path: Path = path, together: Barrier = together) -> None:
            file = KeptAnswers(path)
            together.wait(20)
            file.keep(bundle, [("e", RECORD)])
            file.close()

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(keep, ("a", "b", "c")))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM answers").fetchone() == (3,)


def test_a_full_disk_is_a_sentence_and_what_was_kept_stays(tmp_path: Path) -> None:
    file = KeptAnswers(tmp_path / "p.sqlite")
    file.keep("b", [("e1", RECORD)])
    assert file._connection is not None
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages}")
    long = replace(RECORD, remarks=("x" * 100_000,))
    with pytest.raises(ReadError, match="the disk is full"):
        file.keep("b", [("e2", long)])
    assert set(KeptAnswers(file.path).find("b", ["e1", "e2"])) == {"e1"}


def document(*views: dict, **more) -> dict:
    return {
        "format": "mammoview-prediction",
        "version": 1,
        "models": [
            {
                "name": "m",
                "version": "2",
                "outputs": {"score": {"of": "x", "prevalence": 0.1, "calibrated": True}},
            }
        ],
        "studies": [
            {
                "study_uid": "1.9", "status": "complete", "breasts": {"L": 0.4, "R": None}, "exam_score": 0.4,
                "suitability": [], "views": list(views),
                "by_model": [
                    {"model": "m", "status": "complete", "breasts": {"L": 0.4, "R": None}, "exam_score": 0.4}
                ],
            }
        ],
        **more,
    }  # fmt: skip


def view(number: int, **more) -> dict:
    return {
        "sop_uid": f"1.2.{number}", "path": f"/data/{number}.dcm", "model": "m", "laterality": "L",
        "view": "CC",
        "status": "scored", "reason": None, "score": 0.4, "heatmap": None, "notes": [],
        "findings": [{"label": "mass", "score": 0.5, "calibrated": False, "frame": 0, "box": [1, 2, 3, 4]}],
        **more,
    }  # fmt: skip


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "out.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_prediction_file_joins_its_images_by_path_or_uid(tmp_path: Path) -> None:
    rows = [ROWS[0], replace(ROWS[2], image_id="1.2.7"), ROWS[3]]
    found = join(
        read_predictions(written(tmp_path, document(view(0), view(7, path="/gone.dcm", score=0.2)))), rows
    )
    (answers,) = found.answers
    assert (answers.model.name, answers.model.version, answers.model.calibrated) == ("m", "2", True)
    assert list(answers.score[:2]) == [0.4, 0.2]
    assert list(answers.status) == [1, 1, 0]
    assert list(answers.breast[:2]) == [0.4, 0.4]
    assert answers.boxes(0)[0].box == (1.0, 2.0, 3.0, 4.0)
    assert found.notes == ("out.json: 1 of 3 images have no prediction in it.",)


def test_predictions_of_another_manifest_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, document(view(77), view(78)))
    with pytest.raises(ReadError, match="of another manifest: none of its 2 images"):
        join(read_predictions(path), ROWS)


def test_some_strange_images_are_counted(tmp_path: Path) -> None:
    found = join(read_predictions(written(tmp_path, document(view(0), view(78)))), ROWS[:1])
    assert found.notes == ("out.json: 1 of its images are not among the 1 that are audited; left out.",)


def test_predictions_alone_are_cases_without_truth(tmp_path: Path) -> None:
    rows = rows_of(read_predictions(written(tmp_path, document(view(0), view(1)))))
    assert [one.image_id for one in rows] == ["1.2.0", "1.2.1"]
    assert {one.label for one in rows} == {""}
    assert len({(one.patient_id, one.study_id) for one in rows}) == 1


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("{", "no JSON"),
        ("[]", "no predictions"),
        ({"format": "mammoview-info", "version": 1}, "no predictions"),
        (document(version=2), "of version 2"),
        (document(view(0, status="great")), "cannot be understood"),
        (document(view(0, score=None)), "cannot be understood"),
        (document(view(0, score="0.4")), "cannot be understood"),
        (document(models="none"), "cannot be understood"),
    ],
)
def test_what_is_no_prediction_file_is_one_sentence(tmp_path: Path, content: object, word: str) -> None:
    with pytest.raises(ReadError, match=word) as told:
        read_predictions(written(tmp_path, content))
    assert "out.json" in str(told.value)


def test_a_missing_prediction_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="cannot be read"):
        read_predictions(tmp_path / "none.json")

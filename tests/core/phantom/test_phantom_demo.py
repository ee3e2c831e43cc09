"""The demo exam: known lesions, made once, all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest

from app.core.errors import MammoviewError
from app.core.phantom.demo import demo_exam

SMALL = (352, 256)


def test_the_demo_has_a_mass_on_the_right_and_calcifications_on_the_left(tmp_path: Path) -> None:
    demo = demo_exam(tmp_path / "demo", shape=SMALL)
    truth = json.loads(demo.truth.read_text(encoding="utf-8"))
    seen = {
        entry["laterality"] + entry["view"]: [finding["kind"] for finding in entry["findings"]]
        for entry in truth["views"]
    }
    assert seen == {"RCC": ["mass"], "RMLO": ["mass"], "LCC": ["calc"], "LMLO": ["calc"]}
    headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in demo.current + demo.prior]
    assert len({ds.PatientID for ds in headers}) == 1
    now, then = headers[0].StudyDate, headers[4].StudyDate
    assert int(now) - int(then) == 20000, "twenty-four months, as YYYYMMDD"


def test_a_demo_that_is_there_is_kept(tmp_path: Path) -> None:
    first = demo_exam(tmp_path / "demo", shape=SMALL)
    written = first.current[0].stat().st_mtime_ns
    assert demo_exam(tmp_path / "demo", shape=SMALL).current[0].stat().st_mtime_ns == written
    assert [path.name for path in tmp_path.iterdir()] == ["demo"], "nothing is left beside it"


def test_a_demo_of_another_version_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "demo.json").write_text('{"format": "mammoview-demo", "version": 0}', encoding="utf-8")
    (folder / "old.dcm").write_bytes(b"old")
    demo = demo_exam(folder, shape=SMALL)
    assert demo.current[0].is_file()
    assert not (folder / "old.dcm").exists()


def test_other_peoples_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(MammoviewError, match="in the way"):
        demo_exam(tmp_path, shape=SMALL)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"

"""`mammoview info`: the document other programs read."""

from __future__ import annotations

import json

import pytest
from dicom_files import write_four_views, write_mg

from app.cli import main


def test_info_names_patient_study_and_four_views(tmp_path, capsys):
    write_four_views(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing to see")
    assert main(["info", str(tmp_path), "--json"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["format"], document["version"]) == ("mammoview-info", 1)
    (patient,) = document["patients"]
    (study,) = patient["studies"]
    assert patient["id"] == "P-1"
    assert study["date"] == "2024-03-05"
    assert sorted((i["laterality"], i["view"], i["label"]) for i in study["images"]) == [
        ("L", "CC", "LCC"),
        ("L", "MLO", "LMLO"),
        ("R", "CC", "RCC"),
        ("R", "MLO", "RMLO"),
    ]
    assert {tuple(i["spacing_mm"]) for i in study["images"]} == {(0.1, 0.1)}
    assert {i["spacing_basis"] for i in study["images"]} == {"at detector"}
    assert {(i["rows"], i["columns"], i["frames"]) for i in study["images"]} == {(96, 64, 1)}
    assert [item["path"].endswith("notes.txt") for item in document["left_out"]] == [True]
    assert err == ""


def test_magnified_spacing_is_divided_by_the_factor(tmp_path, capsys):
    write_mg(tmp_path / "m.dcm", EstimatedRadiographicMagnificationFactor=1.8)
    main(["info", str(tmp_path / "m.dcm"), "--json"])
    (image,) = json.loads(capsys.readouterr().out)["patients"][0]["studies"][0]["images"]
    assert image["spacing_mm"] == pytest.approx([0.1 / 1.8, 0.1 / 1.8])


def test_nothing_readable_is_exit_1_with_the_json_still_written(tmp_path, capsys):
    (tmp_path / "a.dcm").write_text("this is text")
    assert main(["info", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["patients"] == []
    assert len(err.strip().splitlines()) == 1
    assert "a.dcm" in err


def test_missing_path_is_one_sentence(tmp_path, capsys):
    assert main(["info", str(tmp_path / "absent")]) == 1
    err = capsys.readouterr().err
    assert "absent" in err
    assert len(err.strip().splitlines()) == 1


def test_unknown_option_is_usage(capsys):
    assert main(["info", "--nonsense", "x"]) == 2

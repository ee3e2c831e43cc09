"""The command-line contract of DESIGN.md: 0 done, 1 the work could not be done with one line, 2 usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.cli import main
from trainer import cli as trainer

USAGE = {
    "render without a file": ["render"],
    "render without an output": ["render", "a.dcm"],
    "render with both a VOI and a window": [
        "render",
        "a.dcm",
        "-o",
        "b.png",
        "--voi",
        "1",
        "--window",
        "1",
        "2",
    ],
    "render with half a window": ["render", "a.dcm", "-o", "b.png", "--window", "1"],
    "render with a function that is none": [
        *("render", "a.dcm", "-o", "b.png", "--window", "1", "2", "--function", "CUBIC"),
    ],
    "render with a VOI that is no number": ["render", "a.dcm", "-o", "b.png", "--voi", "first"],
    "render with an unknown option": ["render", "a.dcm", "-o", "b.png", "--nonsense"],
    "info without a path": ["info"],
    "snapshot without an output": ["snapshot", "folder"],
    "snapshot with a size that is none": ["snapshot", "folder", "-o", "a.png", "--size", "large"],
    "predict without a path": ["predict", "-o", "a.json"],
    "predict without an output": ["predict", "folder"],
    "predict on a device that is none": ["predict", "folder", "-o", "a.json", "--device", "tpu"],
    "models with a word that is none": ["models", "polish"],
}

IMPOSSIBLE = {
    "render of a missing file": ["render", "missing.dcm", "-o", "out.png"],
    "render of a folder": ["render", ".", "-o", "out.png"],
    "render of a file that is no image": ["render", "notes.dcm", "-o", "out.png"],
    "render of an empty file": ["render", "empty.dcm", "-o", "out.png"],
    "predict on a missing folder": ["predict", "missing", "-o", "out.json"],
    "predict with an unknown model": ["predict", ".", "-o", "out.json", "--model", "no-such-model"],
    "models show of an unknown model": ["models", "show", "no-such-model"],
    "models install of a missing folder": ["models", "install", "missing"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that holds only files that are no images."""
    (tmp_path / "notes.dcm").write_text("this is a text\n")
    (tmp_path / "empty.dcm").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("words", USAGE.values(), ids=USAGE)
def test_wrong_usage_is_exit_code_2(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage:" in said.err


@pytest.mark.parametrize("words", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_work_that_cannot_be_done_is_exit_code_1_and_one_line(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert not (folder / "out.png").exists()


def test_info_of_a_folder_without_images_is_exit_code_1_but_the_json_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", ".", "--json"]) == 1
    said = capsys.readouterr()
    record = json.loads(said.out)
    assert (record["format"], record["version"], record["patients"]) == ("mammoview-info", 1, [])
    assert {Path(entry["path"]).name for entry in record["left_out"]} == {"notes.dcm", "empty.dcm"}
    assert said.err.count("\n") == 1


@pytest.mark.parametrize("words", [["--help"], ["render", "--help"], ["info", "--help"], ["--version"]])
def test_asking_for_help_is_exit_code_0(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("words", [["no-such-command"], [], ["fit"], ["index", "mias"]])
def test_wrong_usage_of_the_trainer_is_exit_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert trainer.main(words) == 2
    assert "usage:" in capsys.readouterr().err

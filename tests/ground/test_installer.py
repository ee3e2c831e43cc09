"""The installer ships what it may, with licences, and is good only when the frozen program says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

import build_installer
from installer.licences import write_licences

unix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in program is a shell script")


def bundle(folder: Path, name: str, use: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "bundle.json").write_text(json.dumps({"licence": {"name": "x", "use": use}}))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-in programs take no pictures."""
    monkeypatch.setattr(build_installer, "compare_windows", lambda folder, scratch: None)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    bundle(tmp_path / "bundles", "free", "any")
    bundle(tmp_path / "bundles", "scholar", "research")
    (tmp_path / "bundles" / "notes").mkdir()
    return tmp_path / "bundles"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_research_models_stay_out_unless_asked_for(bundles: Path) -> None:
    chosen, left_out = build_installer.choose_bundles(bundles, research=False)
    assert ([b.name for b in chosen], [b.name for b in left_out]) == (["free"], ["scholar"])
    chosen, left_out = build_installer.choose_bundles(bundles, research=True)
    assert ([b.name for b in chosen], left_out) == (["free", "scholar"], [])


def test_a_model_without_a_readable_licence_stops_the_build(bundles: Path) -> None:
    (bundles / "free" / "bundle.json").write_text("{}")
    with pytest.raises(build_installer.BuildError, match="licence"):
        build_installer.choose_bundles(bundles, research=False)


@unix
def test_a_build_whose_self_test_fails_is_not_good(tmp_path: Path) -> None:
    folder = tmp_path / "mammoview"
    program(folder, "mammoview", "echo 'mammoview: self-test: 1 failed' >&2; exit 1")
    program(folder, "mammoview-trainer", "exit 0")
    with pytest.raises(build_installer.BuildError, match="self-test: 1 failed"):
        build_installer.check(folder)
    assert (folder / "mammoview").exists(), "the folder is put back"


@unix
def test_a_build_whose_trainer_does_not_start_is_not_good(tmp_path: Path) -> None:
    folder = tmp_path / "mammoview"
    program(folder, "mammoview", "exit 0")
    program(folder, "mammoview-trainer", "exit 3")
    with pytest.raises(build_installer.BuildError, match="mammoview-trainer --help ended with exit code 3"):
        build_installer.check(folder)


@unix
@pytest.mark.usefixtures("no_pictures")
def test_the_frozen_program_is_checked_far_from_this_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    folder = tmp_path / "mammoview"
    program(folder, "mammoview", 'echo "$0|$PYTHONPATH$VIRTUAL_ENV|$QT_QPA_PLATFORM|$*"')
    program(folder, "mammoview-trainer", "exit 0")
    build_installer.check(folder)
    where, environment, platform, words = capfd.readouterr().out.strip().split("|")
    assert Path(where).parent != folder
    assert (environment, platform, words) == ("", "offscreen", "self-test")


def test_the_licence_texts_of_all_packages_are_written(root: Path, tmp_path: Path) -> None:
    count = write_licences(tmp_path / "licenses", root / "installer" / "licenses")
    overview = (tmp_path / "licenses" / "OVERVIEW.txt").read_text(encoding="utf-8")
    assert overview.count("\n") > count > 20
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in (
        tmp_path / "licenses" / "pyside6_essentials" / "LGPL-3.0.txt"
    ).read_text(encoding="utf-8")
    for package in ("torch", "numpy", "pydicom", "mammoview"):
        assert any((tmp_path / "licenses" / package).iterdir()), package


@unix
def test_a_build_whose_window_lacks_something_is_not_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = Image.new("L", (1600, 900), 20)
    other = taken.copy()
    other.putpixel((600, 20), 200)
    taken.save(tmp_path / "taken.png")
    other.save(tmp_path / "other.png")
    folder = tmp_path / "deeper" / "mammoview"
    program(folder, "mammoview", f'for last; do :; done; cp "{tmp_path}/other.png" "$last"')
    program(folder, "installed", f'for last; do :; done; cp "{tmp_path}/taken.png" "$last"')
    monkeypatch.setattr(build_installer.sys, "executable", str(folder / "installed"))
    with pytest.raises(build_installer.BuildError, match="differs in 1 pixels"):
        build_installer.compare_windows(folder, folder.parent)

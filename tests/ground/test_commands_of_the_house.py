"""The make file, CI's script and set-up: what a person or a machine types first."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_scripts_may_be_executed(root: Path) -> None:
    for script in (".ci/run", "scripts/setup.sh"):
        assert os.access(root / script, os.X_OK), script


def test_ci_calls_the_test_command_of_the_readme_and_requires_the_judges(root: Path) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert "export REQUIRE_JUDGES=1\nmake test" in script
    assert "set -euo pipefail" in script


@pytest.mark.parametrize("script", [".ci/run", "scripts/setup.sh", "scripts/tour.sh"])
def test_the_shell_understands_the_scripts(root: Path, script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"
    assert run(shell, "-n", script, cwd=root).stderr == ""


@pytest.mark.parametrize("target", ["demo", "test", "lint", "screenshots", "installer", "clean"])
def test_every_make_target_is_there(root: Path, target: str) -> None:
    assert run("make", "--dry-run", target, cwd=root).returncode == 0


def test_the_tour_of_mini_mias_is_left_out_with_a_sentence_where_the_set_is_missing(
    root: Path, tmp_path: Path
) -> None:
    done = run("sh", "scripts/tour.sh", str(tmp_path / "out"), cwd=root, MINI_MIAS=str(tmp_path / "none"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "is left out" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [(), ("",)])
def test_the_tour_of_mini_mias_asks_for_a_folder_in_one_sentence(
    root: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = run("sh", "scripts/tour.sh", *words, cwd=root, MINI_MIAS=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "name the folder" in done.stderr


def test_the_folders_of_the_tour_are_those_of_who_calls_it(root: Path, tmp_path: Path) -> None:
    house, here = tmp_path / "house", tmp_path / "a here"
    (here / "set").mkdir(parents=True)
    for name in ("mammoview-trainer", "mammoview"):
        program = house / ".venv" / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
        program.chmod(0o755)
    (house / "scripts").mkdir()
    (house / "scripts" / "tour.sh").write_bytes((root / "scripts" / "tour.sh").read_bytes())
    done = run("sh", "../house/scripts/tour.sh", "mias", cwd=here, MINI_MIAS="set")
    assert (done.returncode, done.stderr) == (0, "")
    said, out = done.stdout.splitlines(), here / "mias"
    assert said[:5] == ["index", "mias", str(here / "set"), "-o", str(out / "mini-mias.csv")]
    assert said[said.index("--screenshots") + 1] == str(out)
    assert out.is_dir()
    assert sorted(path.name for path in house.iterdir()) == [".venv", "scripts"]


def test_without_a_new_enough_python_set_up_says_so_in_one_sentence(root: Path, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup.sh").write_bytes((root / "scripts" / "setup.sh").read_bytes())
    done = run("sh", "scripts/setup.sh", cwd=tmp_path, PYTHON="/nonexistent/python", MAMMOVIEW_NO_APT="1")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Python 3.11 or later is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux's loader is asked")
def test_a_system_library_that_does_not_load_is_named_by_its_package(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(root / "scripts"))
    import system_libraries

    def load(name: str) -> object:
        if name == "libxcb-cursor.so.0":
            raise OSError(name)
        return object()

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert "libxcb-cursor0" in system_libraries.missing_packages()
    assert "libxcb-icccm4" not in system_libraries.missing_packages()


def test_a_benchmark_that_does_not_exist_is_a_usage_error_that_names_those_that_do(
    root: Path, tmp_path: Path
) -> None:
    done = run(sys.executable, "-m", "benchmarks", "no-such", "-o", str(tmp_path / "out.json"), cwd=root)
    assert done.returncode == 2
    assert "no such benchmark" in done.stderr
    assert "window-drag-4up" in done.stderr
    assert not (tmp_path / "out.json").exists()

"""The wheel holds the four packages with their data, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

PACKAGES = ("app", "model_zoo", "trainer", "resources")
DATA = ("resources/**/*", "model_zoo/bundles/**/*", "trainer/recipes/*.toml")


@pytest.fixture(scope="module")
def source(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that nothing is built inside it."""
    source = tmp_path_factory.mktemp("checkout")
    for folder in (*PACKAGES, "tests", "benchmarks", "scripts", "docs"):
        shutil.copytree(root / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / file, source)
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built without asking any package registry."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel"]
    command += ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("mammoview-*.whl")
    return zipfile.ZipFile(built)


def names(wheel: zipfile.ZipFile) -> set[str]:
    """Return the files in the wheel, as written there."""
    return {name for name in wheel.namelist() if not name.endswith("/")}


def test_only_the_four_packages_are_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_every_module_is_in_the_wheel(wheel: zipfile.ZipFile, source: Path) -> None:
    modules = {
        file.relative_to(source).as_posix()
        for package in PACKAGES
        for file in (source / package).rglob("*.py")
        if "__pycache__" not in file.parts
    }
    assert modules - names(wheel) == set()


def test_icons_protocols_bundles_and_recipes_are_in_the_wheel(wheel: zipfile.ZipFile, source: Path) -> None:
    data = {
        file.relative_to(source).as_posix()
        for pattern in DATA
        for file in source.glob(pattern)
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert data, "the checkout has no data files at all"
    assert data - names(wheel) == set()


def test_nothing_compiled_or_hidden_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    assert [name for name in names(wheel) if name.endswith((".pyc", "~")) or "/." in name] == []


def test_the_wheel_says_its_name_licence_and_programs(wheel: zipfile.ZipFile) -> None:
    (info,) = {name.split("/")[0] for name in names(wheel) if ".dist-info/" in name}
    metadata = Parser().parsestr(wheel.read(f"{info}/METADATA").decode())
    assert metadata["Name"] == "mammoview"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License" in wheel.read(f"{info}/licenses/LICENSE").decode()
    programs = wheel.read(f"{info}/entry_points.txt").decode().split()
    assert {"mammoview", "mammoview-trainer"} <= set(programs)

"""What is installed may be shipped: no copyleft but the LGPL, and nothing that fights with PySide6."""

from __future__ import annotations

import ast
import importlib.metadata as metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from installer.licences import licence_of, requirements

FORBIDDEN = {
    "pylibjpeg-libjpeg": "GPL 3",
    "opencv-python": "brings Qt plug-ins of its own, which clash with PySide6",
    "opencv-contrib-python": "brings Qt plug-ins of its own, which clash with PySide6",
    "ultralytics": "AGPL",
    "albumentations": "frozen, its successor is AGPL",
}

COPYLEFT = re.compile(r"\bA?GPL|Affero|GNU General Public|\bSSPL|non-?commercial|CC-BY-NC", re.IGNORECASE)
"""Word boundary: ``LGPL`` is not matched."""

OTHER_CHOICE = re.compile(r"LGPL[^)]* OR | OR LGPL", re.IGNORECASE)
"""A licence that leaves the choice; we choose the LGPL."""


def test_no_forbidden_package_is_asked_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert {Requirement(line).name.lower() for line in asked} & set(FORBIDDEN) == set()


def test_no_forbidden_package_comes_with_another() -> None:
    needed = {package.metadata["Name"].lower().replace("_", "-") for package in requirements("mammoview")}
    assert needed & set(FORBIDDEN) == set()


def test_every_dependency_has_a_lower_bound(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]]
    assert [r.name for r in asked if not any(s.operator == ">=" for s in r.specifier)] == []


def test_no_upper_bound_keeps_security_fixes_away(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [Requirement(line) for line in project["dependencies"]]
    # PySide6 on old Pythons: see test_qt_keeps_python_alive.py.
    asked = [r for r in asked if r.marker is None]
    assert [r.name for r in asked if any(s.operator in ("<", "<=", "==", "~=") for s in r.specifier)] == []


def test_nothing_we_ship_is_under_the_gpl() -> None:
    shipped = {package.metadata["Name"]: licence_of(package) for package in requirements("mammoview")}
    assert len(shipped) > 20, "the dependencies were not found"
    wrong = {
        name: licence
        for name, licence in shipped.items()
        if COPYLEFT.search(licence) and not OTHER_CHOICE.search(licence)
    }
    assert wrong == {}


def test_every_package_we_ship_says_its_licence() -> None:
    silent = [p.metadata["Name"] for p in requirements("mammoview") if licence_of(p).startswith("see ")]
    # The umbrella package of the CUDA libraries holds no files; each library under it says its own.
    assert set(silent) <= {"cuda-toolkit"}


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "AGPL-3.0",
        "GNU General Public License v3 (GPLv3)",
        "GNU Affero General Public License",
    ],
)
def test_the_licence_check_can_fail(licence: str) -> None:
    assert COPYLEFT.search(licence)
    assert not OTHER_CHOICE.search(licence)


def test_the_lgpl_passes_the_licence_check() -> None:
    said = licence_of(metadata.distribution("PySide6-Essentials"))
    assert OTHER_CHOICE.search(said)
    assert not COPYLEFT.search("LGPL-3.0-only")


def test_every_package_that_is_imported_is_asked_for(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # What the extra brings is imported where it is used, and missed in one sentence.
    lines = project["dependencies"] + project["optional-dependencies"]["cluster"]
    asked = {Requirement(line).name.lower() for line in lines}
    owners = metadata.packages_distributions()
    missing = {}
    for module, file in imported(root).items():
        owning = {owner.lower().replace("_", "-") for owner in owners.get(module, ())}
        if not owning & asked:
            missing[module] = file
    assert missing == {}


def imported(root: Path) -> dict[str, str]:
    """Return the foreign top-level modules that what we ship imports, each with a file that does."""
    ours = ("app", "model_zoo", "trainer", "resources")
    found = {}
    for package in ours:
        for file in (root / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module or ""]
                found |= {name.split(".")[0]: str(file.relative_to(root)) for name in names}
    return {name: file for name, file in found.items() if name not in (*ours, *sys.stdlib_module_names)}

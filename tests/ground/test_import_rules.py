"""The import contracts hold, and each of them can fail: a rule that cannot fail guards nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("app", "model_zoo", "trainer")

VIOLATIONS = {
    "1. app never imports trainer": ("app/services/intruder.py", "import trainer.recipe\n"),
    "2. inside app": ("app/core/imaging/intruder.py", "import app.services.state\n"),
    "3. app.core uses no Qt": ("app/core/imaging/intruder.py", "from PySide6 import QtCore\n"),
    "4. model_zoo uses no app": ("model_zoo/intruder.py", "import app.core.errors\n"),
    "5. trainer uses app.core only": ("trainer/intruder.py", "import app.services.state\n"),
    "6. services use no pyqtgraph": ("app/services/intruder.py", "import pyqtgraph\n"),
    "7. in app only services.inference": ("app/ui/intruder.py", "import model_zoo.contract\n"),
    "8. ui uses no pydicom": ("app/ui/intruder.py", "import pydicom\n"),
    "10. in model_zoo only predictor": ("model_zoo/intruder.py", "import torch\n"),
    "10. model_zoo's contract": ("model_zoo/errors.py", "import torch\n"),
}
"""Start of a contract's name: a file and what is written at its end to break the contract."""

STRANGERS = {
    "tools": "app/ui/tools",
    "panels": "app/ui/panels",
    "overlays": "app/ui/overlays",
    "dialogs": "app/ui/dialogs",
    "data-set adapters": "trainer/datasets",
    "architectures": "model_zoo/architectures",
}


def lint(folder: Path) -> str:
    """Return what import-linter says of the packages in `folder`, one contract a line."""
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(command), "--no-cache", "--config", "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def outcome(said: str, contract: str) -> str:
    """Return KEPT or BROKEN as said of the contract whose name starts so."""
    found = re.search(rf"^{re.escape(contract)}.*?\b(KEPT|BROKEN)\b", said, re.MULTILINE)
    assert found, said
    return found.group(1)


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """A copy of the sources, to break at will."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__", "bundles")
        shutil.copytree(root / package, tmp_path / package, ignore=ignore)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_all_import_contracts_hold(checkout: Path) -> None:
    said = lint(checkout)
    assert re.search(r"Contracts: \d+ kept, 0 broken", said), said


def test_every_contract_breaks_when_its_rule_is_broken(checkout: Path) -> None:
    for file, line in VIOLATIONS.values():
        with (checkout / file).open("a", encoding="utf-8") as out:
            out.write(line)
    for folder in STRANGERS.values():
        package = folder.replace("/", ".")
        (checkout / folder / "intruder_one.py").write_text(f"import {package}.intruder_two\n")
        (checkout / folder / "intruder_two.py").write_text("")
    said = lint(checkout)
    names = [*VIOLATIONS, *(f"9. {kind} are strangers" for kind in STRANGERS)]
    assert {name: outcome(said, name) for name in names} == dict.fromkeys(names, "BROKEN")


def test_every_contract_has_a_violation_here(checkout: Path) -> None:
    names = re.findall(r"^(\d+\. .*?) (?:KEPT|BROKEN)", lint(checkout), re.MULTILINE)
    known = [*VIOLATIONS, *(f"9. {kind} are strangers" for kind in STRANGERS)]
    assert [name for name in names if not name.startswith(tuple(known))] == []


def test_the_torch_free_modules_of_the_design_are_all_in_the_contract(root: Path) -> None:
    """DESIGN.md, import rule 10; a module is asked for as soon as it exists."""
    rule = ("contract", "bundle", "breast", "preprocess", "calibration", "suitability", "tabular", "errors")
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    contract = text[text.index("10. model_zoo's contract") :]
    listed = set(re.findall(r'"model_zoo\.(\w+)"', contract))
    exist = {name for name in rule if (root / "model_zoo" / f"{name}.py").exists()}
    assert exist <= listed


def test_package_init_files_are_empty_but_for_registries(root: Path) -> None:
    """DESIGN.md: only the registries hold code, and what a registry names may be a package itself."""
    holding = {
        file.relative_to(root).parent.as_posix()
        for package in PACKAGES
        for file in (root / package).rglob("__init__.py")
        if re.search(r"^(import|from|def|class)\b", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    registries = (*STRANGERS.values(), "app/ui/actions", "app/ui/commands")
    assert [name for name in sorted(holding) if not name.startswith(registries)] == []

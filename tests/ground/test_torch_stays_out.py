"""torch takes seconds and gigabytes: what does not need it must not load it, looked at in real processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

RULE_10 = ("contract", "bundle", "breast", "preprocess", "calibration", "suitability", "errors", "tabular")
"""Modules of model_zoo that DESIGN.md wants free of torch."""

HEAVY = ("torch", "torchvision", "lightning", "pyqtgraph.opengl", "matplotlib")


def loaded_after(program: str, root: Path) -> set[str]:
    """Run `program` in a fresh interpreter and return which of the heavy packages it loaded."""
    ask = f"\nimport sys; print('loaded:', *(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program + ask], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("loaded:")]
    return set(line.split()[1:])


@pytest.mark.parametrize("module", RULE_10)
def test_the_torch_free_modules_of_model_zoo_do_not_load_torch(module: str, root: Path) -> None:
    assert loaded_after(f"import model_zoo.{module}", root) == set()


def test_the_command_line_does_not_load_torch(root: Path) -> None:
    assert loaded_after("from app.cli import main; main(['--help'])", root) == set()


def test_the_main_window_is_painted_before_torch_is_loaded(root: Path) -> None:
    program = """
from app.commands.window import open_window
workstation = open_window(off_screen=True)
workstation.window.resize(1600, 900)
workstation.window.show()
workstation.application.processEvents()
assert not workstation.window.grab().toImage().isNull()
import sys
print("loaded:", *(name for name in ("torch", "torchvision", "lightning") if name in sys.modules))
workstation.close()
sys.exit(0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "loaded:\n" in done.stdout

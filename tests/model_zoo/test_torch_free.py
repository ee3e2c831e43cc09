from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TORCH_FREE = [
    "architectures",
    "breast",
    "bundle",
    "calibration",
    "contract",
    "descriptors",
    "errors",
    "fields",
    "geometry",
    "outputs",
    "preprocess",
    "seal",
    "spec",
    "suitability",
    "tabular",
]


@pytest.mark.parametrize("others", [TORCH_FREE], ids=["all"])
def test_what_the_window_needs_of_the_model_zoo_imports_neither_torch_nor_qt_nor_pydicom(
    others: list[str],
) -> None:
    lines = [f"import model_zoo.{name}" for name in others]
    lines += [
        "import sys",
        "strangers = ('torch', 'torchvision', 'PySide6', 'pydicom', 'app', 'trainer')",
        "print([name for name in strangers if name in sys.modules])",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_bundles_are_found_and_judged_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from model_zoo.bundle import find_bundles, shipped_folder;"
        f"find_bundles([shipped_folder(), {str(tmp_path)!r}]); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""The demonstration of the 96 %: wrong on purpose, in one place, and never a model."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from film_miniature import make_miniature

from app.core.manifest import write_manifest
from trainer import leakage_demo
from trainer.cli import main
from trainer.datasets import index
from trainer.leakage_demo import document_rows

POSITIVE = ("benign", "malignant", "abnormal")


def test_rows_of_info_txt_are_taken_for_films_and_the_first_normals_dropped(tmp_path: Path) -> None:
    lines = make_miniature(tmp_path / "data", 12, size=64)
    again = next(line for line in lines if " CIRC " in line)
    (tmp_path / "data" / "Info.txt").write_text(
        "REFNUM BG CLASS SEVERITY X Y RADIUS \n" + "\n".join([*lines, again])
    )
    rows = document_rows(index("mias", tmp_path / "data", print), POSITIVE)
    # Of 12 films 4 are abnormal, one of which stands there twice: 5 beside the last 5 of the 8 normal ones.
    names = [row.image_id for row in rows]
    assert [row.label in POSITIVE for row in rows].count(True) == 5
    assert [name for name in names if names.count(name) == 2] == [again.split()[0]] * 2
    assert "mdb001" not in names
    assert "mdb011" in names


def noisy(folder: Path, films: int) -> Path:
    """Films that say nothing about their label, so that an honest number can only be chance."""
    make_miniature(folder / "data", films, size=64)
    for number in range(1, films + 1):
        draw = np.random.default_rng(1000 + number)
        grey = draw.integers(0, 256, 3).repeat(22)[:64]
        path = folder / "data" / f"mdb{number:03d}.pgm"
        pixels = (
            (grey[:, None] * 0.5 + draw.integers(0, 60, (64, 64)) + 2 * number).clip(0, 255).astype(np.uint8)
        )
        path.write_bytes(b"P5\n64 64\n255\n" + pixels.tobytes())
    return write_manifest(index("mias", folder / "data", print), folder / "manifest.csv").path


def test_copies_divided_at_random_are_recognised_and_patients_are_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = noisy(tmp_path, 48)
    out = tmp_path / "out"
    words = ["fit", "mias-leakage-demo", "--manifest", str(manifest), "-o", str(out)]
    words += ["--set", "every=15", "side=32", "epochs=1", "batch=64"]
    assert main(words) == 0
    said = capsys.readouterr().out
    made = json.loads((out / "leakage.json").read_text())
    leaky, honest = made["leaky"], made["honest"]
    # 32 rows of 24 copies; of each film about 19 copies train, so every film of the test has trained too.
    assert leaky["films_tested"] == leaky["films_tested_that_trained"] == 32
    assert leaky["copies_tested"] == -(-32 * 24 // 5)
    assert honest["films_tested_that_trained"] == 0
    # The nearest of the other turned copies of the same film carries its label; strangers do not.
    assert leaky["nearest_neighbour"] > 0.9
    assert honest["nearest_neighbour"] < 0.8
    assert "| patients (honest) |" in said
    assert "majority" in said
    assert leakage_demo.WARNING in said


def test_nothing_can_be_exported_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "leakage.json").write_text("{}")
    assert main(["export", str(tmp_path / "out"), "-o", str(tmp_path / "bundles")]) == 1
    assert not (tmp_path / "bundles").exists()
    words = [
        "fit",
        "mias-leakage-demo",
        "--manifest",
        "m.csv",
        "--splits",
        "s.json",
        "-o",
        str(tmp_path / "x"),
    ]
    assert main(words) == 1
    assert "takes no --splits" in capsys.readouterr().err


def test_only_the_command_line_and_its_recipe_check_know_the_demonstration() -> None:
    folder = Path(leakage_demo.__file__).parent
    importing = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            )
            module = getattr(node, "module", "") or ""
            if "leakage_demo" in names or "leakage_demo" in module or "trainer.leakage_demo" in names:
                importing.add(path.name)
    assert importing == {"cli.py", "training.py"}
    text = Path(leakage_demo.__file__).read_text()
    assert "write_bundle" not in text
    assert "write_run" not in text

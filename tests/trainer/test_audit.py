"""The audit finds a picture of one part in another part, mirrored and turned too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from film_miniature import write_pgm
from tiny_training import Miniature

from app.core.manifest import Manifest, file_sha256, write_manifest
from trainer.audit.marks import pixel_mark
from trainer.audit.run import audit
from trainer.cli import main
from trainer.splits import make_splits, write_splits


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_all_eight_turns_of_a_picture_share_a_mark(turn: int, mirror: bool) -> None:
    pixels = np.arange(35, dtype=np.uint16).reshape(5, 7)
    other = np.rot90(pixels[:, ::-1] if mirror else pixels, turn)
    assert pixel_mark(other) == pixel_mark(pixels)
    changed = pixels.copy()
    changed[2, 3] += 1
    assert pixel_mark(changed) != pixel_mark(pixels)


def with_twin(miniature: Miniature, folder: Path) -> tuple[Manifest, Path]:
    """The miniature with a turned copy of a training image smuggled into a test patient."""
    fold = miniature.splits.folds[0]
    rows = list(miniature.manifest.rows)
    source = next(row for row in rows if row.patient_id in fold.train)
    target = next(number for number, row in enumerate(rows) if row.patient_id in fold.test)
    pixels = np.fromfile(source.path, np.uint8)[-128 * 128 :].reshape(128, 128)
    twin = folder / "twin.pgm"
    write_pgm(twin, np.rot90(pixels[:, ::-1]))
    rows[target] = replace(rows[target], path=twin, sha256=file_sha256(twin))
    manifest = write_manifest(rows, folder / "manifest.csv")
    return manifest, folder / "manifest.csv"


def test_a_turned_copy_in_another_part_is_a_leak(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, path = with_twin(miniature, tmp_path)
    splits = make_splits(manifest, folds=3, seed=1)
    write_splits(splits, tmp_path / "splits.json")
    found = audit(manifest, splits)
    assert len(found.twins) == 1
    assert found.leaks
    words = ["audit", str(path), "--splits", str(tmp_path / "splits.json"), "-o", str(tmp_path / "report")]
    assert main(words) == 1
    assert "identical pixels" in capsys.readouterr().err
    assert (tmp_path / "report" / "audit.json").is_file()


def test_a_clean_set_passes(miniature: Miniature, tmp_path: Path) -> None:
    words = ["audit", str(miniature.manifest.path), "--splits", str(miniature.splits_path)]
    assert main([*words, "-o", str(tmp_path / "report")]) == 0


def test_a_patient_in_two_parts_is_reported_and_then_refused(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(miniature.splits_path.read_text())
    patient = content["folds"][1]["test"][0]
    content["folds"][1]["train"].append(patient)
    (tmp_path / "splits.json").write_text(json.dumps(content))
    words = ["audit", str(miniature.manifest.path), "--splits", str(tmp_path / "splits.json")]
    assert main([*words, "-o", str(tmp_path / "report")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    leak = f"patient {patient} is in train and in test of fold 1"
    assert leak in error
    assert leak in json.loads((tmp_path / "report" / "audit.json").read_text())["leaks"]


def test_altered_lists_are_reported_and_then_refused(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(miniature.splits_path.read_text())
    content["folds"][0]["train"].append(content["folds"][0]["val"].pop())
    (tmp_path / "splits.json").write_text(json.dumps(content))
    words = ["audit", str(miniature.manifest.path), "--splits", str(tmp_path / "splits.json")]
    assert main([*words, "-o", str(tmp_path / "report")]) == 1
    assert "do not match their hash" in capsys.readouterr().err
    assert (tmp_path / "report" / "audit.json").is_file()


def test_splits_of_another_manifest_are_named(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(miniature.manifest.rows[:-1], tmp_path / "manifest.csv")
    words = ["audit", str(tmp_path / "manifest.csv"), "--splits", str(miniature.splits_path)]
    assert main([*words, "-o", str(tmp_path / "report")]) == 1
    assert "the splits were made for another manifest" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["audit", "evaluate"])
def test_a_changed_file_is_named(
    miniature: Miniature, tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = miniature.manifest.rows[0]
    copy = tmp_path / "mdb001.pgm"
    copy.write_bytes(row.path.read_bytes()[:-1] + b"\x07")
    write_manifest([replace(row, path=copy)], tmp_path / "manifest.csv")
    words = {"audit": ["audit"], "evaluate": ["evaluate", "mias-abnormality", "--manifest"]}[command]
    assert main([*words, str(tmp_path / "manifest.csv"), "-o", str(tmp_path / "report")]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{copy}: the file has changed since the manifest was made" in error

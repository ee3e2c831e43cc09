"""A manifest's images as 16-bit PNG, and the manifest of these."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from dicom_files import phantom_pixels, write_mg
from digital_miniatures import SHAPE
from tiny_training import Miniature

from app.core.manifest import read_manifest, write_manifest
from trainer.cli import main
from trainer.datasets import index
from trainer.views import read_view


def test_sixteen_bits_arrive_and_the_manifest_goes_on_with_them(tmp_path: Path) -> None:
    pixels = phantom_pixels(*SHAPE)
    write_mg(tmp_path / "data" / "normal" / "p1" / "a.dcm", pixels)
    manifest = write_manifest(index("folder", tmp_path / "data", print), tmp_path / "manifest.csv")
    assert main(["to-png", str(manifest.path), "-o", str(tmp_path / "png")]) == 0
    made = read_manifest(tmp_path / "png" / "manifest.csv")
    (row,) = made.rows
    with PIL.Image.open(row.path) as picture:
        assert picture.mode in ("I;16", "I")
        stored = np.array(picture)
    seen = read_view(manifest.rows[0])
    inside = ~seen.padding if seen.padding is not None else np.ones(SHAPE, bool)
    assert stored.shape == SHAPE
    assert np.array_equal(stored[inside], seen.pixels[inside])
    assert len(np.unique(stored)) > 256
    assert row.image_id == manifest.rows[0].image_id
    assert row.label == "normal"
    # A model is shown the same picture again.
    assert np.array_equal(read_view(row).pixels[inside], seen.pixels[inside])


def test_nothing_is_written_into_a_folder_that_holds_something(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "png").mkdir()
    (tmp_path / "png" / "mine.txt").write_text("mine")
    assert main(["to-png", str(miniature.manifest.path), "-o", str(tmp_path / "png")]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "png").iterdir()] == ["mine.txt"]


def test_crops_hold_each_lesion_alone_with_its_surroundings(miniature: Miniature, tmp_path: Path) -> None:
    assert main(["to-png", str(miniature.manifest.path), "--crops", "2", "-o", str(tmp_path / "png")]) == 0
    made = read_manifest(tmp_path / "png" / "manifest.csv").rows
    lesions = [(row, lesion) for row in miniature.manifest.rows for lesion in row.findings]
    assert len(made) == len(lesions) == 8
    (row, lesion), own = lesions[0], made[0]
    assert lesion.box is not None
    row0, col0, row1, col1 = lesion.box
    # Twice the box about its middle: half a box more on each side, to whole pixels.
    top = int((row0 + row1) / 2 - (row1 - row0))
    assert own.rows == int((row0 + row1) / 2 + (row1 - row0)) + 1 - top
    assert own.label == lesion.pathology
    assert own.findings[0].box is not None
    assert own.findings[0].box[0] == row0 - top
    with PIL.Image.open(own.path) as picture:
        cut = np.array(picture)
    seen = read_view(row).pixels
    left = int((col0 + col1) / 2 - (col1 - col0))
    assert np.array_equal(cut, seen[top : top + own.rows, left : left + own.columns])

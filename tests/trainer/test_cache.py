"""The cache: what the network is shown, healed where an entry was damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_training import Miniature

import trainer.cache
from app.core.dicom import pixels, reader
from app.core.imaging import background, greyscale
from app.core.manifest import ManifestError
from model_zoo.preprocess import prepare
from trainer.cache import fill, key_of, load
from trainer.views import read_view


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def flip(path: Path) -> None:
    # In the middle: among pixels or mask, or in the digits of the place.
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, empty, lengthen, flip, Path.unlink])
@pytest.mark.parametrize("suffix", [".npy", ".mask.npy", ".json"])
def test_a_damaged_entry_is_made_anew(
    miniature: Miniature, tmp_path: Path, damage: object, suffix: str
) -> None:
    row, block = miniature.manifest.rows[0], miniature.recipe.preprocess
    fill([row], block, folder=tmp_path)
    file = (tmp_path / key_of(row, block)).with_suffix(suffix)
    damage(file)  # type: ignore[operator]
    entry, fresh = load(row, block, tmp_path), prepare(read_view(row), block)
    assert np.array_equal(entry.pixels, fresh.pixels)
    assert np.array_equal(entry.mask, fresh.mask)
    assert np.allclose(entry.to_stored, fresh.to_stored)
    assert entry.stored_shape == fresh.stored_shape
    assert not list(tmp_path.glob("*.part"))


def test_every_module_that_decides_pixels_is_part_of_the_key() -> None:
    sources = set(trainer.cache._sources())
    assert {Path(str(module.__file__)) for module in (pixels, reader, background, greyscale)} <= sources


def test_a_changed_file_never_becomes_an_entry(miniature: Miniature, tmp_path: Path) -> None:
    row = replace(miniature.manifest.rows[0], path=miniature.manifest.rows[1].path)
    with pytest.raises(ManifestError, match="has changed since the manifest was made"):
        load(row, miniature.recipe.preprocess, tmp_path)

"""A miniature of mini-MIAS, indexed and divided, with a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from film_miniature import make_miniature
from tiny_training import TINY, Miniature

from app.core.manifest import write_manifest
from trainer.datasets import index
from trainer.recipe import read_recipe
from trainer.splits import make_splits, write_splits


@pytest.fixture(scope="session", autouse=True)
def cache_aside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAMMOVIEW_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    folder = tmp_path_factory.mktemp("miniature")
    make_miniature(folder / "data", 24, size=128)
    manifest = write_manifest(index("mias", folder / "data", print), folder / "manifest.csv")
    splits = make_splits(manifest, folds=3, seed=1)
    write_splits(splits, folder / "splits.json")
    recipe = read_recipe("mias-abnormality", TINY)
    return Miniature(folder, manifest, splits, folder / "splits.json", recipe)

"""The models of this installation: those that come with Mammoview and those in the user's model folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import platformdirs

from model_zoo import bundle as bundles
from model_zoo.bundle import Bundle, Shelf
from model_zoo.errors import BundleError

MODELS_VARIABLE = "MAMMOVIEW_MODELS"


def user_folder() -> Path:
    """Return the user's model folder: ``MAMMOVIEW_MODELS`` if set, else the platform's own."""
    named = os.environ.get(MODELS_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_data_dir("mammoview", appauthor=False)) / "models"


def find() -> Shelf:
    """Return all models, sorted by name, and those refused with their sentences.

    Reading every file to check its hash takes a second per 100 MB, so it is done again only when a
    file's size or time has changed; `verified` always reads.
    """
    folders = (bundles.shipped_folder(), user_folder())
    return _find(folders, tuple(stamp for folder in folders for stamp in _stamps(folder)))


@lru_cache(maxsize=4)
def _find(folders: tuple[Path, ...], stamps: tuple[tuple[str, int, int], ...]) -> Shelf:
    return bundles.find_bundles(folders)


def _stamps(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(folder.rglob("*")):
        try:
            facts = path.lstat()
        except OSError:
            continue
        yield str(path), facts.st_mtime_ns, facts.st_size


def get(name: str) -> Bundle:
    """Return a model by name, or the bundle in a folder; `BundleError` in one sentence."""
    if os.sep in name or "/" in name:
        return bundles.load_bundle(name)
    return find().get(name)


def chosen(names: Sequence[str] | None, reading_set: Sequence[str]) -> tuple[Bundle, ...]:
    """Return the models to be asked about images: those named, else the reading set, else all.

    Models that look at no image are never among them: named here, that is a `BundleError`; in the
    reading set they are passed over. `BundleError` too where none is left.
    """
    if names:
        bundles_named = tuple(get(name) for name in dict.fromkeys(names))
        for bundle in bundles_named:
            bundle.need_images()
        return bundles_named
    wanted = tuple(get(name) for name in dict.fromkeys(reading_set)) or find().bundles
    found = tuple(bundle for bundle in wanted if bundle.spec.reads_images)
    if not found:
        raise BundleError(f"no model of images is installed; put bundles into {user_folder()}")
    return found


def verified(name: str) -> Bundle:
    """Return a model after reading all its files again; `BundleError` if one is not as its hash says."""
    bundle = get(name)
    bundles.verify(bundle)
    return bundle


def install(folder: Path) -> Bundle:
    """Copy a bundle into the user's model folder; `BundleError` where it is refused."""
    return bundles.install(folder, user_folder())


def remove(name: str) -> None:
    """Remove a model the user installed; `BundleError` for one that comes with Mammoview."""
    bundles.remove(name, user_folder())


def one_line(bundle: Bundle) -> str:
    """Return name, version, task, licence and origin on a line."""
    spec = bundle.spec
    origin = "shipped" if bundle.shipped else str(bundle.folder)
    use = "research use only" if spec.licence.use == "research" else spec.licence.name
    return f"{spec.name} {spec.model_version}  {spec.task}  {use}  ({origin})"

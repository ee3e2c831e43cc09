"""The files of a bundle folder: what may lie there, and that none was changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from model_zoo.errors import BundleError

BUNDLE_FILE = "bundle.json"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "MODEL_CARD.md"
METRICS_FILE = "metrics.json"

_NEEDED = (WEIGHTS_FILE, CARD_FILE, METRICS_FILE)
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".bin", ".joblib", ".npy", ".npz", ".h5", ".tar")
# What file managers leave in any folder they show.
_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path) -> dict[str, str]:
    """Return the sha256 by name of every file below a folder but bundle.json, sorted by name."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: sha256(folder / name) for name in names if name != BUNDLE_FILE}


def check_files(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse a folder whose files are not exactly those that bundle.json lists, unchanged.

    Parameters
    ----------
    folder
        The bundle.
    files
        sha256 by file name, relative to the folder with forward slashes.

    Raises
    ------
    BundleError
        A name that leaves the folder, a link, a pickle, a file missing, unlisted or changed.
    """
    for name in files:
        _check_name(folder, name)
    for name in _NEEDED:
        if name not in files:
            raise BundleError(f"{folder}: {BUNDLE_FILE} does not list {name}")
    _check_nothing_else(folder, files)
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            raise BundleError(f"{folder}: {name} is missing")
        try:
            found = sha256(path)
        except OSError as error:
            raise BundleError(f"{folder}: {name} cannot be read: {error.strerror}") from error
        if found != digest:
            raise BundleError(f"{folder}: {name} was changed: its sha256 is not the one in {BUNDLE_FILE}")


def _check_name(folder: Path, name: str) -> None:
    parts = PurePosixPath(name).parts
    if not name or "\\" in name or ":" in name or "\0" in name or name.startswith("/") or ".." in parts:
        raise BundleError(f"{folder}: {BUNDLE_FILE} lists {name!r}, which leads out of the bundle")
    if PurePosixPath(name).as_posix() != name or name == BUNDLE_FILE:
        raise BundleError(f"{folder}: {BUNDLE_FILE} lists {name!r}, which is not a plain file name")
    if name.lower().endswith(_PICKLES):
        raise BundleError(f"{folder}: {name} may hold a pickle; weights come from safetensors only")


def _check_nothing_else(folder: Path, files: Mapping[str, str]) -> None:
    for place, folders, names in os.walk(folder):
        for name in sorted(folders) + sorted(names):
            path = Path(place) / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink():
                raise BundleError(f"{folder}: {relative} is a link; a bundle holds plain files only")
            if name in folders or relative in files or relative == BUNDLE_FILE or name in _LITTER:
                continue
            if name.lower().endswith(_PICKLES):
                raise BundleError(
                    f"{folder}: {relative} may hold a pickle; weights come from safetensors only"
                )
            raise BundleError(f"{folder}: {relative} is not listed in {BUNDLE_FILE}")

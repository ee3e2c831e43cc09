"""Putting bundles into the user's model folder and taking them away, for whoever may not see the model zoo.

Unlike `catalogue.install` an older version may take the place of a newer one: that is what demoting is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import MammoviewError
from app.services.inference import catalogue
from app.services.inference.process import bundle_digest
from model_zoo.bundle import Bundle, load_bundle
from model_zoo.errors import ModelError


@dataclass(frozen=True, slots=True)
class Stated:
    """What a bundle says of itself; `digest` is the sha256 of its bundle.json."""

    name: str
    version: str
    digest: str
    folder: Path
    shipped: bool


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except ModelError as error:
        raise MammoviewError(str(error)) from error
    except OSError as error:
        raise MammoviewError(f"{error.filename or 'model folder'}: {error.strerror or error}") from error


def _stated(bundle: Bundle) -> Stated:
    return Stated(bundle.name, bundle.version, bundle_digest(bundle.folder), bundle.folder, bundle.shipped)


def stated(folder: Path) -> Stated:
    """Return what the bundle in a folder says, every file checked; `MammoviewError` where refused."""
    with _sentences():
        return _stated(load_bundle(folder))


def installed() -> dict[str, Stated]:
    """Return every model of images that is installed, by name."""
    with _sentences():
        return {one.name: _stated(one) for one in catalogue.find().bundles if one.spec.reads_images}


def need_free(name: str) -> None:
    """Refuse the name of a model that comes with Mammoview; `MammoviewError`."""
    known = installed().get(name)
    if known is not None and known.shipped:
        raise MammoviewError(f"a model named {name} comes with Mammoview; give yours another name")


def put(folder: Path) -> Stated:
    """Put a bundle into the user's model folder in place of the one of its name, and return it there.

    Raises
    ------
    MammoviewError
        Where the bundle is refused, a shipped one has its name, or the folder cannot be written.
    """
    new = stated(folder)
    need_free(new.name)
    with _sentences():
        target = catalogue.user_folder() / new.name
        there = installed().get(new.name)
        # A newer version elsewhere in the folder would win over this one.
        while there is not None and there.digest != new.digest and there.folder != target:
            shutil.rmtree(there.folder)
            there = installed().get(new.name)
        if there is not None and there.folder == target and there.digest != new.digest:
            aside = target.with_name(f".replaced-{target.name}")
            shutil.rmtree(aside, ignore_errors=True)
            target.rename(aside)
            try:
                made = catalogue.install(folder)
            except (ModelError, OSError):
                shutil.rmtree(target, ignore_errors=True)
                aside.rename(target)
                raise
            shutil.rmtree(aside, ignore_errors=True)
            return _stated(made)
        return _stated(catalogue.install(folder))


def take_away(name: str) -> None:
    """Take a model out of the user's model folder; `MammoviewError` for one that comes with Mammoview."""
    need_free(name)
    with _sentences():
        catalogue.remove(name)

"""Bundles: folders that hold a model with everything needed to run, judge and trust it.

docs/bundles.md gives the format. Nothing in a bundle is ever executed: weights are safetensors,
the rest is JSON and Markdown, and every file is checked against its sha256.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from model_zoo.errors import BundleError
from model_zoo.seal import BUNDLE_FILE, CARD_FILE, METRICS_FILE, WEIGHTS_FILE, check_files, seal
from model_zoo.spec import BundleSpec, check_name, read_spec

_LARGEST_JSON = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle folder.

    Attributes
    ----------
    folder
        Where it lies.
    spec
        What its bundle.json says.
    shipped
        True for one that comes with Mammoview and cannot be removed.
    """

    folder: Path
    spec: BundleSpec
    shipped: bool = False

    @property
    def name(self) -> str:
        """The bundle's name."""
        return self.spec.name

    @property
    def version(self) -> str:
        """The model's version, for example ``1.0.0``."""
        return self.spec.model_version

    @property
    def weights(self) -> Path:
        """The safetensors file."""
        return self.folder / WEIGHTS_FILE

    @property
    def card(self) -> str:
        """The text of MODEL_CARD.md."""
        return (self.folder / CARD_FILE).read_text(encoding="utf-8")

    def need_images(self) -> None:
        """Raise `BundleError` for a model that looks at no image, so that it is not asked about one."""
        if not self.spec.reads_images:
            raise BundleError(
                f"{self.name} answers from what a reader says of a lesion, and cannot be asked about images"
            )

    @property
    def metrics(self) -> dict[str, Any]:
        """The content of metrics.json."""
        content = _read_json(self.folder, METRICS_FILE)
        if not isinstance(content, dict):
            raise BundleError(f"{self.folder}: {METRICS_FILE} must hold an object")
        return content


@dataclass(frozen=True, slots=True)
class Refused:
    """A folder that looked like a bundle and was not taken, with the sentence why."""

    folder: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The bundles found, sorted by name, and those refused."""

    bundles: tuple[Bundle, ...] = ()
    refused: tuple[Refused, ...] = ()

    def get(self, name: str) -> Bundle:
        """Return the bundle of that name; `BundleError` names those there are, or why it was refused."""
        for bundle in self.bundles:
            if bundle.name == name:
                return bundle
        for broken in self.refused:
            if broken.folder.name == name:
                raise BundleError(broken.reason)
        known = ", ".join(bundle.name for bundle in self.bundles) or "none"
        raise BundleError(f"there is no model named {name}; installed: {known}")


def shipped_folder() -> Path:
    """Return the folder of the bundles that come with Mammoview."""
    return Path(__file__).parent / "bundles"


def load_bundle(folder: Path | str, *, shipped: bool = False) -> Bundle:
    """Return a bundle after checking its format, its files and their sha256.

    Raises
    ------
    BundleError
        One sentence with the folder and the first thing that is wrong.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BundleError(f"{folder}: there is no such folder")
    if not (folder / BUNDLE_FILE).is_file():
        raise BundleError(f"{folder}: {BUNDLE_FILE} is missing")
    if (folder / BUNDLE_FILE).is_symlink():
        raise BundleError(f"{folder}: {BUNDLE_FILE} is a link; a bundle holds plain files only")
    spec = read_spec(str(folder), _read_json(folder, BUNDLE_FILE))
    check_files(folder, spec.files)
    _check_tensors(folder, spec)
    bundle = Bundle(folder, spec, shipped)
    _ = bundle.metrics
    return bundle


def verify(bundle: Bundle) -> None:
    """Read a bundle again from disk; `BundleError` if it is no longer what was loaded."""
    again = load_bundle(bundle.folder, shipped=bundle.shipped)
    if again.spec != bundle.spec:
        raise BundleError(f"{bundle.folder}: {BUNDLE_FILE} has changed since the model was loaded")


def write_bundle(
    folder: Path | str,
    spec: BundleSpec,
    weights: Mapping[str, Any],
    card: str,
    metrics: Mapping[str, Any],
) -> Bundle:
    """Write a bundle folder, whole or not at all, and return it as loaded.

    Parameters
    ----------
    folder
        Where; a bundle that lies there is replaced, anything else that is not empty is refused.
    spec
        Its `files` are filled in here.
    weights
        numpy arrays or torch tensors by ``role.parameter``, as the architecture's state names them.
    card, metrics
        MODEL_CARD.md and metrics.json.
    """
    folder = Path(folder)
    if folder.exists() and not (folder / BUNDLE_FILE).is_file() and any(folder.iterdir()):
        raise BundleError(f"{folder}: is not empty and no bundle, so it is not replaced")
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        # Bytes written by ourselves: safetensors' own files may be read by their owner alone.
        (fresh / WEIGHTS_FILE).write_bytes(save({name: _array(value) for name, value in weights.items()}))
        (fresh / CARD_FILE).write_text(card, encoding="utf-8")
        _write_json(fresh / METRICS_FILE, metrics)
        _write_json(fresh / BUNDLE_FILE, replace(spec, files=seal(fresh)).to_json())
        load_bundle(fresh)
        _put(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return load_bundle(folder)


def amend(bundle: Bundle, files: Mapping[str, bytes]) -> Bundle:
    """Replace or add files of a bundle, sealed anew, whole or not at all; return it as loaded.

    Weights and bundle.json's own facts stay as they are: what is measured or indexed afterwards goes in.

    Parameters
    ----------
    files
        Content by file name; not bundle.json, and not the weights.

    Raises
    ------
    BundleError
        Where the folder cannot be written, or would be refused.
    """
    if not {BUNDLE_FILE, WEIGHTS_FILE}.isdisjoint(files):
        raise BundleError(f"{bundle.folder}: {BUNDLE_FILE} and {WEIGHTS_FILE} are not replaced alone")
    verify(bundle)
    try:
        fresh = Path(tempfile.mkdtemp(prefix=".writing-", dir=bundle.folder.parent))
    except OSError as error:
        raise BundleError(f"{bundle.folder}: cannot be written: {error.strerror}") from error
    try:
        for name in bundle.spec.files:
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.folder / name, fresh / name)
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        _write_json(fresh / BUNDLE_FILE, replace(bundle.spec, files=seal(fresh)).to_json())
        load_bundle(fresh)
        _put(fresh, bundle.folder)
    except OSError as error:
        raise BundleError(f"{bundle.folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return load_bundle(bundle.folder, shipped=bundle.shipped)


def find_bundles(folders: Iterable[Path | str]) -> Shelf:
    """Return every bundle in the folders; the first folder holds the shipped ones.

    Within a folder the highest version of a name wins; a name that an earlier folder holds is
    refused. What is broken is listed with its sentence and the rest still loads.
    """
    taken: dict[str, Bundle] = {}
    refused: list[Refused] = []
    for place, folder in enumerate(folders):
        here: dict[str, Bundle] = {}
        for entry in _entries(Path(folder)):
            try:
                bundle = load_bundle(entry, shipped=place == 0)
            except BundleError as error:
                refused.append(Refused(entry, str(error)))
                continue
            if bundle.name in taken:
                origin = "comes with Mammoview" if taken[bundle.name].shipped else "is installed already"
                reason = f"{entry}: a model named {bundle.name} {origin}, so this one is not used"
                refused.append(Refused(entry, reason))
            elif bundle.name not in here or bundle.spec.release > here[bundle.name].spec.release:
                here[bundle.name] = bundle
        taken.update(here)
    return Shelf(tuple(taken[name] for name in sorted(taken)), tuple(refused))


def install(folder: Path | str, user_dir: Path | str, *, shipped: Path | None = None) -> Bundle:
    """Copy a bundle into the user's model folder and return it there.

    Parameters
    ----------
    folder
        A bundle.
    user_dir
        The user's model folder; made if it is missing. The bundle goes to ``user_dir/NAME``.
    shipped
        The folder of shipped bundles, whose names are taken; default `shipped_folder`.

    Raises
    ------
    BundleError
        Where the bundle is refused, a shipped one has its name, or a newer version is installed.
    """
    source, user_dir = load_bundle(folder), Path(user_dir)
    if any(one.name == source.name for one in find_bundles([shipped or shipped_folder()]).bundles):
        raise BundleError(f"{folder}: a model named {source.name} comes with Mammoview")
    for one in find_bundles([user_dir]).bundles:
        if one.name == source.name and one.spec.release > source.spec.release:
            raise BundleError(f"{folder}: version {one.version} of {one.name}, which is newer, is installed")
    user_dir.mkdir(parents=True, exist_ok=True)
    target = user_dir / check_name(source.name)
    if source.folder.resolve() == target.resolve():
        return source
    fresh = Path(tempfile.mkdtemp(prefix=".installing-", dir=user_dir))
    try:
        for name in (BUNDLE_FILE, *source.spec.files):
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.folder / name, fresh / name)
        load_bundle(fresh)
        _put(fresh, target)
    except OSError as error:
        raise BundleError(f"{folder}: cannot be installed: {error.strerror}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return load_bundle(target)


def remove(name: str, user_dir: Path | str, *, shipped: Path | None = None) -> None:
    """Delete every version of a bundle from the user's model folder.

    Raises
    ------
    BundleError
        Where the name is not a bundle name, is that of a shipped bundle, or is not installed.
    """
    check_name(name)
    user_dir = Path(user_dir)
    if any(one.name == name for one in find_bundles([shipped or shipped_folder()]).bundles):
        raise BundleError(f"{name} comes with Mammoview and cannot be removed")
    found = [entry for entry in _entries(user_dir) if entry.name == name or _name_in(entry) == name]
    if not found:
        raise BundleError(f"there is no model named {name} in {user_dir}")
    for entry in found:
        # A link may lead out of the user's folder: only the link itself is ours to remove.
        if entry.is_symlink():
            entry.unlink()
        else:
            shutil.rmtree(entry)


def _entries(folder: Path) -> list[Path]:
    """Return the subfolders that may be bundles; ours in the making begin with a dot."""
    if not folder.is_dir():
        return []
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith((".", "_")) and (entry / BUNDLE_FILE).exists()
    )


def _name_in(folder: Path) -> str | None:
    try:
        content = _read_json(folder, BUNDLE_FILE)
    except BundleError:
        return None
    return content.get("name") if isinstance(content, dict) else None


def _check_tensors(folder: Path, spec: BundleSpec) -> None:
    """Refuse a weights file that is not safetensors, or holds tensors of no network of the bundle."""
    try:
        with safe_open(str(folder / WEIGHTS_FILE), framework="np") as file:
            names = set(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{folder}: {WEIGHTS_FILE} is not a safetensors file: {error}") from error
    roles = tuple(spec.networks) if spec.reads_images else ("descriptors",)
    for role in roles:
        if not any(name.startswith(f"{role}.") for name in names):
            raise BundleError(f"{folder}: {WEIGHTS_FILE} holds no weights of the {role}")
    for name in sorted(names):
        if name.partition(".")[0] not in roles:
            raise BundleError(
                f"{folder}: {WEIGHTS_FILE} holds {name}, which belongs to no network of the bundle"
            )


def _read_json(folder: Path, name: str) -> object:
    path = folder / name
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise BundleError(f"{folder}: {name} is larger than {_LARGEST_JSON // 2**20} MiB")
        content: object = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise BundleError(f"{folder}: {name} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{folder}: {name} is not JSON: {error}") from error
    return content


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number of JSON")


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _array(value: Any) -> npt.NDArray[Any]:
    """Return a contiguous array of an array or tensor, without importing torch."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().contiguous().numpy()
    return np.asarray(value, order="C")


def _put(fresh: Path, target: Path) -> None:
    """Rename a finished folder to its place; what lay there comes back if that fails."""
    os.chmod(fresh, 0o755)
    if not target.exists():
        os.rename(fresh, target)
        return
    old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=target.parent))
    os.rename(target, old / target.name)
    try:
        os.rename(fresh, target)
    except OSError:
        os.rename(old / target.name, target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)

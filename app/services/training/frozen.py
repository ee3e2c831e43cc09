"""The frozen test: patients chosen once, on whom every model is measured and none is trained.

A frozen test is a folder with a copy of its splits.json (and of its manifest, where that names its files
by absolute paths), the patients' ids and the sha256 of their image files, and a hash over all of it that
the append-only history repeats. It is never changed; another one gets another name.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import MammoviewError, ReadError
from app.core.files import write_json
from app.core.manifest import Manifest, Row, file_sha256, read_manifest, read_table
from app.services.training import history
from app.services.training.job import now, root
from app.services.training.splits import Splits, read_splits

FORMAT = "mammoview-frozen-test"
FILE = "frozen.json"


class FrozenTestError(MammoviewError):
    """A training that must not be: it would be shown a patient of a frozen test."""


@dataclass(frozen=True, slots=True)
class FrozenTest:
    """Whom models are measured on.

    Attributes
    ----------
    manifest, splits
        Files that the trainer is given; the part ``test`` of `fold` counts.
    manifest_sha256, splits_hash
        What they were when the test was chosen.
    patients
        Ids of the test patients.
    files
        sha256 of each of their image files, with the image's id.
    """

    name: str
    manifest: Path
    splits: Path
    fold: int
    manifest_sha256: str
    splits_hash: str
    patients: frozenset[str]
    files: dict[str, str]
    made: str
    who: str


def folder_of_all() -> Path:
    """Return the folder that holds a folder for each frozen test."""
    return root() / "frozen"


def find() -> tuple[FrozenTest, ...]:
    """Return every frozen test, by name; raises what `load` does, so that no broken one is passed by."""
    place = folder_of_all()
    names = sorted(one.name for one in place.iterdir() if (one / FILE).exists()) if place.is_dir() else ()
    kept = {one.name for one in history.read().entries if one.action == "froze"}
    gone = sorted(kept - set(names))
    if gone:
        raise ReadError(place / gone[0], "the frozen test is gone; put it back before anything is trained")
    return tuple(load(name) for name in names)


def load(name: str) -> FrozenTest:
    """Return a frozen test; `ReadError` where it is missing, or not as it was chosen."""
    folder = folder_of_all() / name
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.pop("format") != FORMAT or content.pop("version") != 1:
            raise ValueError
        said = content.pop("hash")
        if said != _hash(content):
            raise ReadError(path, "the frozen test was altered since it was chosen")
        known = history.frozen_hash(name)
        if known is not None and known != said:
            raise ReadError(path, "the frozen test is not the one that was chosen (see the history)")
        manifest = Path(content["manifest"])
        return FrozenTest(
            name,
            manifest if manifest.is_absolute() else folder / manifest,
            folder / "splits.json",
            int(content["fold"]),
            str(content["manifest_sha256"]),
            str(content["splits_hash"]),
            frozenset(content["patients"]),
            dict(content["files"]),
            str(content["made"]),
            str(content["who"]),
        )
    except OSError as error:
        raise ReadError(path, f"the frozen test cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(path, "the record of the frozen test is damaged") from error


def _hash(content: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def freeze(name: str, manifest_path: Path, splits_path: Path, fold: int, who: str = "") -> FrozenTest:
    """Choose a frozen test, once and for all.

    Raises
    ------
    MammoviewError
        A name that is no plain word or is taken, splits of another manifest, a test part without images, a
        file that cannot be read or written.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or len(name) > 64:
        raise MammoviewError(
            f"{name or 'no name'}: a frozen test is named by small letters, digits and hyphens"
        )
    target = folder_of_all() / name
    if target.exists() or history.frozen_hash(name) is not None:
        raise MammoviewError(f"{name}: there is a frozen test of that name, and a frozen test is chosen once")
    manifest, splits = read_manifest(manifest_path.resolve()), read_splits(splits_path)
    if splits.manifest_sha256 != manifest.sha256:
        raise ReadError(splits_path, "the splits were made for another manifest")
    patients = set(splits.fold(fold, splits_path).test)
    rows = [row for row in manifest.rows if row.patient_id in patients]
    if not rows:
        raise ReadError(splits_path, f"the test part of fold {fold} has no image in {manifest_path}")
    content: dict[str, object] = {
        "name": name,
        "manifest": "manifest.csv" if _absolute(manifest) else str(manifest.path),
        "manifest_sha256": manifest.sha256,
        "splits_hash": splits.hash,
        "fold": fold,
        "patients": sorted(patients),
        "files": {row.sha256: row.image_id for row in rows},
        "made": now(),
        "who": who,
    }
    _write(target, manifest, splits_path, content)
    history.append(
        history.Entry("froze", name, digest=_hash(content), who=who, why=f"{len(patients)} patients")
    )
    return load(name)


def _absolute(manifest: Manifest) -> bool:
    """Return whether a copy of the manifest elsewhere names the same files."""
    return all(Path(cells["path"]).is_absolute() for _, cells in read_table(manifest.path)[0])


def _write(target: Path, manifest: Manifest, splits_path: Path, content: dict[str, object]) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".freezing-", dir=target.parent) as name:
            fresh = Path(name) / target.name
            fresh.mkdir(mode=0o700)
            shutil.copyfile(splits_path, fresh / "splits.json")
            if content["manifest"] == "manifest.csv":
                shutil.copyfile(manifest.path, fresh / "manifest.csv")
            write_json(fresh / FILE, {"format": FORMAT, "version": 1, **content, "hash": _hash(content)})
            fresh.rename(target)
    except OSError as error:
        raise ReadError(target, f"the frozen test cannot be written ({error.strerror or error})") from error


def check_files(frozen: FrozenTest) -> Splits:
    """Return the splits of a frozen test after checking that its files are those it was chosen from."""
    splits = read_splits(frozen.splits)
    if splits.hash != frozen.splits_hash:
        raise ReadError(frozen.splits, "the splits of the frozen test have changed since it was chosen")
    try:
        found = file_sha256(frozen.manifest)
    except OSError as error:
        raise ReadError(
            frozen.manifest, f"cannot be read, and the frozen test needs it ({error.strerror})"
        ) from error
    if found != frozen.manifest_sha256:
        raise ReadError(frozen.manifest, "the manifest of the frozen test has changed since it was chosen")
    return splits


def guard(tests: Iterable[FrozenTest], manifest_path: Path, splits_path: Path, fold: int) -> None:
    """Refuse a training that would be shown a patient of a frozen test; `FrozenTestError` names the case.

    A case is known by its patient's id and by the sha256 of its file, so that a renamed patient is still
    known by her images. Ids of two data sets that happen to be equal are taken for one patient.
    """
    manifest, splits = read_manifest(manifest_path), read_splits(splits_path)
    if splits.manifest_sha256 != manifest.sha256:
        raise ReadError(splits_path, "the splits were made for another manifest")
    own = splits.fold(fold, splits_path)
    parts = dict.fromkeys(own.val, "tune") | dict.fromkeys(own.train, "train")
    kept = tuple(tests)
    for row in manifest.rows:
        part = parts.get(row.patient_id)
        for test in kept if part else ():
            said = _met(test, row)
            if said:
                raise FrozenTestError(
                    f"{manifest_path}: image {row.image_id} of patient {row.patient_id} would {part} the "
                    f"model, but {said} the frozen test {test.name}; leave her out, or only test on her"
                )


def _met(test: FrozenTest, row: Row) -> str:
    if row.patient_id in test.patients:
        return "this patient belongs to"
    if row.sha256 in test.files:
        return f"its file is image {test.files[row.sha256]} of"
    return ""

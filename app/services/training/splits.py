"""A splits.json as the workstation reads it: who trains, who tunes, who tests, checked against its hash.

The trainer writes these files (docs/trainer.md); they meet on disk, so the format is read here again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import ReadError

PARTS = ("train", "val", "test")


@dataclass(frozen=True, slots=True)
class Fold:
    """Patient ids of the three parts."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Splits:
    """The content of a splits.json."""

    manifest_sha256: str
    hash: str
    folds: tuple[Fold, ...]

    def fold(self, number: int, path: Path) -> Fold:
        """Return a fold by its number from 0; `ReadError` where there is none."""
        if not 0 <= number < len(self.folds):
            raise ReadError(path, f"has no fold {number}, only 0 to {len(self.folds) - 1}")
        return self.folds[number]


def read_splits(path: Path) -> Splits:
    """Return a splits.json.

    Raises
    ------
    ReadError
        Missing, of another format, altered since it was written, or a patient in two parts.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != "mammoview-splits":
            raise ReadError(path, "is no mammoview-splits file")
        if content.get("version") != 1:
            raise ReadError(path, f"version {content.get('version')} is not known to this program")
        lists = [{name: [str(one) for one in fold[name]] for name in PARTS} for fold in content["folds"]]
        sha256, seed = str(content["manifest_sha256"]), int(content["seed"])
        said = str(content["hash"])
    except OSError as error:
        raise ReadError(path, f"the splits cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(path, "the splits are damaged") from error
    own = {"manifest_sha256": sha256, "seed": seed, "folds": lists}
    if hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest() != said:
        raise ReadError(path, "the lists do not match their hash (edited by hand?)")
    for number, fold in enumerate(lists):
        _need_apart(path, number, fold)
    return Splits(sha256, said, tuple(Fold(**_tuples(fold)) for fold in lists))


def _tuples(fold: dict[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(patients) for name, patients in fold.items()}


def _need_apart(path: Path, number: int, fold: dict[str, list[str]]) -> None:
    seen: dict[str, str] = {}
    for name in PARTS:
        for patient in fold[name]:
            if seen.setdefault(patient, name) != name:
                raise ReadError(
                    path, f"patient {patient} is in {seen[patient]} and in {name} of fold {number}"
                )

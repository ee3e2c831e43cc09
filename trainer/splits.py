"""Who trains, who tunes, who tests: patient lists, stratified, written as one readable JSON file.

A `Part` of a split is the only thing from which training samples and augmentation can be made, so
that augmenting (and thereby multiplying) images before they are divided cannot be written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from app.core.files import write_json
from app.core.manifest import Manifest, Row
from trainer.errors import LeakageError, TrainerError

PartName = Literal["train", "val", "test"]
PARTS: tuple[PartName, ...] = ("train", "val", "test")
SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
VAL_OF_REST = 0.15
"""Share of the patients outside a test fold that tune (early stopping) instead of training."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Patient ids of the three parts; disjoint."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: PartName) -> tuple[str, ...]:
        """Return the patient ids of a part."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]


@dataclass(frozen=True, slots=True)
class Splits:
    """The content of a splits.json; `hash` covers the manifest, the seed and all lists.

    Attributes
    ----------
    like
        Hash of the splits that these follow, "" where they follow none. Their test part is kept for testing.
    """

    manifest_sha256: str
    seed: int
    folds: tuple[Fold, ...]
    hash: str
    like: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one part of one fold, and which split they come from.

    Attributes
    ----------
    fold
        0-based; -1 where it is of no fold: all rows (evaluation of a bundle on a whole manifest), or
        the rows of a refit.
    """

    name: PartName | Literal["all"]
    rows: tuple[Row, ...]
    fold: int
    split_hash: str


def _hash(manifest_sha256: str, seed: int, folds: Sequence[Fold]) -> str:
    lists = [{name: list(fold.part(name)) for name in PARTS} for fold in folds]
    text = json.dumps({"manifest_sha256": manifest_sha256, "seed": seed, "folds": lists}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _strata(manifest: Manifest) -> dict[str, list[str]]:
    """Return patients by what should be spread evenly: the labels that a patient has, and density."""
    labels: dict[str, set[str]] = {}
    density: dict[str, str] = {}
    for row in manifest.rows:
        labels.setdefault(row.patient_id, set()).add(row.label)
        density.setdefault(row.patient_id, row.density)
    strata: dict[str, list[str]] = {}
    for patient in sorted(labels):
        key = "+".join(sorted(labels[patient])) + "|" + density[patient]
        strata.setdefault(key, []).append(patient)
    return strata


def _deal(
    strata: dict[str, list[str]], shares: Sequence[float], generator: np.random.Generator
) -> list[list[str]]:
    """Deal patients into parts so that each stratum and the whole come near the shares."""
    parts: list[list[str]] = [[] for _ in shares]
    dealt = 0
    for key in sorted(strata):
        within = [0] * len(shares)
        for count, index in enumerate(generator.permutation(len(strata[key])), start=1):
            dealt += 1
            # Largest shortfall within the stratum plus overall; the overall term keeps strata of
            # one or two patients from all falling into the largest part.
            lacks = [
                share * count - have + share * dealt - len(part)
                for share, have, part in zip(shares, within, parts, strict=True)
            ]
            best = int(np.argmax(lacks))
            within[best] += 1
            parts[best].append(strata[key][int(index)])
    for part in parts:
        # In very small sets the shares may leave a part without anyone.
        largest = max(parts, key=len)
        if not part and len(largest) > 1:
            part.append(largest.pop())
    return parts


def parse_shares(text: str) -> tuple[float, float, float]:
    """Return the shares to train, tune and test of ``70,20,10``; raises TrainerError."""
    try:
        train, val, test = (float(word) / 100 for word in text.split(","))
    except ValueError as error:
        raise TrainerError(f"--shares {text}: the form is 70,20,10") from error
    if not min(train, val, test) > 0 or abs(train + val + test - 1) > 1e-6:
        raise TrainerError(f"--shares {text}: must be above 0 and add up to 100")
    return train, val, test


def _holdout(manifest: Manifest, seed: int, shares: Sequence[float] | None = None) -> list[Fold]:
    shares = shares or [SHARES[name] for name in PARTS]
    parts = _deal(_strata(manifest), shares, np.random.default_rng(seed))
    return [Fold(*(tuple(sorted(part)) for part in parts))]


def _without(strata: dict[str, list[str]], out: set[str]) -> dict[str, list[str]]:
    return {key: [patient for patient in group if patient not in out] for key, group in strata.items()}


def _cross(manifest: Manifest, folds: int, seed: int) -> list[Fold]:
    strata = _strata(manifest)
    tests = _deal(strata, [1 / folds] * folds, np.random.default_rng(seed))
    made = []
    for number, test in enumerate(tests):
        generator = np.random.default_rng([seed, number])
        train, val = _deal(_without(strata, set(test)), [1 - VAL_OF_REST, VAL_OF_REST], generator)
        made.append(Fold(tuple(sorted(train)), tuple(sorted(val)), tuple(sorted(test))))
    return made


def _official(manifest: Manifest, folds: int | None, seed: int, strict: bool) -> list[Fold]:
    """Return the official test part beside one tuning part, or beside K that take turns."""
    named: dict[str, set[str]] = {}
    for row in manifest.rows:
        if row.official_split:
            named.setdefault(row.patient_id, set()).update(row.official_split.split())
    if not any("test" in parts for parts in named.values()):
        raise TrainerError(f"{manifest.path}: this data set has no official split")
    both = sorted(patient for patient, parts in named.items() if len(parts) > 1)
    if both and not strict:
        raise TrainerError(
            f"{manifest.path}: the official split puts {len(both)} patients ({both[0]}, ...) into two parts; "
            "--official-strict keeps them out of training"
        )
    test = {patient for patient, parts in named.items() if "test" in parts}
    out = test | {patient for patient in manifest.patients if patient not in named}
    rest, generator = _without(_strata(manifest), out), np.random.default_rng(seed)
    tests = tuple(sorted(test))
    if folds is None:
        train, val = _deal(rest, [1 - VAL_OF_REST, VAL_OF_REST], generator)
        return [Fold(tuple(sorted(train)), tuple(sorted(val)), tests)]
    everyone = {patient for group in rest.values() for patient in group}
    return [
        Fold(tuple(sorted(everyone - set(val))), tuple(sorted(val)), tests)
        for val in _deal(rest, [1 / folds] * folds, generator)
    ]


def official_test(manifest: Manifest, splits: Splits) -> frozenset[str]:
    """Return the official test patients, where the splits keep every one of them for testing.

    Empty where the data set has none, or where the splits were made without regard to them.
    """
    named = frozenset(row.patient_id for row in manifest.rows if "test" in row.official_split.split())
    return named if all(named <= set(fold.test) for fold in splits.folds) else frozenset()


def kept_test(manifest: Manifest, splits: Splits) -> frozenset[str]:
    """Return whom not even a refit trains on: those who test in splits like others, or officially."""
    if splits.like:
        return frozenset(patient for fold in splits.folds for patient in fold.test)
    return official_test(manifest, splits)


def check_seed(seed: int) -> None:
    """Refuse a seed that not every generator takes; raises TrainerError."""
    if not 0 <= seed < 2**32:
        raise TrainerError(f"--seed {seed}: must lie in 0 to {2**32 - 1}")


def make_splits(
    manifest: Manifest,
    *,
    folds: int | None = None,
    seed: int = 0,
    official: Literal["no", "yes", "strict"] = "no",
    shares: Sequence[float] | None = None,
) -> Splits:
    """Divide a manifest's patients.

    Parameters
    ----------
    folds
        None: one division of 70/15/15 per cent. K >= 2: K folds whose test parts are disjoint and
        cover every patient; of the rest 15 per cent are set aside for tuning.
    seed
        Same manifest, same arguments, same seed: same splits.
    official
        Use the manifest's official_split column; ``strict`` drops from training who is in both. The
        official test patients test in every fold; with K folds the others take turns to tune.

    shares
        To train, tune and test, without folds and official parts; None: 70, 15 and 15 per cent.

    Raises
    ------
    TrainerError
        Too few patients, no official split, or an impossible seed.
    """
    check_seed(seed)
    if shares and (folds is not None or official != "no"):
        raise TrainerError("--shares: goes with neither --folds nor --official")
    patients = len(manifest.patients)
    need = 3 if folds is None else max(3, folds)
    if folds is not None and folds < 2:
        raise TrainerError(f"--folds {folds}: at least 2 folds are needed")
    if patients < need:
        raise TrainerError(f"{manifest.path}: {patients} patients are too few for {folds or 1} fold(s)")
    if official != "no":
        made = _official(manifest, folds, seed, official == "strict")
    else:
        made = _holdout(manifest, seed, shares) if folds is None else _cross(manifest, folds, seed)
    for number, fold in enumerate(made):
        for name in PARTS:
            if not fold.part(name):
                raise TrainerError(f"{manifest.path}: fold {number} would have no patient in its {name} part")
    return Splits(manifest.sha256, seed, tuple(made), _hash(manifest.sha256, seed, made))


def _fold_of(splits: Splits, fold: int) -> Fold:
    if not 0 <= fold < len(splits.folds):
        raise TrainerError(f"--fold {fold}: the splits have folds 0 to {len(splits.folds) - 1}")
    return splits.folds[fold]


def found_of(manifest: Manifest, splits: Splits, fold: int) -> str:
    """Return the sentence of how many patients who tune and test in a fold stand in a manifest."""
    here, known = set(manifest.patients), _fold_of(splits, fold)
    counts = {name: len(here & set(known.part(name))) for name in PARTS}
    text = (
        f"{manifest.path}: {counts['val']} of {len(known.val)} known patients who tune and "
        f"{counts['test']} of {len(known.test)} who test are among these"
    )
    return text if counts["test"] else f"{text}; others, who would train, are drawn to test"


def splits_like(manifest: Manifest, splits: Splits, fold: int, seed: int = 0) -> Splits:
    """Return one fold for another manifest in which patients stand where a fold of known splits has them.

    Who is in no list of that fold trains. Where nobody is left to tune or to test, patients who would train
    are drawn for it. Made for curated sets: who tests in that fold is never trained on, by a refit neither.

    Raises
    ------
    TrainerError
        No such fold, too few patients, or none of the fold's patients, as where ids are written otherwise.
    """
    check_seed(seed)
    here, known = set(manifest.patients), _fold_of(splits, fold)
    if here.isdisjoint((*known.train, *known.val, *known.test)):
        raise TrainerError(
            f"{manifest.path}: none of the {len(known.test)} known test patients, nor of those who "
            "train and tune beside them, is among these; write patient ids as "
            "in the known splits, or divide without --like"
        )
    lists: dict[PartName, set[str]] = {"val": here & set(known.val), "test": here & set(known.test)}
    rest = here - lists["val"] - lists["test"]
    missing: list[PartName] = [name for name in ("val", "test") if not lists[name]]
    strata = _without(_strata(manifest), here - rest)
    shares = [1 - sum(SHARES[name] for name in missing), *(SHARES[name] for name in missing)]
    parts = _deal(strata, shares, np.random.default_rng(seed))
    for name, part in zip(("train", *missing), parts, strict=True):
        lists[name] = set(part)
    for name in PARTS:
        if not lists[name]:
            raise TrainerError(f"{manifest.path}: there would be no patient in the {name} part")
    made = [Fold(*(tuple(sorted(lists[name])) for name in PARTS))]
    return Splits(manifest.sha256, seed, tuple(made), _hash(manifest.sha256, seed, made), splits.hash)


def one_class(manifest: Manifest) -> str:
    """Return the sentence that all images have one label, "" where they have several."""
    labels = {row.label for row in manifest.rows}
    if len(labels) > 1:
        return ""
    images = f"all {len(manifest.rows)} images are {labels.pop()}"
    return f"{manifest.path}: {images}, so there is nothing to tell apart"


def write_splits(splits: Splits, path: Path) -> None:
    """Write a splits.json, whole or not at all."""
    content = {
        "format": "mammoview-splits",
        "version": 1,
        "manifest_sha256": splits.manifest_sha256,
        "seed": splits.seed,
        "hash": splits.hash,
        "folds": [{name: list(fold.part(name)) for name in PARTS} for fold in splits.folds],
    }
    if splits.like:
        content["like"] = splits.like
    write_json(path, content)


def overlaps(splits: Splits) -> tuple[str, ...]:
    """Return one sentence for every patient who stands in two parts of a fold."""
    found = []
    for number, fold in enumerate(splits.folds):
        seen: dict[str, str] = {}
        for name in PARTS:
            for patient in dict.fromkeys(fold.part(name)):
                if seen.setdefault(patient, name) != name:
                    found.append(f"patient {patient} is in {seen[patient]} and in {name} of fold {number}")
    return tuple(found)


def check_splits(splits: Splits, path: Path) -> None:
    """Refuse a patient in two parts (LeakageError), and lists that were altered (TrainerError)."""
    found = overlaps(splits)
    if found:
        raise LeakageError(f"{path}: {found[0]}")
    if _hash(splits.manifest_sha256, splits.seed, splits.folds) != splits.hash:
        raise TrainerError(f"{path}: the lists do not match their hash (edited by hand?)")


def _fold(entry: dict[str, list[str]]) -> Fold:
    return Fold(*(tuple(str(patient) for patient in entry[name]) for name in PARTS))


def read_splits(path: Path, *, check: bool = True) -> Splits:
    """Read a splits.json; refuses another format and, unless `check` is off, what `check_splits` refuses.

    Only the audit reads without checking: it reports what is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError(f"{path}: the splits cannot be read ({error.__class__.__name__})") from error
    if not isinstance(content, dict) or content.get("format") != "mammoview-splits":
        raise TrainerError(f"{path}: not a mammoview-splits file")
    if content.get("version") != 1:
        raise TrainerError(f"{path}: version {content.get('version')} is not known to this program")
    try:
        folds = tuple(_fold(entry) for entry in content["folds"])
        sha256, said = str(content["manifest_sha256"]), str(content["hash"])
        splits = Splits(sha256, int(content["seed"]), folds, said, str(content.get("like", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise TrainerError(f"{path}: the splits lack {error}") from error
    if check:
        check_splits(splits, path)
    return splits


def part_of(manifest: Manifest, splits: Splits, fold: int, name: PartName) -> Part:
    """Return the rows of a part; refuses splits of another manifest and a fold that does not exist."""
    if splits.manifest_sha256 != manifest.sha256:
        raise TrainerError(f"{manifest.path}: the splits were made for another manifest")
    wanted = set(_fold_of(splits, fold).part(name))
    rows = tuple(row for row in manifest.rows if row.patient_id in wanted)
    return Part(name, rows, fold, splits.hash)


def refit_part(manifest: Manifest, splits: Splits) -> Part:
    """Return everyone in the splits but `kept_test`, who are never trained on."""
    if splits.manifest_sha256 != manifest.sha256:
        raise TrainerError(f"{manifest.path}: the splits were made for another manifest")
    listed = {patient for fold in splits.folds for name in PARTS for patient in fold.part(name)}
    wanted = listed - kept_test(manifest, splits)
    rows = tuple(row for row in manifest.rows if row.patient_id in wanted)
    return Part("train", rows, -1, splits.hash)


def all_rows(manifest: Manifest) -> Part:
    """Return the whole manifest as one part, for evaluating a finished bundle."""
    return Part("all", manifest.rows, -1, "")

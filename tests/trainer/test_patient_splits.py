"""Splits: no patient in two parts, the same seed the same lists, nothing edited by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.manifest import Manifest, Row
from trainer.augment import Augment
from trainer.errors import TrainerError
from trainer.recipe_blocks import Augmentation
from trainer.splits import (
    PARTS,
    all_rows,
    make_splits,
    part_of,
    read_splits,
    refit_part,
    write_splits,
)


def manifest(patients: int, seed: int = 0) -> Manifest:
    """A manifest of made-up patients with one to four images each."""
    generator = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for image in range(int(generator.integers(1, 5))):
            label = "malignant" if generator.random() < 0.3 else "normal"
            rows.append(
                Row(
                    f"i{patient}-{image}", f"p{patient:03d}", f"s{patient}", "LR"[image % 2], "MLO",
                    Path(f"/nowhere/{patient}-{image}.png"), 0, "0" * 64, 10, 10, (0.2, 0.2), "film",
                    "FGD"[patient % 3], "", "", label, "test: made up",
                )
            )  # fmt: skip
    return Manifest(Path("manifest.csv"), tuple(rows), f"{seed:064d}")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("folds", [None, 2, 5])
def test_no_patient_is_in_two_parts_and_none_is_lost(seed: int, folds: int | None) -> None:
    data = manifest(11 + 7 * seed, seed)
    for fold in make_splits(data, folds=folds, seed=seed).folds:
        lists = [fold.part(name) for name in PARTS]
        together = [patient for part in lists for patient in part]
        assert len(together) == len(set(together))
        assert set(together) == set(data.patients)


@pytest.mark.parametrize("seed", range(4))
def test_the_test_parts_of_folds_cover_each_patient_once(seed: int) -> None:
    data = manifest(40, seed)
    tested = [patient for fold in make_splits(data, folds=5, seed=seed).folds for patient in fold.test]
    assert sorted(tested) == sorted(data.patients)


def test_positives_are_spread_over_the_folds() -> None:
    data = manifest(100, 3)
    sick = {row.patient_id for row in data.rows if row.label == "malignant"}
    counts = [len(sick & set(fold.test)) for fold in make_splits(data, folds=5, seed=0).folds]
    assert max(counts) - min(counts) <= 3


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    data = manifest(30)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_splits(make_splits(data, folds=3, seed=seed), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_splits_come_back_as_they_were_written(tmp_path: Path) -> None:
    splits = make_splits(manifest(20), folds=4, seed=5)
    write_splits(splits, tmp_path / "s.json")
    assert read_splits(tmp_path / "s.json") == splits
    content = json.loads((tmp_path / "s.json").read_text())
    assert set(content) == {"format", "version", "manifest_sha256", "seed", "hash", "folds"}
    assert set(content["folds"][0]) == {"train", "val", "test"}


def test_a_patient_moved_by_hand_is_noticed(tmp_path: Path) -> None:
    write_splits(make_splits(manifest(20)), tmp_path / "s.json")
    content = json.loads((tmp_path / "s.json").read_text())
    moved = content["folds"][0]["test"].pop()
    content["folds"][0]["train"].append(moved)
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(TrainerError, match="do not match their hash"):
        read_splits(tmp_path / "s.json")
    content["folds"][0]["val"].append(moved)
    (tmp_path / "s.json").write_text(json.dumps(content))
    with pytest.raises(TrainerError, match=f"patient {moved} is in train and in val"):
        read_splits(tmp_path / "s.json")


def test_splits_of_another_manifest_are_refused() -> None:
    splits = make_splits(manifest(20, 1))
    with pytest.raises(TrainerError, match="another manifest"):
        part_of(manifest(20, 2), splits, 0, "train")


def test_more_folds_than_patients_are_refused() -> None:
    with pytest.raises(TrainerError, match="too few"):
        make_splits(manifest(4), folds=9)


def test_only_a_train_part_can_be_augmented() -> None:
    data = manifest(20)
    splits = make_splits(data)
    Augment(part_of(data, splits, 0, "train"), Augmentation(), 0)
    for part in (part_of(data, splits, 0, "test"), part_of(data, splits, 0, "val"), all_rows(data)):
        with pytest.raises(TrainerError, match="only the train part"):
            Augment(part, Augmentation(), 0)


def test_a_data_set_without_an_official_split_says_so() -> None:
    with pytest.raises(TrainerError, match="no official split"):
        make_splits(manifest(20), official="yes")


def with_official(patients: int) -> Manifest:
    """A manifest of which every fifth patient is the official test part and every seventh in no part."""
    data = manifest(patients)
    rows = []
    for row in data.rows:
        number = int(row.patient_id[1:])
        name = "test" if number % 5 == 0 else "" if number % 7 == 0 else "train"
        rows.append(replace(row, official_split=name))
    return replace(data, rows=tuple(rows))


def test_official_folds_take_turns_to_tune_and_always_test_on_the_official_part() -> None:
    data = with_official(35)
    test = {f"p{number:03d}" for number in range(0, 35, 5)}
    nobody = {f"p{number:03d}" for number in (7, 14, 21, 28)}
    splits = make_splits(data, folds=4, seed=2, official="yes")
    assert [set(fold.test) for fold in splits.folds] == [test] * 4
    tuned = [patient for fold in splits.folds for patient in fold.val]
    assert sorted(tuned) == sorted(set(data.patients) - test - nobody)
    for fold in splits.folds:
        assert set(fold.train) == set(tuned) - set(fold.val)


@pytest.mark.parametrize("folds", [None, 3])
def test_a_refit_never_trains_on_the_official_test_part(folds: int | None) -> None:
    data = with_official(35)
    refit = refit_part(data, make_splits(data, folds=folds, official="yes"))
    assert {row.official_split for row in refit.rows} == {"train"}
    assert len({row.patient_id for row in refit.rows}) == 35 - 7 - 4
    # Splits that were made without regard to the official part: then a refit is on everyone.
    everyone = refit_part(data, make_splits(data, folds=3))
    assert {row.patient_id for row in everyone.rows} == set(data.patients)

"""Splits: how evenly classes and densities are spread, beside scikit-learn; one class only is said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_patient_splits import manifest

from app.core.manifest import Manifest, write_manifest
from trainer.cli import main
from trainer.splits import PARTS, SHARES, make_splits


def patients_with(data: Manifest, word: str, value: str) -> set[str]:
    return {row.patient_id for row in data.rows if getattr(row, word) == value}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("word", "value"), [("label", "malignant"), ("label", "normal"), ("density", "F")])
def test_folds_differ_by_hardly_a_patient_of_a_class(seed: int, word: str, value: str) -> None:
    data = manifest(200, seed)
    having = patients_with(data, word, value)
    counts = [len(having & set(fold.test)) for fold in make_splits(data, folds=5, seed=seed).folds]
    # Nine strata (labels x density) can each be off by one; a random deal of 100 of 200 patients into
    # fives has a range of about 10 (standard deviation 4).
    assert max(counts) - min(counts) <= 4
    assert sum(counts) == len(having)


@pytest.mark.parametrize("seed", range(6))
def test_a_holdout_has_its_shares_of_each_class(seed: int) -> None:
    data = manifest(200, seed)
    sick = patients_with(data, "label", "malignant")
    fold = make_splits(data, seed=seed).folds[0]
    for name in PARTS:
        assert len(fold.part(name)) == pytest.approx(SHARES[name] * 200, abs=3)
        assert len(sick & set(fold.part(name))) == pytest.approx(SHARES[name] * len(sick), abs=3)


def test_patients_of_a_class_are_spread_as_well_as_scikit_learn_spreads_them() -> None:
    model_selection = pytest.importorskip("sklearn.model_selection")
    ours, theirs = [], []
    for seed in range(5):
        data = manifest(120, seed)
        sick = patients_with(data, "label", "malignant")
        counts = [len(sick & set(fold.test)) for fold in make_splits(data, folds=5, seed=seed).folds]
        ours.append(max(counts) - min(counts))
        labels = np.array([row.label for row in data.rows])
        groups = np.array([row.patient_id for row in data.rows])
        judge = model_selection.StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        counts = [len(sick & set(groups[test])) for _, test in judge.split(labels, labels, groups)]
        theirs.append(max(counts) - min(counts))
    assert np.mean(ours) <= np.mean(theirs) + 1


def test_rare_positives_reach_every_fold() -> None:
    data = manifest(100, 0)
    few = {f"p{number:03d}" for number in range(0, 100, 20)}
    rows = tuple(replace(row, label="malignant" if row.patient_id in few else "normal") for row in data.rows)
    folds = make_splits(replace(data, rows=rows), folds=5, seed=3).folds
    assert Counter(len(few & set(fold.test)) for fold in folds) == {1: 5}


def test_one_class_only_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [replace(row, label="malignant") for row in manifest(20).rows]
    write_manifest(rows, tmp_path / "m.csv")
    assert main(["split", str(tmp_path / "m.csv"), "-o", str(tmp_path / "s.json")]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "nothing to tell apart" in line]
    images = f"all {len(rows)} images are malignant"
    assert said == [f"{tmp_path / 'm.csv'}: {images}, so there is nothing to tell apart"]

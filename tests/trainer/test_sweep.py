"""Several values of a setting, one run each, in one table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from tiny_training import TINY, Miniature

from trainer.cli import main
from trainer.errors import TrainerError
from trainer.sweep import trials


def test_every_combination_is_a_trial_and_lists_are_one_value() -> None:
    made = trials(["lr=1e-3,1e-2", "networks.classifier.config.widths=[8,8],[8,16]"])
    assert [trial.changes[0] for trial in made] == ["lr=1e-3", "lr=1e-3", "lr=1e-2", "lr=1e-2"]
    assert [trial.changes[1].partition("=")[2] for trial in made] == ["[8,8]", "[8,16]"] * 2
    assert len({trial.name for trial in made}) == 4
    assert not any(set(trial.name) & set("/[], ") for trial in made)


@pytest.mark.parametrize("wrong", [["lr"], ["lr=1,"], ["lr=1,1"], ["lr=1,2", "lr=3"], ["=1,2"]])
def test_a_wrong_form_is_refused(wrong: list[str]) -> None:
    with pytest.raises(TrainerError, match="--sweep"):
        trials(wrong)
    with pytest.raises(TrainerError, match="more than 100"):
        trials(["lr=" + ",".join(map(str, range(101)))])


def test_the_table_holds_the_best_epoch_of_each_run(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    words = ["fit", "mias-abnormality", "--manifest", str(miniature.manifest.path), "--device", "cpu"]
    words += ["--splits", str(miniature.splits_path), "-o", str(out), "--set", *TINY, "epochs=2", "--sweep"]
    assert main([*words, "lr=1e-3,5e-3", "size=64x64,96x96"]) == 0
    rows = list(csv.DictReader((out / "sweep.csv").read_text().splitlines()))
    assert [(row["lr"], row["size"]) for row in rows] == [
        ("1e-3", "64x64"),
        ("1e-3", "96x96"),
        ("5e-3", "64x64"),
        ("5e-3", "96x96"),
    ]
    for row in rows:
        log = list(csv.DictReader((out / row["run"] / "logs" / "metrics.csv").read_text().splitlines()))
        losses = {int(one["epoch"]) + 1: float(one["val_loss"]) for one in log if one["val_loss"]}
        assert float(row["val_loss"]) == pytest.approx(min(losses.values()), abs=1e-4)
        assert losses[int(row["epoch"])] == min(losses.values())
    assert len({row["val_loss"] for row in rows}) > 1
    assert "Of the tuning part, 4 runs" in capsys.readouterr().out
    assert main([*words, "lr=1e-3,5e-3"]) == 1
    assert "exists already" in capsys.readouterr().err


def test_a_wrong_value_is_refused_before_the_first_run(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fit", "mias-abnormality", "--manifest", str(miniature.manifest.path)]
    words += ["--splits", str(miniature.splits_path), "-o", str(tmp_path / "s"), "--sweep", "epochs=1,none"]
    assert main(words) == 1
    assert "epochs" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()

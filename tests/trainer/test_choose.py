"""Which images become a manifest, what they are labelled by, and in which shares they are divided."""

from __future__ import annotations

from pathlib import Path

import pytest
from film_miniature import make_miniature
from tiny_training import Miniature

from app.core.manifest import read_manifest
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.splits import make_splits, parse_shares


def test_labels_may_be_the_density_and_rows_a_choice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_miniature(tmp_path / "data", 12, size=64)
    out = tmp_path / "m.csv"
    words = ["index", "mias", str(tmp_path / "data"), "-o", str(out), "--label", "density"]
    assert main([*words, "--keep", "laterality=L"]) == 0
    rows = read_manifest(out).rows
    # Odd numbers are left; those divisible by three have a lesion and density G, the others F, G, D in turn.
    assert [row.image_id for row in rows] == [f"mdb{number:03d}" for number in (1, 3, 5, 7, 9, 11)]
    assert [row.label for row in rows] == ["G", "G", "D", "G", "G", "D"]
    assert {row.label_source for row in rows} == {"mias: density"}
    assert "6 of 12 images left out" in capsys.readouterr().out
    assert main([*words, "--keep", "label=nothing"]) == 1
    assert main([*words, "--keep", "colour=red"]) == 1
    assert main([*words[:-1], "calc type"]) == 1
    assert "no image says it" in capsys.readouterr().err


def test_shares_of_patients_are_as_asked(miniature: Miniature) -> None:
    (fold,) = make_splits(miniature.manifest, shares=parse_shares("50,25,25")).folds
    # 12 patients, to one or two of whom strata are bound.
    assert [len(part) for part in (fold.train, fold.val, fold.test)] == pytest.approx([6, 3, 3], abs=1)
    assert len({*fold.train, *fold.val, *fold.test}) == 12
    for wrong in ("70,30", "70,20,20", "100,0,0", "a,b,c"):
        with pytest.raises(TrainerError, match="--shares"):
            parse_shares(wrong)
    with pytest.raises(TrainerError, match="neither --folds"):
        make_splits(miniature.manifest, folds=3, shares=(0.5, 0.25, 0.25))

"""A training with a budget of hours; splits that follow those of another manifest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_training import TINY, Miniature, Stop, train

from app.core.manifest import Manifest, Row, read_manifest, write_manifest
from app.services.training.splits import read_splits as divided_as_the_window_reads
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.export import export
from trainer.recipe import read_recipe
from trainer.runs import checkpoint_path, load_checkpoint
from trainer.splits import PARTS, read_splits, refit_part, splits_like, write_splits

SHORT = read_recipe("mias-abnormality", [*TINY, "epochs=2"])


def test_a_training_whose_time_is_up_ends_with_the_epoch_and_ships(
    miniature: Miniature, tmp_path: Path
) -> None:
    recipe = read_recipe("mias-abnormality", [*TINY, "hours=1e-7", "keep=last"])
    run = train(miniature, tmp_path / "run", recipe=recipe)
    assert load_checkpoint(checkpoint_path(run, "last"))["epoch"] == 0
    events = tmp_path / "events.jsonl"
    train(miniature, run, recipe=recipe, resume=True, events=Events(events))
    assert [json.loads(line)["kind"] for line in events.read_text().splitlines()] == ["start", "done"]
    assert export([run], tmp_path / "bundles", print).name == "mias-abnormality"


def test_one_that_is_stopped_within_its_time_is_no_model_yet(miniature: Miniature, tmp_path: Path) -> None:
    recipe = read_recipe("mias-abnormality", [*TINY, "hours=5"])
    with pytest.raises(TrainerError):
        train(miniature, tmp_path / "run", recipe=recipe, callbacks=[Stop()])
    with pytest.raises(TrainerError, match="no model yet"):
        export([tmp_path / "run"], tmp_path / "bundles", print)


def curated(miniature: Miniature, path: Path, keep: set[str], *new: str) -> Manifest:
    """Return a manifest of some patients of the miniature, and of new ones."""
    rows = [row for row in miniature.manifest.rows if row.patient_id in keep]
    first = miniature.manifest.rows[0]
    facts = {name: getattr(first, name) for name in Row.__dataclass_fields__}
    rows += [Row(**{**facts, "image_id": f"i-{one}", "patient_id": one}) for one in new]
    return write_manifest(rows, path)


@pytest.mark.parametrize("fold", [0, 2])
def test_patients_stand_where_the_other_splits_have_them(
    miniature: Miniature, tmp_path: Path, fold: int
) -> None:
    known = miniature.splits.folds[fold]
    data = curated(miniature, tmp_path / "m.csv", set(miniature.manifest.patients), "new-1", "new-2")
    words = ["split", str(data.path), "--like", str(miniature.splits_path), "--fold", str(fold)]
    assert main([*words, "-o", str(tmp_path / "s.json")]) == 0
    (made,) = read_splits(tmp_path / "s.json").folds
    assert (made.val, made.test) == (tuple(sorted(known.val)), tuple(sorted(known.test)))
    assert set(made.train) == {*known.train, "new-1", "new-2"}


def test_a_set_without_test_patients_gets_some_of_those_who_would_train(
    miniature: Miniature, tmp_path: Path
) -> None:
    known = miniature.splits.folds[0]
    data = curated(miniature, tmp_path / "m.csv", {*known.train, *known.val})
    (made,) = splits_like(read_manifest(data.path), miniature.splits, 0).folds
    assert made.val == tuple(sorted(known.val))
    assert made.test
    assert {*made.train, *made.test} == set(known.train)


def test_what_cannot_be_divided_so_is_refused(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = miniature.splits.folds[0]
    data = curated(miniature, tmp_path / "m.csv", set(known.test))
    with pytest.raises(TrainerError, match="no patient in the train part"):
        splits_like(data, miniature.splits, 0)
    with pytest.raises(TrainerError, match="--fold 9"):
        splits_like(data, miniature.splits, 9)
    words = ["split", str(data.path), "--like", str(miniature.splits_path), "--folds", "3"]
    assert main([*words, "-o", str(tmp_path / "s.json")]) == 1
    assert "--like: goes with neither" in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()


def test_patients_who_are_written_otherwise_are_not_divided_anew(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [replace(row, patient_id=f"site-{row.patient_id}") for row in miniature.manifest.rows]
    data = write_manifest(rows, tmp_path / "m.csv")
    words = ["split", str(data.path), "--like", str(miniature.splits_path), "-o", str(tmp_path / "s.json")]
    assert main(words) == 1
    said = capsys.readouterr().err
    assert f"none of the {len(miniature.splits.folds[0].test)} known test patients" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "s.json").exists()


def test_split_says_how_many_known_patients_it_found(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = miniature.splits.folds[0]
    kept = {*known.train, known.val[0], known.test[0]}
    words = ["--like", str(miniature.splits_path), "-o", str(tmp_path / "s.json")]
    path = tmp_path / "m.csv"
    tests = len(known.test)
    for keep, found, drawn in ((kept, 1, False), (kept - set(known.test), 0, True)):
        curated(miniature, path, keep)
        assert main(["split", str(path), *words]) == 0
        said = capsys.readouterr().out
        assert f"1 of {len(known.val)} known patients who tune and {found} of {tests} who test" in said
        assert ("are drawn to test" in said) == drawn


def test_a_refit_never_trains_on_who_tests_in_splits_like_others(
    miniature: Miniature, tmp_path: Path
) -> None:
    known = miniature.splits.folds[0]
    data = curated(miniature, tmp_path / "m.csv", set(miniature.manifest.patients), "new-1")
    made = splits_like(data, miniature.splits, 0)
    path = tmp_path / "s.json"
    write_splits(made, path)
    assert read_splits(path) == made
    assert divided_as_the_window_reads(path).folds[0].test == made.folds[0].test
    refit = {row.patient_id for row in refit_part(data, read_splits(path)).rows}
    assert refit == {*known.train, *known.val, "new-1"}
    own = replace(miniature, manifest=data, splits=made, splits_path=path)
    runs = [train(own, tmp_path / f"run{fold}", fold=fold, recipe=SHORT) for fold in (0, -1)]
    bundle = export(runs, tmp_path / "bundles", print)
    assert "all patients but those of the kept test part" in bundle.metrics["protocol"]
    assert bundle.metrics["n"]["patients"] == len(known.test)


def test_nobody_stands_in_two_parts(miniature: Miniature, tmp_path: Path) -> None:
    known = miniature.splits.folds[1].train[0]
    for count in (4, 9):
        data = curated(miniature, tmp_path / "m.csv", {known}, *(f"n{number}" for number in range(count)))
        (made,) = splits_like(data, miniature.splits, 1).folds
        everyone = [patient for name in PARTS for patient in made.part(name)]
        assert sorted(everyone) == sorted(data.patients)
        assert all(made.part(name) for name in PARTS)

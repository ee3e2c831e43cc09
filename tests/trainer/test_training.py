"""From a miniature to a bundle and its numbers: fit, resume, export, evaluate."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tiny_training import EPOCHS, TINY, Miniature, Stop, train, weights

from app.core.manifest import ManifestError, write_manifest
from app.core.metrics.ranking import auc
from model_zoo.bundle import load_bundle
from model_zoo.exam import predict_exam
from model_zoo.predictor import load_predictor
from model_zoo.preprocess import prepare
from trainer.assess import assess
from trainer.cache import load
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.events import Events
from trainer.export import export
from trainer.fit import fit
from trainer.recipe import read_recipe
from trainer.runs import read_run, write_run
from trainer.splits import all_rows, make_splits, part_of, write_splits
from trainer.views import read_view


@pytest.fixture(scope="module")
def runs(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [train(miniature, folder / f"fold-{fold}", fold=fold) for fold in range(3)]


def test_a_resumed_training_ends_with_the_same_weights(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(TrainerError, match="power cut"):
        train(miniature, tmp_path / "run", callbacks=[Stop()])
    train(miniature, tmp_path / "run", resume=True)
    logs = [tmp_path / "run" / "logs" / name for name in ("metrics-1.csv", "metrics.csv")]
    epochs = [{row["epoch"] for row in csv.DictReader(log.read_text().splitlines())} for log in logs]
    assert epochs == [{"0"}, {str(epoch) for epoch in range(1, EPOCHS)}]
    whole, resumed = weights(runs[0]), weights(tmp_path / "run")
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_the_run_folder_tells_what_was_done(runs: list[Path], miniature: Miniature) -> None:
    run = read_run(runs[0])
    fold = miniature.splits.folds[0]
    assert set(run.trained_on) == set(fold.train)
    assert set(run.tuned_on) == set(fold.val)
    assert not set(run.trained_on) & set(fold.test)
    assert run.split_hash == miniature.splits.hash
    assert run.licences == ("research: mini-MIAS licence agreement (Mammographic Image Analysis Society)",)
    assert (runs[0] / "logs" / "metrics.csv").is_file()
    assert list((runs[0] / "logs").glob("events.out.tfevents*"))


def test_events_are_lines_of_json(miniature: Miniature, tmp_path: Path) -> None:
    train(miniature, tmp_path / "run", events=Events(tmp_path / "events.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    kinds = [line["kind"] for line in lines]
    assert kinds[0] == "start"
    assert kinds[-1] == "done"
    assert kinds.count("epoch") == EPOCHS
    assert set(kinds) <= {"start", "epoch", "step", "metric", "warning", "checkpoint", "done", "failed"}
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)


def test_the_network_sees_the_same_bytes_in_training_and_in_use(miniature: Miniature) -> None:
    for row in miniature.manifest.rows[:4]:
        cached = load(row, miniature.recipe.preprocess)
        fresh = prepare(read_view(row), miniature.recipe.preprocess)
        assert cached.pixels.tobytes() == fresh.pixels.tobytes()
        assert cached.mask.tobytes() == fresh.mask.tobytes()
        assert np.array_equal(cached.to_stored, fresh.to_stored)


def test_one_run_ships_with_the_numbers_of_its_test_part(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    bundle = export([runs[0]], tmp_path, print)
    metrics = bundle.metrics
    test = part_of(miniature.manifest, miniature.splits, 0, "test")
    assert metrics["n"]["images"] == len(test.rows)
    assert metrics["split"] == miniature.splits.hash
    assert bundle.spec.licence.use == "research"
    for entry in metrics["metrics"].values():
        assert set(entry) == {"value", "low", "high", "unit", "n", "method", "baseline"}
    again = assess(str(bundle.folder), test, tmp_path / "report", "cpu", None)
    assert again["metrics"] == metrics["metrics"]
    assert "IN-SAMPLE" not in again["protocol"]
    assert (tmp_path / "report" / "MODEL_CARD.md").is_file()


def test_an_ensemble_is_the_mean_of_its_members_and_is_scored_out_of_fold(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    singles = [load_predictor(export([run], tmp_path / run.name, print), "cpu") for run in runs]
    ensemble = export(runs, tmp_path / "all", print)
    joined = load_predictor(ensemble, "cpu")
    pixels = np.array(load(miniature.manifest.rows[0], miniature.recipe.preprocess).pixels)
    logits = [one.answer(pixels).logit for one in singles]
    assert np.ptp(logits) > 0.05, "members that say the same prove nothing"
    assert joined.answer(pixels).logit == pytest.approx(np.mean(logits), abs=2e-3)
    assert ensemble.metrics["n"]["images"] == len(miniature.manifest.rows)
    every = assess(str(ensemble.folder), all_rows(miniature.manifest), tmp_path / "report", "cpu", None)
    assert "Out-of-fold" in every["protocol"]
    stated = ensemble.metrics["metrics"]["auc.image"]["value"]
    assert every["metrics"]["auc.image"]["n"] == len(miniature.manifest.rows)
    assert every["metrics"]["auc.image"]["value"] == pytest.approx(stated, abs=0.02)
    # The spots are bright: whoever has learnt anything ranks most of them first, in every fold.
    assert stated > 0.75
    with (tmp_path / "report" / "predictions.csv").open(newline="", encoding="utf-8") as table:
        said = [
            (row["patient_id"], row["label"] != "normal", float(row["score"]))
            for row in csv.DictReader(table)
        ]
    for fold in miniature.splits.folds:
        own = [(sick, score) for patient, sick, score in said if patient in fold.test]
        scores = np.array([score for _, score in own])
        assert scores.std() > 0.01
        assert auc(np.array([sick for sick, _ in own]), scores) > 0.9


def official(miniature: Miniature, folder: Path, folds: int | None = None) -> Miniature:
    """The miniature with its last four patients as official test part."""
    last = miniature.manifest.patients[-4:]
    rows = [
        replace(row, official_split="test" if row.patient_id in last else "train")
        for row in miniature.manifest.rows
    ]
    manifest = write_manifest(rows, folder / "manifest.csv")
    splits = make_splits(manifest, folds=folds, seed=3, official="yes")
    write_splits(splits, folder / "splits.json")
    return replace(miniature, manifest=manifest, splits=splits, splits_path=folder / "splits.json")


def test_a_refit_leaves_the_official_test_patients_alone_and_is_measured_on_them(
    miniature: Miniature, tmp_path: Path
) -> None:
    data = official(miniature, tmp_path)
    test = set(data.manifest.patients[-4:])
    refit = train(data, tmp_path / "refit", fold=-1)
    assert set(read_run(refit).trained_on) == set(data.manifest.patients) - test
    bundle = export([train(data, tmp_path / "fold"), refit], tmp_path / "bundles", print)
    assert "all patients but those of the official test part" in bundle.metrics["protocol"]
    assert bundle.metrics["n"]["patients"] == 4
    part = part_of(data.manifest, data.splits, 0, "test")
    again = assess(str(bundle.folder), part, tmp_path / "report", "cpu", None)
    assert "None of these patients trained the weights" in again["protocol"]
    assert again["metrics"] == bundle.metrics["metrics"]


def test_an_ensemble_of_official_folds_is_measured_on_the_official_test_part(
    miniature: Miniature, tmp_path: Path
) -> None:
    data = official(miniature, tmp_path, folds=2)
    made = [train(data, tmp_path / f"fold-{fold}", fold=fold) for fold in range(2)]
    bundle = export(made, tmp_path / "bundles", print)
    assert bundle.metrics["n"] == {"images": 8, "breasts": 8, "patients": 4}
    assert "official test part" in bundle.metrics["protocol"]
    part = part_of(data.manifest, data.splits, 1, "test")
    again = assess(str(bundle.folder), part, tmp_path / "report", "cpu", None)
    assert again["metrics"] == bundle.metrics["metrics"]


def test_a_file_that_changed_since_indexing_is_not_measured_on(miniature: Miniature, tmp_path: Path) -> None:
    data = official(miniature, tmp_path)
    row = data.manifest.rows[-1]
    copy = tmp_path / row.path.name
    copy.write_bytes(row.path.read_bytes())
    rows = [*data.manifest.rows[:-1], replace(row, path=copy)]
    data = official(replace(data, manifest=replace(data.manifest, rows=tuple(rows))), tmp_path)
    run = train(data, tmp_path / "run")
    copy.write_bytes(copy.read_bytes()[:-1] + b"\x07")
    with pytest.raises(
        ManifestError, match=rf"{copy.name}: the file has changed since the manifest was made"
    ):
        export([run], tmp_path / "bundles", print)


def test_a_bundle_knows_whom_its_pretraining_has_seen(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    recipe = read_recipe("mias-abnormality", [*TINY, f"pretrained={runs[0]}"])
    run = read_run(train(miniature, tmp_path / "run", recipe=recipe))
    # As if this training had been on other data: only its start has seen anyone of the miniature.
    write_run(replace(run, trained_on=("other",), tuned_on=()), tmp_path / "run")
    bundle = export([tmp_path / "run"], tmp_path / "bundles", print)
    trained = part_of(miniature.manifest, miniature.splits, 0, "train")
    report = assess(str(bundle.folder), trained, tmp_path / "report", "cpu", None)
    assert "IN-SAMPLE" in report["protocol"]


def others(miniature: Miniature, folder: Path) -> Miniature:
    """The same pictures as if they were of other women."""
    rows = [replace(row, patient_id=f"other-{row.patient_id}") for row in miniature.manifest.rows]
    manifest = write_manifest(rows, folder / "manifest.csv")
    splits = make_splits(manifest, folds=3, seed=1)
    write_splits(splits, folder / "splits.json")
    return replace(miniature, manifest=manifest, splits=splits, splits_path=folder / "splits.json")


def test_a_training_starts_from_a_bundle_and_minds_its_patients(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    bundle = export([runs[0]], tmp_path / "bundles", print)
    # At no learning rate to speak of the weights stay those of the bundle, to the bundle's 16 bits.
    recipe = read_recipe("mias-abnormality", [*TINY, f"pretrained={bundle.folder}", "train.lr=1e-8"])
    with pytest.raises(TrainerError, match="weights have seen"):
        train(miniature, tmp_path / "met", fold=1, recipe=recipe)
    data = others(miniature, tmp_path)
    run = train(data, tmp_path / "run", fold=1, recipe=recipe)
    assert read_run(run).licences == read_run(runs[0]).licences
    again = export([run], tmp_path / "again", print)
    shipped, trained = load_file(bundle.weights), load_file(again.weights)
    assert shipped.keys() == trained.keys()
    learned = [name for name in shipped if "running_" not in name and "num_batches" not in name]
    for name in learned:
        torch.testing.assert_close(trained[name], shipped[name], rtol=1e-3, atol=1e-6, msg=name)
    # What comes of it knows the bundle's patients too, whom its own training never met.
    seen = part_of(miniature.manifest, miniature.splits, 0, "train")
    report = assess(str(again.folder), seen, tmp_path / "report", "cpu", None)
    assert "IN-SAMPLE" in report["protocol"]


def test_a_refit_ships_with_the_numbers_of_the_procedure(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    refit = train(miniature, tmp_path / "refit", fold=-1)
    bundle = export([*runs, refit], tmp_path / "bundles", print)
    assert "metrics are of the procedure" in bundle.card
    part = part_of(miniature.manifest, miniature.splits, 0, "test")
    assert "IN-SAMPLE" in assess(str(bundle.folder), part, tmp_path / "report", "cpu", None)["protocol"]
    with pytest.raises(TrainerError, match="no numbers of its own"):
        export([refit], tmp_path / "alone", print)


def test_a_bundle_answers_through_predict_exam(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    bundle = load_bundle(export([runs[0]], tmp_path, print).folder)
    views = [read_view(row) for row in miniature.manifest.rows[:2]]
    answer = predict_exam(load_predictor(bundle, "cpu"), views, heatmaps=True)
    assert answer.status == "complete"
    assert all(view.score is not None and 0 <= view.score <= 1 for view in answer.views)


def test_an_existing_run_folder_is_not_overwritten(miniature: Miniature, runs: list[Path]) -> None:
    with pytest.raises(TrainerError, match="exists already"):
        train(miniature, runs[0])


def test_one_class_only_is_refused(miniature: Miniature, tmp_path: Path) -> None:
    recipe = read_recipe("mias-abnormality", [*TINY, 'target.positive=["nothing"]'])
    with pytest.raises(TrainerError, match="negatives only"):
        fit(recipe, miniature.manifest, miniature.splits, miniature.splits_path, tmp_path / "run")


def test_an_unknown_key_of_a_recipe_is_named(
    capsys: pytest.CaptureFixture[str], miniature: Miniature
) -> None:
    words = ["fit", "mias-abnormality", "--manifest", str(miniature.manifest.path), "--splits"]
    words += [str(miniature.splits_path), "-o", "/nowhere/run", "--set", "train.lerning_rate=1"]
    assert main(words) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "lerning_rate" in error


def test_a_moved_file_is_named(
    capsys: pytest.CaptureFixture[str], miniature: Miniature, tmp_path: Path
) -> None:
    text = miniature.manifest.path.read_text().replace("mdb001.pgm", "gone.pgm")
    (tmp_path / "manifest.csv").write_text(text)
    assert main(["split", str(tmp_path / "manifest.csv"), "-o", str(tmp_path / "s.json")]) == 0
    words = ["fit", "mias-abnormality", "--manifest", str(tmp_path / "manifest.csv"), "--splits"]
    words += [str(tmp_path / "s.json"), "-o", str(tmp_path / "run"), "--set", *TINY]
    assert main(words) == 1
    assert "gone.pgm" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_wrong_usage_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit"]) == 2
    assert main(["frobnicate"]) == 2
    assert capsys.readouterr().out == ""

"""Detectors of several folds as one bundle: averaged in use, measured out of fold; mirrored at export."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from loud_runs import TINY, make_run
from safetensors.torch import load_file
from tiny_training import Miniature

from app.core.manifest import write_manifest
from model_zoo.architectures.fcos_maps import dense_maps
from model_zoo.bundle import Bundle, load_bundle, write_bundle
from model_zoo.calibration import Calibration
from model_zoo.exam import raw_scores
from model_zoo.predictor import Predictor, load_predictor
from trainer.afterwards import recipe_afterwards
from trainer.assess import assess
from trainer.cache import load
from trainer.cli import main
from trainer.compare import compare
from trainer.errors import TrainerError
from trainer.export import export
from trainer.held_out import bundle_spec, load_trained
from trainer.recipe import read_recipe
from trainer.runs import patient_mark, read_run, write_run
from trainer.splits import all_rows, make_splits, part_of, write_splits
from trainer.views import read_view

FOLDS = 3


@pytest.fixture(scope="module")
def runs(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("detectors")
    return [
        make_run(
            miniature,
            folder / f"fold-{fold}",
            fold,
            "mias-lesions",
            *TINY,
            f"pretrained=somewhere/start-{fold}",
            start=f"start of fold {fold}",
        )
        for fold in range(FOLDS)
    ]


@pytest.fixture(scope="module")
def singles(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Each run as a bundle of its own, not calibrated and not measured."""
    made = []
    for run in runs:
        one = load_trained(run)
        spec = bundle_spec(one.recipe, one.run, Calibration())
        folder = tmp_path_factory.mktemp("single") / "bundle"
        empty = {"format": "mammoview-metrics", "version": 1}
        made.append(write_bundle(folder, spec, one.state, "One run.\n", empty))
    return made


@pytest.fixture(scope="module")
def ensemble(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    changes = ["false_boxes=0.25", "version=0.2.0"]
    return export(runs, tmp_path_factory.mktemp("ensemble"), print, changes)


@pytest.fixture(scope="module")
def mirrored(runs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("mirrored")
    assert main(["export", str(runs[1]), "-o", str(folder), "--set", "mirrored=true"]) == 0
    return load_bundle(folder / "mias-lesions")


def network(predictor: Predictor) -> Any:
    return predictor.network("detector")


def test_the_answer_is_the_mean_of_the_runs_cells(
    miniature: Miniature, singles: list[Bundle], ensemble: Bundle
) -> None:
    state = load_file(ensemble.weights)
    for number, single in enumerate(singles):
        for name, value in load_file(single.weights).items():
            joined = name.replace("detector.", f"detector.members.{number}.", 1)
            assert torch.equal(state.pop(joined), value), name
    assert not state
    pixels = np.array(load(miniature.manifest.rows[2], singles[0].spec.preprocess).pixels)
    image = torch.from_numpy(pixels)
    with torch.no_grad():
        own = [dense_maps(network(load_predictor(one, "cpu")).fcos, image) for one in singles]
        (joined_maps,) = network(load_predictor(ensemble, "cpu"))._maps([image])
    for level, said in enumerate(joined_maps.logits):
        each = np.stack([one.logits[level].numpy() for one in own])
        assert np.ptp(each, axis=0).max() > 0.05, "members that say the same prove nothing"
        assert said.numpy() == pytest.approx(each.mean(axis=0), abs=1e-5)


def test_each_patient_is_scored_by_the_run_that_never_saw_her(
    miniature: Miniature, singles: list[Bundle], ensemble: Bundle, tmp_path: Path
) -> None:
    report = assess(str(ensemble.folder), all_rows(miniature.manifest), tmp_path, "cpu", None)
    assert "Out-of-fold" in report["protocol"]
    assert "IN-SAMPLE" not in report["protocol"]
    assert report["metrics"]["auc.image"] == ensemble.metrics["metrics"]["auc.image"]
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as table:
        said = {row["image_id"]: float(row["score"]) for row in csv.DictReader(table)}
    # Single runs, exported by themselves, say the same once they are calibrated as the ensemble is.
    for fold, single in enumerate(singles):
        predictor = load_predictor(single, "cpu")
        for row in part_of(miniature.manifest, miniature.splits, fold, "test").rows:
            (raw,) = raw_scores(predictor, [read_view(row)])
            assert raw is not None
            wanted = ensemble.spec.calibration.apply(raw, ensemble.spec.aggregation.space)
            assert said.pop(row.image_id) == pytest.approx(wanted, abs=1e-4)
    assert not said


def test_the_bundle_says_whom_each_member_has_seen_and_what_was_not_measured(
    miniature: Miniature, ensemble: Bundle
) -> None:
    members = ensemble.metrics["members"]
    assert ensemble.spec.model_version == "0.2.0"
    assert [set(one) for one in members] == [{"fold", "patients"}] * FOLDS
    for one, fold in zip(members, miniature.splits.folds, strict=True):
        # What each fold started from has its own past.
        seen = (*fold.train, *fold.val, f"other-{one['fold']}")
        assert set(one["patients"]) == {patient_mark(patient) for patient in seen}
        assert f"Pretrained on: start of fold {one['fold']}." in ensemble.card
    assert f"an ensemble of {FOLDS} folds" in ensemble.card
    assert (
        "Box threshold, calibration and operating point were chosen on the boxes of single" in ensemble.card
    )
    assert "how many fewer was not measured" in ensemble.card


def test_the_box_threshold_is_of_the_members_own_boxes(
    miniature: Miniature, singles: list[Bundle], ensemble: Bundle
) -> None:
    rules, false = ensemble.spec.detection, []
    for fold, single in enumerate(singles):
        predictor = load_predictor(single, "cpu")
        network(predictor).limit(0.0, rules.nms_iou, rules.max_per_view)
        for row in part_of(miniature.manifest, miniature.splits, fold, "test").rows:
            sample = load(row, ensemble.spec.preprocess)
            answer, to_stored = predictor.answer(np.array(sample.pixels)), sample.to_stored
            size = np.array([row.rows, row.columns])
            for box, score in zip(answer.boxes, answer.box_scores, strict=True):
                # Edges lie at pixel corners, half a pixel before the centres that the matrix maps.
                ends = [np.asarray(to_stored)[:2] @ [*(end - 0.5), 1.0] + 0.5 for end in (box[:2], box[2:])]
                low, high = np.clip(np.minimum(*ends), 0, size), np.clip(np.maximum(*ends), 0, size)
                place = (low + high) / 2
                inside = any(
                    one.box and one.box[0] <= place[0] < one.box[2] and one.box[1] <= place[1] < one.box[3]
                    for one in row.findings
                )
                if not inside and (high > low).all():
                    false.append(score)
    # A quarter of a false box per image, of 24 images: six of them may be shown, the seventh not.
    above = sorted(false, reverse=True)[:8]
    assert above[6] == pytest.approx(rules.score_threshold, abs=1e-3)
    assert above[5] > above[6]


def test_two_bundles_are_compared_out_of_fold(
    miniature: Miniature, mirrored: Bundle, ensemble: Bundle, tmp_path: Path
) -> None:
    part = part_of(miniature.manifest, miniature.splits, 1, "test")
    found = compare((str(ensemble.folder), str(mirrored.folder)), part, tmp_path / "report", "cpu", None)
    assert "each by a member that never saw her" in found["notes"][0]


def test_an_ensemble_of_official_folds_is_measured_itself(
    miniature: Miniature, runs: list[Path], tmp_path: Path
) -> None:
    """Two of the runs, as if the third's test patients were official ones: neither run was shown them."""
    rest = miniature.splits.folds[2].test
    rows = [
        replace(row, official_split="test" if row.patient_id in rest else "train")
        for row in miniature.manifest.rows
    ]
    manifest = write_manifest(rows, tmp_path / "manifest.csv")
    splits = make_splits(manifest, folds=2, seed=1, official="yes")
    write_splits(splits, tmp_path / "splits.json")
    made = []
    for number in (0, 1):
        fold, folder = splits.folds[number], tmp_path / f"run-{number}"
        shutil.copytree(runs[number], folder)
        facts = {
            "manifest": str(manifest.path),
            "manifest_sha256": manifest.sha256,
            "splits": str(tmp_path / "splits.json"),
            "split_hash": splits.hash,
        }
        own = replace(read_run(folder), **facts, fold=number, trained_on=fold.train, tuned_on=fold.val)
        write_run(own, folder)
        made.append(folder)
    bundle = export(made, tmp_path / "bundles", print)
    assert bundle.metrics["n"]["patients"] == len(rest)
    assert "the numbers here are the ensemble's own" in bundle.metrics["protocol"]
    part = part_of(manifest, splits, 1, "test")
    again = assess(str(bundle.folder), part, tmp_path / "report", "cpu", None)
    assert again["metrics"] == bundle.metrics["metrics"]


def test_mirroring_can_be_set_at_export(
    miniature: Miniature, mirrored: Bundle, singles: list[Bundle]
) -> None:
    assert mirrored.spec.networks["detector"].config["mirrored"] is True
    assert "Set at export, not in training: mirrored=true." in mirrored.card
    assert mirrored.weights.read_bytes() == singles[1].weights.read_bytes()
    pixels = np.array(load(miniature.manifest.rows[2], singles[0].spec.preprocess).pixels)
    over = np.ascontiguousarray(pixels[:, ::-1])
    answers = []
    for bundle in (mirrored, singles[1]):
        predictor = load_predictor(bundle, "cpu")
        answers.append([predictor.answer(one).box_scores[0] for one in (pixels, over)])
    assert answers[0][0] == pytest.approx(answers[0][1], abs=1e-6)
    assert abs(answers[1][0] - answers[1][1]) > 1e-4


@pytest.mark.parametrize(
    ("recipe", "change", "sentence"),
    [
        ("mias-lesions", "train.lr=1", "at export only mirrored, version"),
        ("mias-lesions", "mirrored=maybe", "mirrored must be true or false"),
        ("mias-lesions", "mirrored", "the form is key=value"),
        ("mias-abnormality", "mirrored=true", "has no fcos-detector to be mirrored"),
    ],
)
def test_what_weights_were_trained_with_cannot_be_set_at_export(
    recipe: str, change: str, sentence: str
) -> None:
    with pytest.raises(Exception, match=sentence) as caught:
        recipe_afterwards(read_recipe(recipe).raw, [change], "run")
    assert "\n" not in str(caught.value)


def test_an_ensemble_is_made_of_runs_and_not_trained() -> None:
    with pytest.raises(TrainerError, match="detector has 2 members, but an ensemble is made by export"):
        read_recipe("mias-lesions", ["networks.detector.config.members=2"])


def test_runs_that_learnt_otherwise_are_not_joined(runs: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(runs[1], other)
    facts = read_run(other)
    for changes in ({"specificity": 0.8}, {"pretrained": ""}):
        write_run(replace(facts, recipe={**facts.recipe, **changes}), other)
        with pytest.raises(TrainerError, match=r"other: has another recipe than .*fold-0"):
            export([runs[0], other], tmp_path / "bundles", print)

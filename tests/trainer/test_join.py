"""Two runs of one fold as one: the scale they agree on, whose weights they are, and what is said of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from loud_runs import TINY, make_run
from tiny_training import Miniature, train

import trainer.join
from app.core.manifest import Manifest
from model_zoo.bundle import Bundle, load_bundle
from model_zoo.features import embedding_maps
from model_zoo.predictor import load_predictor
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.held_out import load_trained
from trainer.join import agreed, join
from trainer.recipe import resolve
from trainer.runs import read_run, write_run
from trainer.splits import Part, PartName, Splits

FINE = ("size=128x128", "mm=1.0", *TINY[2:])
FOLDS = 3


@pytest.fixture(scope="module")
def coarse(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("coarse")
    return [make_run(miniature, folder / str(fold), fold, "mias-lesions", *TINY) for fold in range(FOLDS)]


@pytest.fixture(scope="module")
def fine(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("fine")
    return [
        make_run(miniature, folder / str(fold), fold, "mias-calcifications", *FINE) for fold in range(FOLDS)
    ]


@pytest.fixture(scope="module")
def joined(coarse: list[Path], fine: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("joined") / "runs"
    runs = [str(run) for run in coarse]
    # In whatever order: pairs are found by their folds.
    others = [str(run) for run in reversed(fine)]
    said = ["--set", "version=0.9.0", "card.limits=What it is not for."]
    assert main(["join", *runs, "--fine", *others, "-o", str(output), *said]) == 0
    return output


@pytest.fixture(scope="module")
def bundle(joined: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundles")
    runs = [str(joined / f"fold-{fold}") for fold in range(FOLDS)]
    assert main(["export", *runs, "-o", str(folder)]) == 0
    return load_bundle(folder / "mias-lesions")


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def test_scores_agree_where_the_fine_one_makes_its_share_of_false_boxes() -> None:
    # One image. Logits of false boxes, falling: coarse 5, 4, 3, 2, 1; fine 2.0, 1.5, 1.0, ...
    coarse = np.array([sigmoid(value) for value in (5, 4, 3, 2, 1)])
    fine = np.array([sigmoid(value) for value in (2.0, 1.5, 1.0, 0.5)])
    scale = agreed(coarse[::-1], fine, 1, 0.5)
    # One false box per image: coarse above 4; fine may make 0.5, none: above 2.0.
    # Four per image: coarse above 1; fine may make 2: above 1.0.
    assert scale.slope == pytest.approx((4 - 1) / (2.0 - 1.0), rel=1e-6)
    assert scale.offset == pytest.approx(4 - 3 * 2.0, abs=1e-6)


def test_there_is_no_scale_without_false_boxes() -> None:
    scores = np.array([0.6, 0.5])
    with pytest.raises(TrainerError, match="there are 2 false boxes on 1 images, too few to set 4 per image"):
        agreed(scores, scores, 1, 0.25)
    with pytest.raises(TrainerError, match="all the same"):
        agreed(np.full(9, 0.5), np.full(9, 0.5), 1, 0.25)


def test_the_weights_are_those_of_the_runs(joined: Path, coarse: list[Path], fine: list[Path]) -> None:
    for fold in range(FOLDS):
        state = load_trained(joined / f"fold-{fold}").state
        for name, run in (("coarse", coarse[fold]), ("fine", fine[fold])):
            for key, value in load_trained(run).state.items():
                assert torch.equal(state[key.replace("detector.", f"detector.{name}.", 1)], value)


def test_the_image_is_prepared_at_the_fine_ones_pixels(joined: Path) -> None:
    content = read_run(joined / "fold-0").recipe
    # 64 x 64 pixels of 2 mm, as pixels of 1 mm.
    size = content["preprocess"]["resize"]
    assert (size["rows"], size["columns"], size["mm"]) == (128, 128, 1.0)
    assert content["networks"]["detector"]["config"]["shrink"] == 2.0
    assert list(content["target"]["findings"]) == ["abnormality", "calcification"]
    assert (content["name"], content["version"]) == ("mias-lesions", "0.9.0")


def test_a_joined_run_tells_of_both(joined: Path) -> None:
    run = read_run(joined / "fold-1")
    assert run.licences == ("any: mias-calcifications", "any: mias-lesions")
    assert run.ancestors == ("start of mias-lesions", "start of mias-calcifications")
    assert run.facts[0].startswith(
        "Joined with mias-calcifications 0.1.0, trained on the same patients: up to 1"
    )
    assert run.facts[1].endswith("were set on the false boxes of the folds' test parts.")
    assert "fine half alone: in each epoch a drawn lesion in 80% of" in run.facts[2]
    assert [one.manifest_sha256 for one in run.seen_before] == [
        "before mias-lesions",
        "before mias-calcifications",
    ]


def test_a_bundle_of_joined_runs_is_measured_out_of_fold_and_answers(bundle: Bundle) -> None:
    assert bundle.spec.networks["detector"].architecture == "two-scale-detector"
    assert bundle.spec.networks["detector"].config["members"] == FOLDS
    assert bundle.spec.outputs.findings == ("abnormality", "calcification")
    assert [member["fold"] for member in bundle.metrics["members"]] == list(range(FOLDS))
    assert "What it is not for." in bundle.card
    assert bundle.card.count("were set on the false boxes of the folds' test parts") == 1
    pixels = np.random.default_rng(0).normal(size=(1, 128, 128)).astype(np.float32)
    answer = load_predictor(bundle, "cpu").answer(pixels, "detector")
    assert answer.box_scores.size
    assert answer.evidence is not None
    assert answer.evidence.shape == (16, 16)


def test_a_joined_recipe_is_not_fitted(joined: Path, miniature: Miniature, tmp_path: Path) -> None:
    recipe = resolve(read_run(joined / "fold-0").recipe, "joined")
    with pytest.raises(TrainerError, match="made by join, of two trained runs"):
        train(miniature, tmp_path / "run", recipe=recipe)


def test_places_are_compared_by_the_fine_ones_trunk(bundle: Bundle) -> None:
    predictor = load_predictor(bundle, "cpu")
    pixels = np.random.default_rng(0).normal(size=(1, 128, 128)).astype(np.float32)
    trunk = predictor.network("detector").members[0].fine.fcos.backbone.trunk  # type: ignore[union-attr, index]
    expected = trunk(torch.from_numpy(pixels)[None])[-1][0].numpy()
    np.testing.assert_array_equal(embedding_maps(predictor, pixels), expected)


def test_where_folds_share_their_test_patients_these_are_not_asked(
    coarse: list[Path], fine: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    of_splits = trainer.join.part_of

    def part_of(manifest: Manifest, splits: Splits, fold: int, name: PartName) -> Part:
        asked.append(name)
        return of_splits(manifest, splits, fold, name)

    monkeypatch.setattr(trainer.join, "part_of", part_of)
    monkeypatch.setattr(trainer.join, "kept_test", lambda manifest, splits: ("mias-001",))
    (folder, *_) = join(coarse, fine, tmp_path / "out", print)
    assert set(asked) == {"val"}
    assert "the folds' val parts" in read_run(folder).facts[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fold": 1}, "two of the runs trained the same fold"),
        ({"fold": -1}, "must be of the same folds, none of them a refit"),
        ({"split_hash": "0"}, "has another split_hash than"),
    ],
)
def test_runs_that_do_not_belong_together_are_refused(
    coarse: list[Path], fine: list[Path], tmp_path: Path, change: dict[str, object], said: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(fine[0], other)
    write_run(replace(read_run(other), **change), other)
    with pytest.raises(TrainerError, match=said):
        join(coarse, [other, *fine[1:]], tmp_path / "out", print)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_joined_is_said_in_a_sentence(
    coarse: list[Path], fine: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainerError, match="its pixels must be smaller than those of"):
        join(fine, coarse, tmp_path / "out", print)
    with pytest.raises(TrainerError, match="at most 10"):
        join(coarse, fine, tmp_path / "out", print, share=0)
    with pytest.raises(TrainerError, match="here only version, title"):
        join(coarse, fine, tmp_path / "out", print, changes=["train.epochs=3"])
    for wrong in ("mirrored=false", "mirrored = yes"):
        with pytest.raises(TrainerError, match="mirrored=true or nothing"):
            join(coarse, fine, tmp_path / "out", print, changes=[wrong])
    assert list(tmp_path.iterdir()) == []
    assert main(["join", str(coarse[0]), "--fine", str(fine[0]), "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"mammoview-trainer: {tmp_path}: exists already\n"

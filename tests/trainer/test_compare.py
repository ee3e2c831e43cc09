"""Two bundles on the same patients: what is shown, what is not, and who is refused."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_exams import exam
from safetensors.torch import load_file
from tiny_training import Miniature, train

from app.core.metrics.delong import paired_delong
from app.core.metrics.probability import briers
from app.core.metrics.ranking import aucs
from model_zoo.bundle import load_bundle, write_bundle
from trainer.cli import main
from trainer.compare import Pair, difference, paired, sentence
from trainer.compare import compare as compare_bundles
from trainer.errors import TrainerError
from trainer.export import export
from trainer.splits import part_of
from trainer.units import Units, by_image


def units(keys: str, scores: list[float]) -> Units:
    ill = np.array([key.isupper() for key in keys])
    return Units("image", ill, np.array(scores), tuple(keys.lower()), tuple(keys))


def pair(seed: int, better: float, n: int = 160) -> Pair:
    """Scores of two models; b sees `better` more of the truth."""
    generator = np.random.default_rng(seed)
    positive = np.arange(n) % 2 == 0
    shared, own = generator.standard_normal(n), 0.3 * generator.standard_normal((2, n))
    a, b = shared + own[0] + positive, shared + own[1] + positive * (1 + better)
    return Pair("image", positive, a, b, tuple(f"p{k // 2}" for k in range(n)))


def test_only_units_that_both_scored_are_paired_by_what_they_are() -> None:
    both = paired(units("Abcd", [0.9, 0.1, 0.2, 0.3]), units("dAxb", [0.5, 0.8, 0.0, 0.4]))
    assert both.patients == ("a", "b", "d")
    assert both.a.tolist() == [0.9, 0.1, 0.3]
    assert both.b.tolist() == [0.8, 0.4, 0.5]
    assert both.positive.tolist() == [True, False, False]


def test_a_clear_difference_is_shown_with_both_tests() -> None:
    found = difference(pair(0, better=2.0), aucs, "AUC")
    assert found["shown"]
    assert found["low"] > 0
    assert found["delong"]["p"] < 0.001
    assert sentence("auc.image", found).startswith("Difference shown: auc.image ")


def test_where_none_is_shown_it_is_said_and_not_called_equal() -> None:
    # Of forty pairs without a difference about two are shown by chance (more than six: once in 120 times).
    found = [difference(pair(seed, better=0.0), aucs, "AUC", draws=200) for seed in range(40)]
    assert sum(one["shown"] for one in found) <= 6
    one = next(one for one in found if not one["shown"])
    said = sentence("auc.image", one)
    assert said.startswith("No difference shown")
    assert "does not show that they are equal" in said


def test_the_difference_is_b_less_a() -> None:
    one = pair(2, better=1.0)
    turned = Pair("image", one.positive, one.b, one.a, one.patients)
    there, back = difference(one, aucs, "AUC"), difference(turned, aucs, "AUC")
    assert there["difference"] == pytest.approx(there["b"] - there["a"], abs=2e-6)
    assert (there["low"], there["high"]) == pytest.approx((-back["high"], -back["low"]), abs=2e-6)


def test_the_bootstrap_minds_that_images_belong_to_patients() -> None:
    # Each patient's images four times over: DeLong takes them for four times as much, the bootstrap not.
    one = pair(3, better=0.5, n=80)
    four = Pair(
        "image", *(np.tile(values, 4) for values in (one.positive, one.a, one.b)), patients=one.patients * 4
    )
    single, often = difference(one, aucs, "AUC"), difference(four, aucs, "AUC")
    assert often["high"] - often["low"] == pytest.approx(single["high"] - single["low"], abs=1e-6)
    test = [paired_delong(each.positive, each.a, each.b) for each in (one, four)]
    assert test[0] is not None
    assert test[1] is not None
    assert (test[1].high - test[1].low) < 0.55 * (test[0].high - test[0].low)


def test_a_paired_interval_is_narrower_than_two_that_know_nothing_of_each_other() -> None:
    one = pair(4, better=0.0)
    shuffled = np.random.default_rng(0).permutation(len(one.a))
    shuffled = np.where(
        one.positive, np.where(one.positive[shuffled], shuffled, np.arange(160)), np.arange(160)
    )
    apart = Pair("image", one.positive, one.a, one.b[np.argsort(np.argsort(shuffled))], one.patients)
    close, far = difference(one, aucs, "AUC"), difference(apart, aucs, "AUC")
    assert close["high"] - close["low"] < far["high"] - far["low"]


def test_one_class_has_no_difference() -> None:
    none = Pair("breast", np.ones(4, bool), np.arange(4.0), np.arange(4.0), tuple("abcd"))
    found = difference(none, aucs, "AUC")
    assert found["difference"] is None
    assert not found["shown"]
    assert sentence("auc.breast", found) == "auc.breast: undefined (4 breasts of both bundles)."
    assert difference(none, briers, "Brier")["difference"] == 0


def test_units_carry_what_they_are() -> None:
    exams = [exam(1, 0.9, sick=True), exam(2, 0.1, sick=False)]
    assert by_image(exams, lambda row: row.label == "malignant").keys == ("i1", "i2")


@pytest.fixture(scope="module")
def bundles(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One run's bundle, and the same with its weights shaken."""
    folder = tmp_path_factory.mktemp("compared")
    first = export([train(miniature, folder / "run")], folder / "bundles", print)
    torch.manual_seed(0)
    shaken = {
        name: value + 0.1 * torch.randn_like(value) if value.is_floating_point() else value
        for name, value in load_file(str(first.weights)).items()
    }
    second = write_bundle(folder / "shaken", first.spec, shaken, "card\n", first.metrics)
    return [first.folder, second.folder]


def test_the_command_writes_one_page_and_says_its_verdict(
    miniature: Miniature, bundles: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--manifest", str(miniature.manifest.path), "--splits", str(miniature.splits_path)]
    report = tmp_path / "report"
    assert main(["compare", *map(str, bundles), *words, "--device", "cpu", "-o", str(report)]) == 0
    said = capsys.readouterr().out
    found = json.loads((report / "compare.json").read_text())
    test = part_of(miniature.manifest, miniature.splits, 0, "test")
    assert found["n"]["images"] == len(test.rows)
    assert found["verdict"] in said
    assert "none of these patients trained the weights" in said
    page = (report / "index.html").read_text()
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page
    with (report / "pairs.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["image_id"] for row in rows] == [row.image_id for row in test.rows]
    # The numbers are those of each bundle alone.
    alone = json.loads((bundles[0] / "metrics.json").read_text())["metrics"]["auc.image"]["value"]
    assert found["metrics"]["auc.image"]["a"] == pytest.approx(alone)


def test_a_bundle_that_has_seen_a_patient_is_refused_in_one_sentence(
    miniature: Miniature, bundles: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--manifest", str(miniature.manifest.path), "-o", str(tmp_path / "report")]
    assert main(["compare", *map(str, bundles), *words]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "its weights have seen" in error
    assert not (tmp_path / "report").exists()


def test_a_bundle_of_the_other_folds_knows_the_patients(
    miniature: Miniature, bundles: list[Path], tmp_path: Path
) -> None:
    # Fold 1's test patients trained or tuned both; its own test part is refused too.
    part = part_of(miniature.manifest, miniature.splits, 1, "test")
    with pytest.raises(TrainerError, match="its weights have seen"):
        compare_bundles((str(bundles[0]), str(bundles[1])), part, tmp_path, "cpu", None)


def test_bundles_that_look_for_different_things_are_refused(
    miniature: Miniature, bundles: list[Path], tmp_path: Path
) -> None:
    bundle = load_bundle(bundles[1])
    metrics = {**bundle.metrics, "target": {"positive": ["malignant"], "findings": {}}}
    spec = replace(bundle.spec, name="other-target")
    other = write_bundle(tmp_path / "other-target", spec, load_file(str(bundle.weights)), "card\n", metrics)
    part = part_of(miniature.manifest, miniature.splits, 0, "test")
    with pytest.raises(TrainerError, match="looks for malignant, but"):
        compare_bundles((str(bundles[0]), str(other.folder)), part, tmp_path / "r", "cpu", None)


def test_tables_are_not_compared_as_images(miniature: Miniature, bundles: list[Path], tmp_path: Path) -> None:
    part = part_of(miniature.manifest, miniature.splits, 0, "test")
    with pytest.raises(TrainerError, match="looks at no images"):
        compare_bundles((str(bundles[0]), "cbis-calc-descriptors"), part, tmp_path / "r", "cpu", None)

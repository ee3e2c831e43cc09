"""From the command line to a bundle: what is measured is what ships, and the test table is opened last."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from app.core.metrics.bootstrap import patient_interval
from model_zoo import tabular
from model_zoo.bundle import load_bundle, shipped_folder
from tests.trainer.tiny_words import QUICK, line, made_up, quick_recipe, write_table, write_tables
from trainer.cli import main
from trainer.descriptors.cases import design, read_cases, words
from trainer.descriptors.measure import (
    Scored,
    accuracy,
    by_patient,
    sensitive_threshold,
    sensitivity_from,
    specificity_from,
)
from trainer.descriptors.ridge import Strengths, fit_tables, log_odds

CALC = quick_recipe().bundles[0]
TEST, TRAIN = "calc_case_description_test_set.csv", "calc_case_description_train_set.csv"
SHIPPED = ("cbis-calc-descriptors", "cbis-mass-descriptors")


def toml() -> str:
    """Return our recipe for calcifications alone, quick, as a file's text."""
    text = Path("trainer/recipes/cbis-descriptors.toml").read_text(encoding="utf-8")
    head, first, _ = text.split("[[bundles]]\n", 2)
    for key, value in QUICK.items():
        head = re.sub(rf"(?m)^{key} = .*$", f"{key} = {json.dumps(value)}", head)
    return f"{head}[[bundles]]\n{first}"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with tables, a run that was fitted without the test table, and its bundle."""
    home = tmp_path_factory.mktemp("descriptors")
    root = write_tables(home / "tables")
    (home / "tiny.toml").write_text(toml(), encoding="utf-8")
    (root / TEST).rename(home / "kept.csv")
    fit = ["fit", str(home / "tiny.toml"), "--manifest", str(root), "-o", str(home / "run")]
    assert main(fit) == 0  # the test table is not even there
    (home / "kept.csv").rename(root / TEST)
    assert main(["export", str(home / "run"), "-o", str(home / "bundles")]) == 0
    return home


def bundle_folder(home: Path) -> Path:
    return home / "bundles" / "cbis-calc-descriptors"


def test_the_bundle_ranks_what_the_tables_rank(made: Path) -> None:
    bundle = load_bundle(bundle_folder(made))
    calculator = tabular.load(bundle)
    cases = read_cases(made / "tables" / TRAIN, CALC)
    data = design(cases.rows, CALC)
    chosen = bundle.metrics["cross_validation"]["chosen"]
    tables = fit_tables(data, Strengths(**chosen))
    expected = log_odds(tables, data)
    found = [calculator.explain(words(case, CALC)).log_odds for case in cases.rows]
    assert found == pytest.approx(expected, abs=1e-9)
    hidden = [calculator.explain(words(case, CALC, "assessment")).log_odds for case in cases.rows]
    assert hidden == pytest.approx(log_odds(tables, data, 3), abs=1e-9)


def test_evaluating_the_bundle_gives_the_numbers_on_its_card(made: Path) -> None:
    out = made / "report"
    arguments = ["evaluate", str(bundle_folder(made)), "--manifest", str(made / "tables"), "-o", str(out)]
    assert main(arguments) == 0
    again = json.loads((out / "metrics.json").read_text())
    stated = load_bundle(bundle_folder(made)).metrics
    assert again["metrics"] == stated["metrics"]
    assert again["subgroups"] == stated["subgroups"]
    rows = list(csv.DictReader((out / "predictions.csv").open()))
    chance = np.array([float(row["probability"]) for row in rows])
    truth = np.array([row["malignant"] == "1" for row in rows])
    assert len(rows) == 100
    assert stated["metrics"]["accuracy.lesion"]["value"] == pytest.approx(np.mean((chance >= 0.5) == truth))
    assert stated["metrics"]["brier.lesion"]["value"] == pytest.approx(
        np.mean((chance - truth) ** 2), abs=1e-5
    )
    pairs = (chance[truth][:, None] > chance[~truth]) + 0.5 * (chance[truth][:, None] == chance[~truth])
    assert stated["metrics"]["auc.lesion"]["value"] == pytest.approx(pairs.mean(), abs=1e-6)
    assert all(float(row["low"]) <= float(row["probability"]) <= float(row["high"]) for row in rows)


def test_the_training_table_is_called_in_sample(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", str(bundle_folder(made)), "--manifest", str(made / "tables")]
    assert main([*arguments, "--part", "train", "-o", str(made / "in-sample")]) == 0
    assert "IN-SAMPLE: 90 of its patients" in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--record", "Tables: mine"], ["--explain"], ["--outside-domain"]])
def test_what_is_of_images_alone_is_refused_before_anything_is_measured(
    made: Path, tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", str(bundle_folder(made)), "--manifest", str(made / "tables")]
    assert main([*arguments, "-o", str(tmp_path / "report"), *option]) == 1
    assert f"{option[0]} is only for models that look at images" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "report").exists()


def test_a_second_fit_is_the_same_and_takes_no_folder_that_is_there(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit = ["fit", str(made / "tiny.toml"), "--manifest", str(made / "tables"), "-o"]
    assert main([*fit, str(made / "again"), "--events", str(made / "events.jsonl")]) == 0
    kinds = [json.loads(text)["kind"] for text in (made / "events.jsonl").read_text().splitlines()]
    assert kinds == ["start", "metric", "done"]
    name = "cbis-calc-descriptors/weights.safetensors"
    assert (made / "again" / name).read_bytes() == (made / "run" / name).read_bytes()
    capsys.readouterr()
    assert main([*fit, str(made / "run")]) == 1
    assert "there is something already" in capsys.readouterr().err
    assert main([*fit, str(made / "third"), "--splits", "splits.json"]) == 1
    assert "leave --splits out" in capsys.readouterr().err
    assert not (made / "third").exists()


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """Return a copy of tables and run whose tables may be spoilt."""
    shutil.copytree(made / "tables", tmp_path / "tables")
    shutil.copytree(made / "run", tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "descriptors.json").read_text())
    facts["tables"] = str(tmp_path / "tables")
    (tmp_path / "run" / "descriptors.json").write_text(json.dumps(facts))
    return tmp_path


def test_a_patient_in_both_tables_stops_the_export(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = line("P_00001", "PUNCTATE", "NA", "4", "BENIGN")
    write_table(copied / "tables" / TEST, [*made_up(50, 2001, 2), stranger])
    assert main(["export", str(copied / "run"), "-o", str(copied / "bundles")]) == 1
    assert "patient P_00001 is in the training table too" in capsys.readouterr().err
    assert not (copied / "bundles").exists()


def test_a_training_table_that_changed_stops_the_export(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(copied / "tables" / TRAIN, made_up(90, 1, 9))
    assert main(["export", str(copied / "run"), "-o", str(copied / "bundles")]) == 1
    assert "the table has changed since the training" in capsys.readouterr().err


def test_one_class_only_is_refused(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benign = [line(f"P_{number:05d}", "PUNCTATE", "NA", "2", "BENIGN") for number in range(20)]
    write_table(tmp_path / TRAIN, benign)
    arguments = ["fit", str(made / "tiny.toml"), "--manifest", str(tmp_path), "-o", str(tmp_path / "run")]
    assert main(arguments) == 1
    assert "all cases are of one class" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_sensitive_threshold_reaches_its_share_and_no_lower() -> None:
    scores = np.linspace(0.01, 1.0, 100)
    positive = np.ones(100, dtype=bool)
    threshold = sensitive_threshold(positive, scores, 0.95)
    assert threshold == scores[5]  # 95 of 100 lie at or above the sixth lowest
    assert sensitive_threshold(np.array([True, False, True]), np.array([0.4, 0.1, 0.9]), 0.95) == 0.4


def test_sensitivity_specificity_and_accuracy_by_hand() -> None:
    positive = np.array([True, True, False, False, False])
    scores = np.array([0.9, 0.4, 0.5, 0.2, 0.1])
    weights = np.array([1.0, 3.0, 2.0, 1.0, 1.0])
    assert sensitivity_from(positive, scores, None, 0.5) == 0.5
    assert specificity_from(positive, scores, None, 0.5) == pytest.approx(2 / 3)
    assert sensitivity_from(positive, scores, weights, 0.5) == 0.25
    assert specificity_from(positive, scores, weights, 0.5) == 0.5
    assert accuracy(positive, scores, None) == pytest.approx(3 / 5)
    assert accuracy(positive, scores, weights) == pytest.approx(3 / 8)
    assert np.isnan(sensitivity_from(np.zeros(5, dtype=bool), scores, None, 0.5))


def test_a_patient_has_her_highest_score() -> None:
    scores = np.array([0.2, 0.7, 0.6, 0.1])
    scored = Scored("lesion", np.array([True, False, False, False]), scores, scores / 2, ("b", "b", "a", "a"))
    people = by_patient(scored)
    assert people.patients == ("a", "b")
    assert people.positive.tolist() == [False, True]
    assert people.scores.tolist() == [0.6, 0.7]
    assert people.entered.tolist() == [0.3, 0.35]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_card_that_ships_holds_the_numbers_of_its_metrics(name: str) -> None:
    bundle = load_bundle(shipped_folder() / name, shipped=True)
    stated, card = bundle.metrics["metrics"], bundle.card
    found = dict(re.findall(r"(?m)^\| `([^`]+)` \| (\S+ \| \S+ to \S+) \|", card))
    assert set(found) == set(stated)
    for metric, entry in stated.items():
        assert found[metric] == f"{entry['value']:.3f} | {entry['low']:.3f} to {entry['high']:.3f}", metric
        assert entry["low"] <= entry["value"] <= entry["high"]
        assert "2000 patient-bootstrap draws" in entry["method"]
    for row in bundle.metrics["subgroups"]["every"]:
        if row["auc"] is not None:
            assert f"| {row['group']} | {row['n']} | {row['malignant']} | {row['auc']:.3f} |" in card
    for metric, short in bundle.spec.metrics.items():
        assert {key: short[key] for key in ("value", "low", "high")} == {
            key: stated[metric][key] for key in ("value", "low", "high")
        }


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_answers_sanely(name: str) -> None:
    calculator = tabular.load(load_bundle(shipped_folder() / name, shipped=True))
    mass = "mass" in name
    bad = {"shape": "irregular", "margin": "spiculated"} if mass else {"morphology": "fine-linear"}
    good = {"shape": "oval", "margin": "circumscribed"} if mass else {"morphology": "vascular"}
    for prevalence in (None, 0.005):
        worse, better = calculator.explain(bad, prevalence), calculator.explain(good, prevalence)
        assert worse.probability > worse.prevalence > better.probability
        assert worse.interval[0] > worse.prevalence
    # 1:199 odds where the film data have far more cancers: the same words are worth the same factor there.
    told = calculator.explain({**bad, "assessment": "5"})
    odds = told.probability / (1 - told.probability)
    shift = (1 / 199) / (calculator.prevalence / (1 - calculator.prevalence))
    expected = odds * shift / (1 + odds * shift)
    assert calculator.explain({**bad, "assessment": "5"}, 0.005).probability == pytest.approx(expected)
    assert expected < 0.8 < told.probability
    # Blanks are no way to a better answer: leaving out the distribution of something suspicious.
    if not mass:
        given = calculator.explain({"morphology": "pleomorphic", "distribution": "clustered"}).log_odds
        assert calculator.explain({"morphology": "pleomorphic"}).log_odds == pytest.approx(given, abs=0.5)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_has_its_numbers_on_the_official_test_table(name: str) -> None:
    root = Path(__file__).parents[3] / "shared" / "data" / "cbis"
    if not root.is_dir():
        pytest.skip("no ../shared/data/cbis")
    bundle = load_bundle(shipped_folder() / name, shipped=True)
    from app.core.metrics.ranking import auc
    from trainer.descriptors.measure import score_cases
    from trainer.descriptors.recipe import read_bundle_recipe

    one = read_bundle_recipe(name, bundle.metrics["tables"])
    cases = read_cases(root / one.test, one)
    train = read_cases(root / one.train, one)
    assert not cases.patients & train.patients
    scored = score_cases(tabular.load(bundle), cases.rows, one)
    stated = bundle.metrics["metrics"]["auc.lesion"]
    assert auc(scored.positive, scored.scores) == pytest.approx(stated["value"], abs=1e-6)
    low, high = patient_interval(
        lambda weights: auc(scored.positive, scored.scores, weights), scored.patients, draws=2000
    )
    assert (low, high) == pytest.approx((stated["low"], stated["high"]), abs=1e-6)

"""The recipes of the five documents, each on a miniature in its data set's exact form: quick, no meaning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from cbis_miniature import Case, make_cbis
from digital_miniatures import RSNA, image, table
from film_miniature import make_miniature
from test_ddsm_tiles_adapter import make_tiles
from tiny_training import BATCH

from app.core.manifest import read_manifest
from model_zoo.bundle import load_bundle
from trainer.cli import main
from trainer.runs import read_run

QUICK = ("epochs=1", f"batch={2 * BATCH}", "size=64x64", "precision=32-true")
PLAIN = (*QUICK, "networks.classifier.config.rows=64", "networks.classifier.config.columns=64")
SMALL = (*PLAIN, "networks.classifier.config.dense=[8]")
THIN = (
    *QUICK,
    "networks.classifier.config.stem=8",
    "networks.classifier.config.widths=[8, 8]",
    "networks.classifier.config.blocks=[1, 1]",
    "networks.classifier.config.strides=[1, 2]",
)
SWAPPED = (
    *QUICK,
    'pretrained=""',
    "networks.classifier.architecture=residual-classifier",
)


def swapped(outputs: int = 1) -> tuple[str, ...]:
    """A thin network instead of ResNet-34, which test_weights trains."""
    shape = f"stem=8, widths=[8, 8], blocks=[1, 1], strides=[1, 2], outputs={outputs}"
    return (*SWAPPED, f"networks.classifier.config={{{shape}}}")


SCRATCH = (*QUICK, 'pretrained=""')


def trained(folder: Path, recipe: str, index: Sequence[str], changes: Sequence[str], *split: str) -> Path:
    """Index, divide and fit through the command line; return the run."""
    manifest, splits, run = folder / "manifest.csv", folder / "splits.json", folder / "run"
    assert main(["index", *index, "-o", str(manifest)]) == 0
    assert main(["split", str(manifest), *split, "-o", str(splits)]) == 0
    words = ["fit", recipe, "--manifest", str(manifest), "--splits", str(splits), "-o", str(run)]
    assert main([*words, "--device", "cpu", "--set", *changes]) == 0
    made = read_run(run)
    tested = json.loads(splits.read_text())["folds"][0]["test"]
    assert tested
    assert not set(tested) & {*made.trained_on, *made.tuned_on}
    return run


def exported(run: Path) -> dict[str, dict[str, float]]:
    assert main(["export", str(run), "-o", str(run.parent / "bundles")]) == 0
    (folder,) = (run.parent / "bundles").iterdir()
    metrics: dict[str, dict[str, float]] = load_bundle(folder).metrics["metrics"]
    assert metrics["auc.image"]["n"] > 0
    return metrics


def measured(run: Path) -> dict[str, dict[str, float]]:
    assert main(["classes", str(run), "-o", str(run.parent / "classes.json")]) == 0
    made: dict[str, dict[str, float]] = json.loads((run.parent / "classes.json").read_text())["metrics"]
    return made


@pytest.mark.parametrize("recipe", ["mias-abnormality-rotations", "mias-tumor-cnn"])
def test_films_of_mias(recipe: str, tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 24, size=64)
    changes = SMALL if recipe == "mias-tumor-cnn" else PLAIN
    run = trained(tmp_path, recipe, ["mias", str(tmp_path / "data")], changes, "--folds", "3")
    exported(run)


@pytest.mark.parametrize("recipe", ["mias-lesions", "mias-mask-rcnn"])
def test_lesions_of_mias_become_boxes(recipe: str, tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 24, size=64)
    changes = ["epochs=1", "batch=2", "size=64x64", "mm=1.0", "networks.detector.config.stem=8"]
    changes += ["networks.detector.config.widths=[8, 8, 16]", "networks.detector.config.channels=32"]
    index = ["mias", str(tmp_path / "data")]
    run = trained(tmp_path, recipe, index, [*changes, "precision=32-true"], "--folds", "3")
    assert "froc.centre@1" in exported(run)


def test_density_of_mias_ships_three_classes_and_a_score_of_the_densest(tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 24, size=256)
    index = ["mias", str(tmp_path / "data"), "--label", "density"]
    # The miniature has no film of class F: G stands for the least dense, so that first and last class occur.
    words = ['target.classes.words.fatty=["G"]', 'target.classes.words.glandular=["F"]']
    run = trained(tmp_path, "mias-density", index, ["size=256x192", *words], "--folds", "3")
    metrics = measured(run)
    assert {"auc.fatty", "auc.glandular", "auc.dense", "auc.macro", "accuracy"} <= set(metrics)
    tested = json.loads((tmp_path / "splits.json").read_text())["folds"][0]["test"]
    rows = [row for row in read_manifest(tmp_path / "manifest.csv").rows if row.patient_id in tested]
    commonest = max(sum(row.density == kind for row in rows) for kind in "FGD")
    assert metrics["accuracy"]["baseline"] == pytest.approx(commonest / len(rows), abs=1e-6)
    shipped = exported(run)
    names = ("auc_macro", "auc_d_vs_rest", "quadratic_kappa", "accuracy")
    assert {f"density.{name}" for name in names} <= set(shipped)
    assert shipped["density.accuracy"]["baseline"] == pytest.approx(commonest / len(rows), abs=1e-6)
    bundle = load_bundle(run.parent / "bundles" / "mias-density")
    classes = bundle.spec.outputs.classes
    assert classes is not None
    assert (classes.of, classes.names) == ("density", ("fatty", "glandular", "dense"))
    assert classes.temperature is not None
    assert "Classes of density: fatty, glandular, dense" in bundle.card


@pytest.mark.parametrize("recipe", ["ddsm-tiles-binary", "ddsm-tiles-5class"])
def test_tiles_are_measured_without_patients_which_every_report_says(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_tiles(tmp_path / "data")
    run = trained(tmp_path, recipe, ["ddsm-tiles", str(tmp_path / "data")], SMALL, "--official")
    metrics = measured(run)
    # Six tiles test: two normal, two benign, two malignant; one of each of the four kinds of lesion.
    assert metrics["accuracy.image"]["n"] == 6
    assert metrics["accuracy.image"]["baseline"] == pytest.approx(4 / 6, abs=1e-6)
    if recipe.endswith("5class"):
        assert metrics["accuracy"]["baseline"] == pytest.approx(2 / 6, abs=1e-6)
        assert "auc.malignant mass" in metrics
    assert "split by patient is impossible" in capsys.readouterr().out


def cases(kind: str, patients: int = 9) -> tuple[Case, ...]:
    return tuple(
        Case(kind, "train", f"P_{number:05d}", "LEFT", view, 1, ("MALIGNANT", "BENIGN")[number % 2])
        for number in range(1, patients + 1)
        for view in ("CC", "MLO")
    )


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("cbis-mass-cc", SMALL),
        ("cbis-mass-cc-whole", (*THIN, "networks.classifier.config.dropout=0")),
        ("cbis-mass-cc-googlenet", SCRATCH),
        ("cbis-mass-cc-inception-v3", (*SCRATCH, "size=96x96")),
    ],
)
def test_masses_on_cc_films_alone_in_shares_of_70_20_10(
    recipe: str, changes: Sequence[str], tmp_path: Path
) -> None:
    make_cbis(tmp_path / "data", "tcia", cases("mass"))
    index = ["cbis", str(tmp_path / "data"), "--keep", "view=CC", "--keep", "lesion=mass"]
    run = trained(tmp_path, recipe, index, changes, "--shares", "70,20,10")
    rows = read_manifest(tmp_path / "manifest.csv").rows
    assert [row.view for row in rows] == ["CC"] * 9
    sizes = [len(part) for part in json.loads((tmp_path / "splits.json").read_text())["folds"][0].values()]
    assert sizes == pytest.approx([6, 2, 1], abs=1)
    exported(run)


@pytest.mark.parametrize(
    ("recipe", "classes"),
    [("cbis-calc-type", 13), ("cbis-calc-type-groups", 4), ("cbis-calc-malignancy", 0)],
)
def test_cut_out_calcifications(recipe: str, classes: int, tmp_path: Path) -> None:
    make_cbis(tmp_path / "data", "tcia", cases("calc"))
    assert main(["index", "cbis", str(tmp_path / "data"), "-o", str(tmp_path / "films.csv")]) == 0
    words = ["to-png", str(tmp_path / "films.csv"), "--crops", "1.2", "-o", str(tmp_path / "crops")]
    assert main(words) == 0
    manifest, splits = tmp_path / "crops" / "manifest.csv", tmp_path / "splits.json"
    assert len(read_manifest(manifest).rows) == 18
    assert main(["split", str(manifest), "--folds", "3", "-o", str(splits)]) == 0
    words = ["fit", recipe, "--manifest", str(manifest), "--splits", str(splits), "-o", str(tmp_path / "run")]
    assert main([*words, "--device", "cpu", "--set", *swapped(1 + classes)]) == 0
    metrics = measured(tmp_path / "run")
    kinds = [name for name in metrics if name.startswith("auc.") and name not in ("auc.image", "auc.macro")]
    assert len(kinds) == classes


@pytest.mark.parametrize(("recipe", "changes"), [("rsna-cancer-256", SMALL), ("rsna-cancer", swapped())])
def test_screening_images_of_rsna(recipe: str, changes: Sequence[str], tmp_path: Path) -> None:
    rows = []
    for number in range(12):
        for view in ("CC", "MLO"):
            patient, picture = 10000 + number, 500000 + 2 * number + (view == "MLO")
            sick = int(number % 3 == 0)
            facts = (picture, "L", view, "60.0", sick, sick, sick, "0.0", 0, "B", 49, "False")
            rows.append((1, patient, *facts))
            path = tmp_path / "data" / "train_images" / str(patient) / f"{picture}.dcm"
            image(path, picture, "L", view, PatientID=str(patient))
    table(tmp_path / "data" / "train.csv", RSNA, rows)
    run = trained(tmp_path, recipe, ["rsna", str(tmp_path / "data")], changes, "--folds", "3")
    assert {"pf1.image", "pf1.breast"} <= set(exported(run))


def test_four_views_make_an_exam_score(tmp_path: Path) -> None:
    words = ["phantom", "-o", str(tmp_path / "data"), "--exams", "9", "--shape", "320x256", "--seed", "5"]
    assert main(words) == 0
    changes = [*THIN, "mm=2.0"]
    run = trained(
        tmp_path, "screening-four-view", ["phantom", str(tmp_path / "data")], changes, "--folds", "3"
    )
    metrics = exported(run)
    assert metrics["auc.patient"]["n"] == 3

"""``export`` and ``evaluate`` of descriptor models: the official test table is opened here and nowhere "
"else."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as read_tensors

from app.core.files import write_json, write_text
from model_zoo.bundle import Bundle, write_bundle
from model_zoo.calibration import sigmoid
from model_zoo.descriptors import Descriptors
from model_zoo.spec import BundleSpec, Licence, OperatingPoint, Outputs, Score, at_rest
from model_zoo.tabular import Calculator, load
from trainer.descriptors.card import descriptor_card, report_text
from trainer.descriptors.cases import Cases, read_cases, table_path, words
from trainer.descriptors.fit import read_run
from trainer.descriptors.measure import (
    EVEN,
    SENSITIVE,
    Scored,
    Variant,
    auc_entry,
    score_cases,
    sensitive_threshold,
    subgroups,
    variant_metrics,
)
from trainer.descriptors.recipe import (
    BundleRecipe,
    DescriptorRecipe,
    counted,
    read_bundle_recipe,
    read_descriptor_recipe,
)
from trainer.errors import TrainerError
from trainer.runs import patient_mark

Tell = Callable[[str], None]
WITHOUT = "without_"


def export_descriptors(run: Path, bundles: Path, tell: Tell) -> list[Bundle]:
    """Write every bundle of a run, measured once on its official test table.

    Raises
    ------
    TrainerError
        The tables moved or changed, or a patient of the test table is in the training table.
    """
    content = read_run(run)
    recipe = read_descriptor_recipe(content["recipe"], f"{run}")
    root = Path(content["tables"])
    made = []
    for one in recipe.bundles:
        facts = content["bundles"][one.name]
        train = read_cases(table_path(root, one.train), one)
        if train.sha256 != facts["train_sha256"]:
            raise TrainerError(f"{train.path}: the table has changed since the training")
        made.append(_export_one(run / one.name, one, recipe, content, train, root, bundles))
        tell(f"{made[-1].folder}: {made[-1].metrics['protocol']}")
    return made


def _export_one(
    folder: Path,
    one: BundleRecipe,
    recipe: DescriptorRecipe,
    run: Mapping[str, Any],
    train: Cases,
    root: Path,
    bundles: Path,
) -> Bundle:
    facts = run["bundles"][one.name]
    outside = _read_outside(folder / "out_of_fold.csv", train)
    thresholds = {
        kind: sensitive_threshold(scored.positive, scored.scores) for kind, scored in outside.items()
    }
    weights = read_tensors((folder / "weights.safetensors").read_bytes())
    spec = _spec(one, facts, thresholds, counted(one, facts["seen"]))
    with tempfile.TemporaryDirectory() as scratch:
        empty = {"format": "mammoview-metrics", "version": 1}
        calculator = load(write_bundle(Path(scratch) / one.name, spec, weights, "In the making.\n", empty))
        test = read_cases(table_path(root, one.test), one)
        both = sorted(test.patients & train.patients)
        if both:
            raise TrainerError(f"{test.path}: patient {both[0]} is in the training table too")
        protocol = (
            f"Official test table of CBIS-DDSM, opened once, after everything had been chosen by patient "
            f"cross-validation inside the training table: {len(test.rows)} lesions of {len(test.patients)} "
            "patients"
        )
        metrics = _metrics(calculator, test, one, thresholds, recipe.draws, f"{protocol}.")
    metrics |= {
        "bundle": f"{one.name} {one.version}",
        "split": facts["split_hashes"][0],
        "tables": one.raw,
        "thresholds": thresholds,
        "draws": recipe.draws,
        "test_sha256": test.sha256,
        "train_sha256": train.sha256,
        "trained_on_patients": facts["patients"],
        "cross_validation": _cross_validation(outside, facts, recipe),
        "references": list(one.references),
        "pooled_leak": "not pooled with the other kind of lesion: 31 patients would be in both parts",
    }
    spec = _with_numbers(spec, metrics)
    card = descriptor_card(spec, metrics, one, recipe, run)
    return write_bundle(bundles / one.name, spec, weights, card, metrics)


def _read_outside(path: Path, train: Cases) -> dict[str, Scored]:
    """Return the first repeat's out-of-fold probabilities by variant: "" with every group, and without."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if [row["case"] for row in rows] != [case.name for case in train.rows]:
        raise TrainerError(f"{path}: is not of the training table's cases")
    positive = np.array([row["malignant"] == "1" for row in rows])
    patients = tuple(row["patient"] for row in rows)
    made = {}
    for kind, column in (("", "every_0"), (WITHOUT, "unjudged_0")):
        scores = np.array([sigmoid(float(row[column])) for row in rows])
        made[kind] = Scored("lesion", positive, scores, scores, patients)
    return made


def _spec(
    one: BundleRecipe, facts: Mapping[str, Any], thresholds: Mapping[str, float], vocabulary: Descriptors
) -> BundleSpec:
    use, _, licence = one.licence.partition(":")
    points = (
        OperatingPoint("even", EVEN, "malignant is as likely as not, at the prevalence of the training data"),
        OperatingPoint(
            "sensitive",
            thresholds[""],
            f"found {100 * SENSITIVE:g} % of the cancers out of fold, every group of descriptors given",
        ),
        OperatingPoint(
            "sensitive-unjudged",
            thresholds[WITHOUT],
            f"found {100 * SENSITIVE:g} % of the cancers out of fold, {one.judgement} not given",
        ),
    )
    return BundleSpec(
        name=one.name,
        model_version=one.version,
        title=one.title,
        task="descriptors",
        outputs=Outputs(Score(one.of, facts["prevalence"], True, "lesion")),
        licence=Licence(licence.strip(), "any" if use == "any" else "research"),
        operating_points=points,
        split_hash=facts["split_hashes"][0],
        descriptors=vocabulary,
        **at_rest(one.trained_on),
    )


def _metrics(
    calculator: Calculator,
    cases: Cases,
    one: BundleRecipe,
    thresholds: Mapping[str, float],
    draws: int,
    protocol: str,
) -> dict[str, Any]:
    """Return what metrics.json holds of one table, asked through the calculator."""
    every = score_cases(calculator, cases.rows, one)
    unjudged = score_cases(calculator, cases.rows, one, one.judgement)
    kind = f"{WITHOUT}{one.judgement}"
    trained = calculator.prevalence
    whole = Variant("", "every group given as in the table", trained, thresholds[""], draws)
    hidden = Variant(kind, f"{one.judgement} hidden", trained, thresholds[WITHOUT], draws)
    metrics = variant_metrics(every, whole) | variant_metrics(unjudged, hidden)
    return {
        "format": "mammoview-metrics",
        "version": 1,
        "n": {
            "lesions": len(cases.rows),
            "patients": len(cases.patients),
            "malignant": int(every.positive.sum()),
        },
        "protocol": protocol,
        "unit": "lesion: one row of the table, which is one lesion in one view",
        "metrics": metrics,
        "subgroups": {
            "every": subgroups(every, cases.rows, one, draws),
            kind: subgroups(unjudged, cases.rows, one, draws),
        },
    }


def _cross_validation(
    outside: Mapping[str, Scored], facts: Mapping[str, Any], recipe: DescriptorRecipe
) -> dict[str, Any]:
    how = f"out of fold, {recipe.folds} folds by patient, the first of {recipe.repeats} repeats"
    return {
        "auc.lesion": auc_entry(outside[""], f"{how}, every group", recipe.draws),
        "auc.without.lesion": auc_entry(outside[WITHOUT], f"{how}, without the judgement", recipe.draws),
        "mean_of_repeats": [facts["best"]["auc"], facts["best"]["auc_unjudged"]],
        "if_blanks_were_terms": facts["exploiting"],
        "chosen": facts["best"]["strengths"],
        "tried": facts["tried"],
        "split_hashes": facts["split_hashes"],
    }


def _with_numbers(spec: BundleSpec, metrics: Mapping[str, Any]) -> BundleSpec:
    """Return the specification with the few numbers that the reader is shown."""
    names = [name for name in metrics["metrics"] if name.startswith(("auc", "accuracy")) and "lesion" in name]
    short = {
        name: {key: metrics["metrics"][name][key] for key in ("value", "low", "high")}
        | {"note": f"{metrics['metrics'][name]['n']} lesions of the official test table"}
        for name in names
    }
    return replace(spec, metrics=short)


def evaluate_descriptors(bundle: Bundle, root: Path, part: str, folder: Path, tell: Tell) -> dict[str, Any]:
    """Measure a bundle on a table and write metrics.json, MODEL_CARD.md and predictions.csv.

    Parameters
    ----------
    root
        The folder of the official tables, of which `part` (``train`` or ``test``) is taken; or one table.
    """
    stated = bundle.metrics
    if "tables" not in stated:
        raise TrainerError(f"{bundle.folder}: its metrics.json does not say which tables it reads")
    if part not in ("train", "test"):
        raise TrainerError(f"--part {part}: the official tables have a train and a test part")
    one = read_bundle_recipe(f"{bundle.folder}", stated["tables"])
    calculator = load(bundle)
    cases = read_cases(table_path(root, one.train if part == "train" else one.test), one)
    marks = set(stated["trained_on_patients"])
    known = sum(patient_mark(patient) in marks for patient in cases.patients)
    said = f"{cases.path.name}: {len(cases.rows)} lesions of {len(cases.patients)} patients."
    if known:
        said = f"IN-SAMPLE: {known} of its patients trained the model. {said}"
    metrics = _metrics(calculator, cases, one, stated["thresholds"], int(stated["draws"]), said)
    metrics |= {"bundle": f"{bundle.name} {bundle.version}", "split": bundle.spec.split_hash}
    table = ["case,patient,malignant,probability,low,high"]
    for case in cases.rows:
        told = calculator.explain(words(case, one))
        numbers = f"{told.probability:.6f},{told.interval[0]:.6f},{told.interval[1]:.6f}"
        table.append(f"{case.name},{case.patient},{int(case.malignant)},{numbers}")
    write_json(folder / "metrics.json", metrics)
    write_text(folder / "MODEL_CARD.md", report_text(bundle.spec, metrics))
    write_text(folder / "predictions.csv", "\n".join(table) + "\n")
    tell(said)
    return metrics

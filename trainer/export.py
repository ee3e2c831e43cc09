"""From runs to a bundle: weights, preprocessing, calibration and honest numbers in one folder.

One run of one fold ships its network, measured on that fold's test part and calibrated on its
tuning part. Runs of several folds ship as an ensemble that is measured out-of-fold: each patient by
the one member that never saw her. With a refit (``fit --fold all``) among them the refit ships, and
the folds' numbers are labelled as those of the procedure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from model_zoo.bundle import Bundle, write_bundle
from model_zoo.calibration import Calibration
from model_zoo.spec import OperatingPoint
from trainer.card import bundle_card
from trainer.errors import TrainerError
from trainer.evaluate import patient_mark
from trainer.held_out import (
    Measured,
    Tell,
    Trained,
    bundle_spec,
    load_trained,
    measure_folds,
    measure_single,
    shown,
)
from trainer.manifest import Manifest, read_manifest
from trainer.measure import ExamResult, measure
from trainer.metrics.ranking import threshold_at
from trainer.recipe import Recipe, resolve
from trainer.runs import Run
from trainer.splits import Splits, read_splits

Protocol = Literal["single", "ensemble", "refit"]
_ENSEMBLE = "evidence-classifier"


def _together(runs: Sequence[Trained]) -> None:
    """Refuse runs that do not belong together."""
    first = runs[0].run
    for one in runs[1:]:
        for name in ("recipe", "manifest_sha256", "split_hash"):
            if getattr(one.run, name) != getattr(first, name):
                raise TrainerError(f"{one.folder}: has another {name} than {runs[0].folder}")
    folds = [one.run.fold for one in runs]
    if len(set(folds)) != len(folds):
        raise TrainerError(f"{runs[0].folder}: two of the runs trained the same fold")
    if folds == [-1]:
        raise TrainerError(
            f"{runs[0].folder}: a refit has no numbers of its own; name the runs of the folds beside it"
        )


def ensemble_state(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the tensors of an ensemble of evidence classifiers whose logit is the mean of theirs."""
    count = len(states)
    made: dict[str, torch.Tensor] = {}
    for number, state in enumerate(states):
        for name, value in state.items():
            if not name.startswith("classifier.head."):
                made[name.replace("classifier.", f"classifier.members.{number}.", 1)] = value
    heads = [state["classifier.head.weight"].float() / count for state in states]
    bias = sum(state["classifier.head.bias"].float() for state in states) / count
    made["classifier.head.weight"] = torch.cat(heads, dim=1)
    made["classifier.head.bias"] = torch.as_tensor(bias)
    return made


def _ensemble_recipe(recipe: Recipe, members: int) -> Recipe:
    block = recipe.config("classifier")
    if block is None or "detector" in recipe.networks or block[0] != _ENSEMBLE:
        raise TrainerError(
            f"{recipe.name}: folds become an ensemble only for an {_ENSEMBLE}; "
            "name a refit (fit --fold all) beside them"
        )
    config = {**block[1], "members": members}
    return replace(recipe, networks={"classifier": {"architecture": _ENSEMBLE, "config": config}})


_PROTOCOLS = {
    "single": "Measured on the test part of fold {fold}, which neither trained nor tuned the weights; "
    "calibrated on the val part.",
    "ensemble": "The bundle is an ensemble of {folds} folds. The numbers are out-of-fold: each patient was "
    "scored by the one member that never saw her; of the whole ensemble there is no honest number on these "
    "patients.",
    "refit": "The weights are a refit on all patients. The metrics are of the procedure: out-of-fold scores "
    "of {folds} runs with the same recipe on the folds.",
}


def _points(
    recipe: Recipe, exams: Sequence[ExamResult], calibration: Calibration
) -> tuple[OperatingPoint, ...]:
    scored = [image for exam in exams for image in exam.images if image.score is not None]
    positive = np.array([image.row.label in recipe.target.positive for image in scored], dtype=np.bool_)
    scores = np.array([image.score for image in scored], dtype=np.float64)
    if not len(scores) or positive.all() or not positive.any():
        return ()
    threshold = threshold_at(positive, scores, recipe.specificity)
    found = float((scores[positive] >= threshold).mean())
    kept = float((scores[~positive] < threshold).mean())
    meaning = (
        f"{kept:.0%} of the {int((~positive).sum())} negatives measured score lower, and {found:.0%} of the "
        f"{int(positive.sum())} positives score at least this"
    )
    return (OperatingPoint(f"specificity {recipe.specificity:.0%}", min(1.0, float(threshold)), meaning),)


def _negatives(recipe: Recipe, exams: Sequence[ExamResult]) -> tuple[float, ...]:
    scores = [
        image.score
        for exam in exams
        for image in exam.images
        if image.score is not None and image.row.label not in recipe.target.positive
    ]
    if len(scores) < 2:
        return ()
    return tuple(round(float(value), 6) for value in np.quantile(scores, np.linspace(0, 1, 101)))


def _short(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few numbers that bundle.json repeats for the reader."""
    made = {}
    for name in ("auc.image", "auc.breast", "sens_at_spec90.image", "froc.centre@1"):
        entry = metrics["metrics"].get(name)
        if entry is not None and entry["value"] is not None:
            note = f"per {entry['unit']}, n = {entry['n']}, baseline {entry['baseline']}"
            made[name] = {"value": entry["value"], "low": entry["low"], "high": entry["high"], "note": note}
    return made


def _read_data(run: Run) -> tuple[Manifest, Splits]:
    manifest = read_manifest(Path(run.manifest))
    if manifest.sha256 != run.manifest_sha256:
        raise TrainerError(f"{run.manifest}: the manifest has changed since the training")
    splits = read_splits(Path(run.splits))
    if splits.hash != run.split_hash:
        raise TrainerError(f"{run.splits}: the splits have changed since the training")
    return manifest, splits


def export(folders: Sequence[Path], bundles: Path, tell: Tell) -> Bundle:
    """Write ``bundles/NAME`` from one or more runs and return it.

    Parameters
    ----------
    folders
        One run, the runs of several folds, or those and a refit.
    tell
        Takes one sentence per step.

    Raises
    ------
    TrainerError, BundleError
        Runs that do not belong together, data that has changed, no honest way to measure.
    """
    trained = [load_trained(folder) for folder in folders]
    _together(trained)
    folds = [one for one in trained if one.run.fold >= 0]
    refit = next((one for one in trained if one.run.fold < 0), None)
    recipe = resolve(trained[0].run.recipe, str(trained[0].folder))
    manifest, splits = _read_data(trained[0].run)
    protocol: Protocol = "refit" if refit else "single" if len(folds) == 1 else "ensemble"
    shipped = _ensemble_recipe(recipe, len(folds)) if protocol == "ensemble" else recipe
    with tempfile.TemporaryDirectory(prefix="mammoview-export-") as name:
        work = Path(name)
        if protocol == "single":
            measured = measure_single(folds[0], recipe, manifest, splits, work, tell)
        else:
            measured = measure_folds(folds, recipe, manifest, splits, work, tell)
    if protocol == "ensemble":
        state: Mapping[str, torch.Tensor] = ensemble_state([one.state for one in folds])
    else:
        state = (refit or folds[0]).state
    return _write(bundles, shipped, trained, protocol, measured, state, manifest)


def _joined(trained: Sequence[Trained], manifest: Manifest, recipe: Recipe) -> Run:
    """Return the first run's facts with the patients and licences of all runs together."""
    seen = {patient for one in trained for patient in (*one.run.trained_on, *one.run.tuned_on)}
    rows = [row for row in manifest.rows if row.patient_id in seen]
    return replace(
        trained[0].run,
        trained_on=tuple(sorted(seen)),
        tuned_on=(),
        licences=tuple(sorted({licence for one in trained for licence in one.run.licences})),
        images=len(rows),
        positives=sum(row.label in recipe.target.positive for row in rows),
    )


def _member(one: Trained) -> dict[str, Any]:
    """Return what is needed to ask one member of an ensemble alone: whom it has seen, and its own offset."""
    seen = (*one.run.trained_on, *one.run.tuned_on)
    return {
        "fold": one.run.fold,
        "patients": sorted(patient_mark(patient) for patient in seen),
        "offset": float(one.state["classifier.head.bias"].float()[0]),
    }


def _write(
    bundles: Path,
    recipe: Recipe,
    trained: Sequence[Trained],
    protocol: Protocol,
    measured: Measured,
    state: Mapping[str, torch.Tensor],
    manifest: Manifest,
) -> Bundle:
    folds = [one for one in trained if one.run.fold >= 0]
    run = _joined(trained, manifest, recipe)
    text = _PROTOCOLS[protocol].format(fold=folds[0].run.fold, folds=len(folds))
    metrics = measure(
        measured.exams,
        recipe.target,
        bundle=f"{recipe.name} {recipe.version}",
        split=run.split_hash,
        boxes="detector" in recipe.networks,
        probabilities=measured.probabilities,
    )
    metrics |= {
        "protocol": text,
        "target": {"positive": list(recipe.target.positive), "findings": dict(recipe.target.findings)},
        "trained_on_patients": sorted(patient_mark(patient) for patient in run.trained_on),
        "members": [_member(one) for one in folds] if protocol == "ensemble" else [],
    }
    truth = [row.label in recipe.target.positive for row in measured.rows]
    calibrated = measured.calibration.method != "none"
    spec = shown(bundle_spec(recipe, run, measured.calibration), measured.box_threshold)
    prevalence = round(sum(truth) / len(truth), 4) if calibrated else None
    score = replace(spec.outputs.score, calibrated=calibrated, prevalence=prevalence)
    spec = replace(
        spec,
        outputs=replace(spec.outputs, score=score),
        operating_points=_points(recipe, measured.exams, measured.calibration),
        negatives=_negatives(recipe, measured.exams),
        metrics=_short(metrics),
    )
    card = bundle_card(
        spec, metrics, protocol=text, texts=recipe.card, facts=_training_facts(trained, recipe)
    )
    half = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    return write_bundle(bundles / recipe.name, spec, half, card, metrics)


def _training_facts(trained: Sequence[Trained], recipe: Recipe) -> list[str]:
    run = trained[0].run
    train = recipe.train
    facts = [
        f"Recipe {recipe.name} {recipe.version}: up to {train.epochs} epochs of batches of {train.batch}, "
        f"AdamW, peak learning rate {train.lr:g}, {train.keep} weights kept.",
        f"Split {run.split_hash}, by patient; manifest {run.manifest_sha256}.",
        f"Runs: {', '.join('refit' if one.run.fold < 0 else f'fold {one.run.fold}' for one in trained)}; "
        f"seeds {', '.join(str(one.run.seed) for one in trained)}.",
        f"Software: {', '.join(f'{name} {version}' for name, version in (run.versions or {}).items())}.",
    ]
    facts += [f"Pretrained on: {sentence}." for sentence in dict.fromkeys(run.ancestors)]
    return facts

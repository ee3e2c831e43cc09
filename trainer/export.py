"""From runs to a bundle: weights, preprocessing, calibration and honest numbers in one folder.

One run of one fold ships its network, measured on that fold's test part and calibrated on its
tuning part. Runs of several folds ship as an ensemble that is measured out-of-fold: each patient by
the one member that never saw her. With a refit (``fit --fold all``) among them the refit ships, and
the folds' numbers are labelled as those of the procedure. Where the data set's official test patients
were kept out of everything, ensemble and refit themselves are measured on them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.core.manifest import Manifest, read_manifest
from model_zoo.bundle import Bundle, write_bundle
from model_zoo.spec import OperatingPoint
from trainer.card import bundle_card
from trainer.class_temperature import with_temperature
from trainer.ensembles import MEAN_BOXES, ensemble_recipe, ensemble_role, ensemble_state, member_facts
from trainer.errors import TrainerError
from trainer.evaluate import target_json
from trainer.held_out import (
    Data,
    Measured,
    Tell,
    Trained,
    bundle_spec,
    load_trained,
    measure_fixed,
    measure_folds,
    shown,
)
from trainer.measure import measure
from trainer.operating import operating_point
from trainer.recipe import Recipe
from trainer.runs import Run, patient_mark
from trainer.splits import kept_test, official_test, read_splits
from trainer.units import ExamResult

Protocol = Literal["single", "ensemble", "refit"]


def _together(runs: Sequence[Trained]) -> None:
    """Refuse runs that do not belong together.

    Each fold may have started from a run of its own, as it must where that has seen the other folds'
    test patients; whom each has seen stands in its own facts.
    """
    first = runs[0].run
    for one in runs[1:]:
        if _learnt(one.run.recipe) != _learnt(first.recipe):
            raise TrainerError(f"{one.folder}: has another recipe than {runs[0].folder}")
        for name in ("manifest_sha256", "split_hash"):
            if getattr(one.run, name) != getattr(first, name):
                raise TrainerError(f"{one.folder}: has another {name} than {runs[0].folder}")
    folds = [one.run.fold for one in runs]
    if len(set(folds)) != len(folds):
        raise TrainerError(f"{runs[0].folder}: two of the runs trained the same fold")
    if folds == [-1]:
        raise TrainerError(
            f"{runs[0].folder}: a refit has no numbers of its own; name the runs of the folds beside it"
        )


_OFFICIAL = "measured on the {test} test part, which no run was shown; calibrated on the folds' val parts."
_PROTOCOLS = {
    ("single", False): "Measured on the test part of fold {fold}, which neither trained nor tuned the "
    "weights; calibrated on the val part.",
    ("ensemble", False): "The bundle is an ensemble of {folds} folds. The numbers are out-of-fold: each "
    "patient was scored by the one member that never saw her; of the whole ensemble there is no honest "
    "number on these patients.",
    ("ensemble", True): "The bundle is an ensemble of {folds} folds, " + _OFFICIAL,
    ("refit", False): "The weights are a refit on all patients. The metrics are of the procedure: "
    "held-out scores of {folds} run(s) with the same recipe on the folds.",
    ("refit", True): "The weights are a refit on all patients but those of the {test} test part. They "
    "were " + _OFFICIAL,
}


def _learnt(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's recipe with no more than the fact that it started from other weights."""
    return {**recipe, "pretrained": bool(recipe.get("pretrained", ""))}


def _of_boxes(recipe: Recipe, official: bool) -> tuple[str, ...]:
    """Return what must be said of a detector ensemble's thresholds."""
    if ensemble_role(recipe.networks) != "detector":
        return ()
    measured = "the numbers here are the ensemble's own" if official else "how many fewer was not measured"
    return (f"{MEAN_BOXES}; {measured}.",)


def _negatives(recipe: Recipe, exams: Sequence[ExamResult]) -> tuple[float, ...]:
    scores = [
        image.score
        for exam in exams
        for image in exam.images
        if image.score is not None and not recipe.target.is_positive(image.row)
    ]
    if len(scores) < 2:
        return ()
    return tuple(round(float(value), 6) for value in np.quantile(scores, np.linspace(0, 1, 101)))


_SHORT = (
    "auc.image",
    "auc.breast",
    "sens_at_spec90.image",
    "froc.centre@1",
    "density.auc_macro",
    "density.accuracy",
)


def _short(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the few numbers that bundle.json repeats for the reader."""
    made = {}
    for name in _SHORT:
        entry = metrics["metrics"].get(name)
        if entry is not None and entry["value"] is not None:
            note = f"per {entry['unit']}, n = {entry['n']}, baseline {entry['baseline']}"
            made[name] = {"value": entry["value"], "low": entry["low"], "high": entry["high"], "note": note}
    return made


def _read_data(run: Run) -> Data:
    manifest = read_manifest(Path(run.manifest))
    if manifest.sha256 != run.manifest_sha256:
        raise TrainerError(f"{run.manifest}: the manifest has changed since the training")
    splits = read_splits(Path(run.splits))
    if splits.hash != run.split_hash:
        raise TrainerError(f"{run.splits}: the splits have changed since the training")
    return Data(manifest, splits)


def export(folders: Sequence[Path], bundles: Path, tell: Tell, changes: Sequence[str] = ()) -> Bundle:
    """Write ``bundles/NAME`` from one or more runs and return it.

    Parameters
    ----------
    folders
        One run, the runs of several folds, or those and a refit.
    tell
        Takes one sentence per step.
    changes
        ``key=value``, of what may still be set after the training, see `recipe_afterwards`. What is
        measured is what ships, with them.

    Raises
    ------
    TrainerError, BundleError
        Runs that do not belong together or have not ended, data that has changed, no honest way to measure.
    """
    trained = [load_trained(folder, changes) for folder in folders]
    _together(trained)
    folds = [one for one in trained if one.run.fold >= 0]
    refit = next((one for one in trained if one.run.fold < 0), None)
    data = _read_data(trained[0].run)
    shipped = refit or (folds[0] if len(folds) == 1 else _ensemble(folds))
    protocol: Protocol = "refit" if refit else "single" if len(folds) == 1 else "ensemble"
    kept = protocol != "single" and bool(kept_test(data.manifest, data.splits))
    with tempfile.TemporaryDirectory(prefix="mammoview-export-") as name:
        if kept or len(folds) == 1:
            asked = shipped if kept else folds[0]
            measured = measure_fixed(folds, asked, asked.recipe, data, Path(name), tell)
        else:
            measured = measure_folds(folds, folds[0].recipe, data, Path(name), tell)
    test = "official" if official_test(data.manifest, data.splits) else "kept"
    text = _PROTOCOLS[protocol, kept].format(fold=folds[0].run.fold, folds=len(folds), test=test)
    text = " ".join((text, *_of_boxes(shipped.recipe, kept), *data.manifest.caveats))
    return _write(bundles, shipped, trained, measured, text, data.manifest)


def _ensemble(folds: Sequence[Trained]) -> Trained:
    recipe = ensemble_recipe(folds[0].recipe, len(folds))
    return replace(folds[0], recipe=recipe, state=ensemble_state([one.state for one in folds]))


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
        positives=sum(recipe.target.is_positive(row) for row in rows),
    )


def _marks(patients: Iterable[str]) -> list[str]:
    return sorted({patient_mark(patient) for patient in patients})


def _metrics(
    recipe: Recipe,
    trained: Sequence[Trained],
    measured: Measured,
    text: str,
    members: bool,
    point: OperatingPoint | None,
) -> dict[str, Any]:
    """Return metrics.json without its operating points; one that was chosen elsewhere is tried here."""
    return measure(
        measured.exams,
        recipe.target,
        bundle=f"{recipe.name} {recipe.version}",
        split=trained[0].run.split_hash,
        boxes_from=measured.boxes_from,
        probabilities=measured.probabilities,
        # Out-of-fold the threshold that ships was chosen on these very scores.
        point=point if measured.probabilities is None else None,
    ) | {
        "protocol": text,
        "target": target_json(recipe.target),
        "trained_on_patients": _marks(patient for one in trained for patient in one.run.patients),
        "members": [
            member_facts(one.run.fold, _marks(one.run.patients), one.state)
            for one in trained
            if one.run.fold >= 0 and members
        ],
    }


def _write(
    bundles: Path,
    shipped: Trained,
    trained: Sequence[Trained],
    measured: Measured,
    text: str,
    manifest: Manifest,
) -> Bundle:
    recipe = shipped.recipe
    members = ensemble_role(recipe.networks) is not None
    point = operating_point(recipe, measured.basis, measured.trials, measured.how)
    metrics = _metrics(recipe, trained, measured, text, members, point[0] if point else None)
    metrics["operating_points"] = [point[1]] if point else []
    truth = [recipe.target.is_positive(row) for row in measured.rows]
    calibrated = measured.calibration.method != "none"
    run = _joined(trained, manifest, recipe)
    spec = shown(bundle_spec(recipe, run, measured.calibration), measured.box_threshold)
    spec = with_temperature(spec, measured.temperature)
    prevalence = round(sum(truth) / len(truth), 4) if calibrated else None
    score = replace(spec.outputs.score, calibrated=calibrated, prevalence=prevalence)
    spec = replace(
        spec,
        outputs=replace(spec.outputs, score=score),
        operating_points=(point[0],) if point else (),
        negatives=_negatives(recipe, measured.exams),
        metrics=_short(metrics),
    )
    card = bundle_card(
        spec, metrics, protocol=text, texts=recipe.card, facts=_training_facts(trained, recipe)
    )
    half = {
        name: value.half() if value.is_floating_point() else value for name, value in shipped.state.items()
    }
    return write_bundle(bundles / recipe.name, spec, half, card, metrics)


def _training_facts(trained: Sequence[Trained], recipe: Recipe) -> list[str]:
    run = trained[0].run
    train = recipe.train
    learnt = (
        f"up to {train.epochs} epochs of batches of {train.batch}, AdamW, peak learning rate {train.lr:g}"
    )
    if train.ridge:
        learnt = f"weights solved by Newton's method, ridge penalty {train.ridge:g}, no epochs"
    facts = [
        f"Recipe {recipe.name} {recipe.version}: {learnt}, {train.keep} weights kept.",
        f"Split {run.split_hash}, by patient; manifest {run.manifest_sha256}.",
        f"Runs: {', '.join('refit' if one.run.fold < 0 else f'fold {one.run.fold}' for one in trained)}; "
        f"seeds {', '.join(str(one.run.seed) for one in trained)}.",
        f"Software: {', '.join(f'{name} {version}' for name, version in (run.versions or {}).items())}.",
    ]
    ancestors = dict.fromkeys(sentence for one in trained for sentence in one.run.ancestors)
    facts += [f"Pretrained on: {sentence}." for sentence in ancestors]
    if recipe.augment.insert_lesions:
        facts.append(
            f"Synthetic: in each epoch a drawn lesion in {recipe.augment.insert_lesions:.0%} of the normal "
            "images that train; none in those that tune or test."
        )
    facts += dict.fromkeys(sentence for one in trained for sentence in one.run.facts)
    if trained[0].changes:
        facts.append(f"Set at export, not in training: {', '.join(trained[0].changes)}.")
    return facts

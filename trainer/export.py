"""From runs to a bundle: weights, preprocessing, calibration and honest numbers in one folder.

One run of one fold ships its network, measured on that fold's test part and calibrated on its
tuning part. Runs of several folds ship as an ensemble that is measured out-of-fold: each patient by
the one member that never saw her. With a refit (``fit --fold all``) among them the refit ships, and
the folds' numbers are labelled as those of the procedure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from model_zoo.bundle import Bundle, write_bundle
from model_zoo.calibration import Calibration, fit_platt
from model_zoo.exam import raw_scores
from model_zoo.predictor import load_predictor
from model_zoo.spec import BundleSpec, Licence, OperatingPoint, read_spec
from trainer.card import bundle_card
from trainer.errors import TrainerError
from trainer.evaluate import patient_mark, read_study, score_part, studies
from trainer.manifest import Manifest, Row, read_manifest
from trainer.measure import ExamResult, measure, placed_boxes
from trainer.metrics.froc import froc
from trainer.metrics.ranking import threshold_at
from trainer.recipe import Recipe, resolve
from trainer.runs import Run, checkpoint_path, load_checkpoint, read_run
from trainer.splits import Part, Splits, part_of, read_splits
from trainer.task import LesionTask

Protocol = Literal["single", "ensemble", "refit"]
Tell = Callable[[str], None]
_ENSEMBLE = "evidence-classifier"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A run with its facts and the weights that are exported."""

    folder: Path
    run: Run
    state: Mapping[str, torch.Tensor]


def load_trained(folder: Path) -> Trained:
    """Return a run's weights as its recipe wants them kept (best or last), float16."""
    run = read_run(folder)
    recipe = resolve(run.recipe, str(folder))
    which: Literal["best", "last"] = "best" if recipe.train.keep == "best" else "last"
    task = LesionTask(recipe.raw, run.seed)
    task.load_state_dict(load_checkpoint(checkpoint_path(folder, which))["state_dict"])
    # Half precision here already, so that the numbers measured are those of the weights that ship.
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in task.bundle_state().items()
    }
    return Trained(folder, run, state)


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


def _trained_on(text: str, run: Run) -> str:
    """Return the recipe's sentence on its data with the counts of this training filled in."""
    for name, value in (
        ("{images}", str(run.images)),
        ("{patients}", str(len(run.trained_on) + len(run.tuned_on))),
        ("{positive}", f"{run.positives / max(run.images, 1):.0%}"),
    ):
        text = text.replace(name, value)
    return text


def _spec(recipe: Recipe, run: Run, calibration: Calibration) -> BundleSpec:
    """Return what bundle.json says before anything was measured."""
    research = any(not licence.startswith("any") for licence in run.licences)
    names = "; ".join(licence.partition(":")[2].strip() or licence for licence in run.licences)
    content = {
        "format": "mammoview-bundle",
        "version": 1,
        "name": recipe.name,
        "model_version": recipe.version,
        "title": recipe.title,
        "task": recipe.task,
        "networks": dict(recipe.networks),
        "preprocess": recipe.preprocess.to_json(),
        "views": recipe.views.to_json(),
        "outputs": {
            "score": {"of": recipe.target.of, "prevalence": None, "calibrated": False, "unit": "image"},
            "findings": list(recipe.target.findings) if "detector" in recipe.networks else [],
        },
        "detection": dict(recipe.detection),
        "aggregation": dict(recipe.aggregation),
        "calibration": calibration.to_json(),
        "domain": {
            **recipe.domain.to_json(),
            "trained_on": _trained_on(recipe.domain.trained_on, run),
        },
        "split_hash": run.split_hash,
        "licence": {"name": names, "use": "research" if research else "any"},
        "files": {},
    }
    spec = read_spec(f"recipe {recipe.name}", content)
    return replace(spec, licence=Licence(names, "research" if research else "any"))


def _scratch(folder: Path, spec: BundleSpec, state: Mapping[str, torch.Tensor]) -> Bundle:
    """Write a bundle that is only there to be asked through the Predictor."""
    empty = {"format": "mammoview-metrics", "version": 1}
    return write_bundle(folder, spec, state, "In the making.\n", empty)


def _raw(bundle: Bundle, part: Part) -> dict[str, float]:
    """Return the raw value of each image of a part that gets one, by image id."""
    predictor = load_predictor(bundle, "cpu")
    found: dict[str, float] = {}
    for rows in studies(part.rows):
        views = read_study(rows)
        for view, value in zip(views, raw_scores(predictor, views), strict=True):
            if value is not None:
                found[view.uid] = value
    return found


def _calibrated(raw: Mapping[str, float], positive: Mapping[str, bool]) -> Calibration:
    """Return Platt scaling of raw values, or none where one class is missing."""
    names = [name for name in raw if name in positive]
    truth = [positive[name] for name in names]
    if len(names) < 2 or all(truth) or not any(truth):
        return Calibration()
    return fit_platt([raw[name] for name in names], truth)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """Out-of-sample scores of every exam, the calibration that ships, and the rows behind it.

    Attributes
    ----------
    probabilities
        By image id, scores under calibrations that never saw the image's fold; None for a single run.
    """

    exams: list[ExamResult]
    calibration: Calibration
    rows: tuple[Row, ...]
    probabilities: dict[str, float] | None = None
    box_threshold: float | None = None


def _box_threshold(exams: Sequence[ExamResult], recipe: Recipe) -> float | None:
    """Return the box score above which there are at most `false_boxes` false ones per image; None: no boxes.

    The workstation shows what is above it. Chosen on images that did not train the weights.
    """
    if "detector" not in recipe.networks:
        return None
    images = placed_boxes(exams, recipe.target)
    false = np.sort(froc(images, "centre").false)[::-1]
    kept = int(recipe.false_boxes * len(images))
    floor = float(recipe.detection.get("score_threshold", 0.05))
    return round(max(floor, float(false[kept])), 4) if kept < len(false) else floor


def _measure_single(
    one: Trained, recipe: Recipe, manifest: Manifest, splits: Splits, work: Path, tell: Tell
) -> _Measured:
    """Calibrate on the tuning part, score the test part."""
    val = part_of(manifest, splits, one.run.fold, "val")
    test = part_of(manifest, splits, one.run.fold, "test")
    truth = {row.image_id: row.label in recipe.target.positive for row in val.rows}
    tell(f"calibrating on {len(val.rows)} images of the val part")
    plain = _scratch(work / "plain", _spec(recipe, one.run, Calibration()), one.state)
    calibration = _calibrated(_raw(plain, val), truth)
    threshold = None
    if "detector" in recipe.networks:
        threshold = _box_threshold(score_part(load_predictor(plain, "cpu"), val), recipe)
    spec = _shown(_spec(recipe, one.run, calibration), threshold)
    bundle = _scratch(work / "calibrated", spec, one.state)
    tell(f"scoring {len(test.rows)} images of the test part")
    exams = score_part(load_predictor(bundle, "cpu"), test)
    return _Measured(exams, calibration, val.rows, box_threshold=threshold)


def _shown(spec: BundleSpec, threshold: float | None) -> BundleSpec:
    """Return the specification with the box threshold that was chosen, if one was."""
    if threshold is None:
        return spec
    return replace(spec, detection=replace(spec.detection, score_threshold=threshold))


def _measure_folds(
    folds: Sequence[Trained], recipe: Recipe, manifest: Manifest, splits: Splits, work: Path, tell: Tell
) -> _Measured:
    """Score each fold's test part with its own run.

    The calibration that ships is fitted on all out-of-fold values; being one rising function it cannot
    change how they rank. Probabilities are judged under calibrations fitted on the other folds.
    """
    parts = [part_of(manifest, splits, one.run.fold, "test") for one in folds]
    raw = []
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        tell(f"scoring {len(part.rows)} images of fold {one.run.fold} out of fold")
        plain = _scratch(work / f"plain-{number}", _spec(recipe, one.run, Calibration()), one.state)
        raw.append(_raw(plain, part))
    rows = tuple(row for part in parts for row in part.rows)
    truth = {row.image_id: row.label in recipe.target.positive for row in rows}
    calibration = _calibrated({name: value for own in raw for name, value in own.items()}, truth)
    exams: list[ExamResult] = []
    probabilities: dict[str, float] = {}
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        spec = _spec(recipe, one.run, calibration)
        bundle = _scratch(work / f"calibrated-{number}", spec, one.state)
        exams += score_part(load_predictor(bundle, "cpu"), part)
        others = {name: value for k, own in enumerate(raw) if k != number for name, value in own.items()}
        fitted = _calibrated(others, truth)
        for name, value in raw[number].items():
            probabilities[name] = fitted.apply(value, spec.aggregation.space)
    return _Measured(exams, calibration, rows, probabilities, _box_threshold(exams, recipe))


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
            measured = _measure_single(folds[0], recipe, manifest, splits, work, tell)
        else:
            measured = _measure_folds(folds, recipe, manifest, splits, work, tell)
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


def _write(
    bundles: Path,
    recipe: Recipe,
    trained: Sequence[Trained],
    protocol: Protocol,
    measured: _Measured,
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
        "members": [
            sorted(patient_mark(patient) for patient in (*one.run.trained_on, *one.run.tuned_on))
            for one in folds
        ]
        if protocol == "ensemble"
        else [],
    }
    truth = [row.label in recipe.target.positive for row in measured.rows]
    calibrated = measured.calibration.method != "none"
    spec = _shown(_spec(recipe, run, measured.calibration), measured.box_threshold)
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

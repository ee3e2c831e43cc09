"""Scores of runs on patients that they never saw, through the workstation's own path."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from app.core.manifest import Manifest, Row
from app.core.metrics.froc import froc
from model_zoo.bundle import Bundle, write_bundle
from model_zoo.calibration import Calibration, fit_platt
from model_zoo.exam import raw_answers
from model_zoo.predictor import load_predictor
from model_zoo.spec import BundleSpec, read_spec
from trainer.afterwards import recipe_afterwards
from trainer.ancestry import seen_before
from trainer.box_metrics import placed_boxes
from trainer.class_temperature import ExamLogits, class_temperature, with_temperature
from trainer.evaluate import boxes_from, read_ahead, score_part, studies
from trainer.operating import Trial
from trainer.recipe import Recipe, bundle_content
from trainer.runs import Run, kept_checkpoint, load_checkpoint, need_ended, read_run
from trainer.splits import Part, Splits, part_of
from trainer.task import LesionTask
from trainer.units import ExamResult

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A run with its facts and the weights that are exported.

    Attributes
    ----------
    recipe
        As it was trained, but for `changes` made at export.
    """

    folder: Path
    run: Run
    recipe: Recipe
    state: Mapping[str, torch.Tensor]
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Data:
    """What the runs were trained on, as it lies on disk now."""

    manifest: Manifest
    splits: Splits


def load_trained(folder: Path, changes: Sequence[str] = ()) -> Trained:
    """Return a run's weights as its recipe wants them kept (best or last), float16.

    Parameters
    ----------
    changes
        ``key=value``, of what may still be set after the training.

    Raises
    ------
    TrainerError, BundleError
        No run, or one that has not reached its end; a change that is not allowed.
    """
    run = read_run(folder)
    run = replace(run, seen_before=seen_before(run, str(folder)))
    recipe = recipe_afterwards(run.recipe, changes, str(folder))
    need_ended(folder, recipe.train.epochs)
    task = LesionTask(recipe.raw, run.seed)
    task.load_state_dict(load_checkpoint(kept_checkpoint(run, folder, recipe.train.keep))["state_dict"])
    # Half precision here already, so that the numbers measured are those of the weights that ship.
    state = {
        name: value.half() if value.is_floating_point() else value
        for name, value in task.bundle_state().items()
    }
    return Trained(folder, run, recipe, state, tuple(changes))


def _trained_on(text: str, run: Run) -> str:
    """Return the recipe's sentence on its data with the counts of this training filled in."""
    for name, value in (
        ("{images}", str(run.images)),
        ("{patients}", str(len(run.trained_on) + len(run.tuned_on))),
        ("{positive}", f"{run.positives / max(run.images, 1):.0%}"),
    ):
        text = text.replace(name, value)
    return text


def bundle_spec(recipe: Recipe, run: Run, calibration: Calibration) -> BundleSpec:
    """Return what bundle.json says before anything was measured."""
    research = any(not licence.startswith("any") for licence in run.licences)
    names = "; ".join(licence.partition(":")[2].strip() or licence for licence in run.licences)
    use = "research" if research else "any"
    domain = {**recipe.domain.to_json(), "trained_on": _trained_on(recipe.domain.trained_on, run)}
    content = bundle_content(recipe) | {
        "calibration": calibration.to_json(),
        "domain": domain,
        "split_hash": run.split_hash,
        "licence": {"name": names, "use": use},
    }
    return read_spec(f"recipe {recipe.name}", content)


def _scratch(folder: Path, spec: BundleSpec, state: Mapping[str, torch.Tensor]) -> Bundle:
    """Write a bundle that is only there to be asked through the Predictor."""
    empty = {"format": "mammoview-metrics", "version": 1}
    return write_bundle(folder, spec, state, "In the making.\n", empty)


def _raw(bundle: Bundle, part: Part, classes: list[ExamLogits]) -> dict[str, float]:
    """Return the raw value of each image of a part that gets one, by image id.

    Parameters
    ----------
    classes
        Receives the class logits of each exam.
    """
    predictor = load_predictor(bundle, "cpu")
    found: dict[str, float] = {}
    groups = studies(part.rows)
    for rows, views in zip(groups, read_ahead(groups), strict=True):
        answers = raw_answers(predictor, views)
        classes.append(ExamLogits(tuple(rows), tuple(answer.class_logits for answer in answers)))
        for view, answer in zip(views, answers, strict=True):
            if answer.score is not None:
                found[view.uid] = answer.score
    return found


def _calibrated(raw: Mapping[str, float], positive: Mapping[str, bool]) -> Calibration:
    """Return Platt scaling of raw values, or none where one class is missing."""
    names = [name for name in raw if name in positive]
    truth = [positive[name] for name in names]
    if len(names) < 2 or all(truth) or not any(truth):
        return Calibration()
    return fit_platt([raw[name] for name in names], truth)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Out-of-sample scores of every exam, the calibration that ships, and the rows behind it.

    Attributes
    ----------
    exams
        Scored by weights that never saw them.
    basis, trials, how
        What chooses the operating point, what judges it, and both in words, see `operating_point`.
    boxes_from
        The score below which boxes were left out while measuring.
    box_threshold
        The one that ships.
    probabilities
        By image id, scores under calibrations that never saw the image's fold; None where the
        calibration that ships never saw any.
    temperature
        Of the further classes, fitted on the same images as the calibration; None without any.
    """

    exams: list[ExamResult]
    calibration: Calibration
    rows: tuple[Row, ...]
    basis: list[ExamResult]
    trials: list[Trial]
    how: str
    boxes_from: float | None
    box_threshold: float | None
    probabilities: dict[str, float] | None = None
    temperature: float | None = None


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


def measure_fixed(
    folds: Sequence[Trained], asked: Trained, recipe: Recipe, data: Data, work: Path, tell: Tell
) -> Measured:
    """Calibrate on the folds' tuning parts, score the test part that all of them have in common.

    Parameters
    ----------
    folds
        Each scores its own tuning part.
    asked
        What scores the test part: one of them, their ensemble, or a refit without that part.
    recipe
        Of `asked`.
    """
    parts = [part_of(data.manifest, data.splits, one.run.fold, "val") for one in folds]
    test = part_of(data.manifest, data.splits, folds[0].run.fold, "test")
    raw: dict[str, float] = {}
    logits: list[ExamLogits] = []
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        tell(f"calibrating on {len(part.rows)} images of the val part of fold {one.run.fold}")
        plain = _scratch(work / f"plain-{number}", bundle_spec(one.recipe, one.run, Calibration()), one.state)
        raw |= _raw(plain, part, logits)
    rows = tuple(row for part in parts for row in part.rows)
    calibration = _calibrated(raw, {row.image_id: recipe.target.is_positive(row) for row in rows})
    plain_spec = bundle_spec(recipe, asked.run, Calibration())
    temperature = class_temperature(logits, plain_spec, recipe.target.classes)
    basis: list[ExamResult] = []
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        spec = with_temperature(bundle_spec(one.recipe, one.run, calibration), temperature)
        basis += score_part(load_predictor(_scratch(work / f"val-{number}", spec, one.state), "cpu"), part)
    threshold = _box_threshold(basis, recipe)
    spec = with_temperature(shown(bundle_spec(recipe, asked.run, calibration), threshold), temperature)
    tell(f"scoring {len(test.rows)} images of the test part")
    exams = score_part(load_predictor(_scratch(work / "asked", spec, asked.state), "cpu"), test)
    how = "on the val part; on the test part, which had no say in it, it"
    trials = [Trial(basis, exams)]
    return Measured(
        exams, calibration, rows, basis, trials, how, boxes_from(spec), threshold, temperature=temperature
    )


def shown(spec: BundleSpec, threshold: float | None) -> BundleSpec:
    """Return the specification with the box threshold that was chosen, if one was."""
    if threshold is None:
        return spec
    return replace(spec, detection=replace(spec.detection, score_threshold=threshold))


def measure_folds(folds: Sequence[Trained], recipe: Recipe, data: Data, work: Path, tell: Tell) -> Measured:
    """Score each fold's test part with its own run.

    The calibration that ships is fitted on all out-of-fold values; being one rising function it cannot
    change how they rank. Probabilities and operating point are judged by what the other folds chose.
    """
    parts = [part_of(data.manifest, data.splits, one.run.fold, "test") for one in folds]
    raw = []
    logits: list[ExamLogits] = []
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        tell(f"scoring {len(part.rows)} images of fold {one.run.fold} out of fold")
        plain = _scratch(work / f"plain-{number}", bundle_spec(recipe, one.run, Calibration()), one.state)
        raw.append(_raw(plain, part, logits))
    rows = tuple(row for part in parts for row in part.rows)
    truth = {row.image_id: recipe.target.is_positive(row) for row in rows}
    calibration = _calibrated({name: value for own in raw for name, value in own.items()}, truth)
    plain_spec = bundle_spec(recipe, folds[0].run, Calibration())
    temperature = class_temperature(logits, plain_spec, recipe.target.classes)
    by_fold: list[list[ExamResult]] = []
    probabilities: dict[str, float] = {}
    for number, (one, part) in enumerate(zip(folds, parts, strict=True)):
        spec = with_temperature(bundle_spec(recipe, one.run, calibration), temperature)
        bundle = _scratch(work / f"calibrated-{number}", spec, one.state)
        by_fold.append(score_part(load_predictor(bundle, "cpu"), part))
        others = {name: value for k, own in enumerate(raw) if k != number for name, value in own.items()}
        fitted = _calibrated(others, truth)
        for name, value in raw[number].items():
            probabilities[name] = fitted.apply(value, spec.aggregation.space)
    exams = [exam for own in by_fold for exam in own]
    trials = [
        Trial([exam for k, other in enumerate(by_fold) if k != number for exam in other], own)
        for number, own in enumerate(by_fold)
    ]
    return Measured(
        exams,
        calibration,
        rows,
        exams,
        trials,
        "on all out-of-fold scores; chosen so on the other folds, for each fold in turn, it",
        boxes_from(spec),
        _box_threshold(exams, recipe),
        probabilities,
        temperature,
    )

"""How well runs tell classes apart, on the test parts that they never saw: written beside no bundle.

A bundle's answer is one score. What a recipe's further classes are worth (kinds of calcification, density,
tiles) is measured here, straight from a run's network on the cached images, and so is the score of tiles,
which have no view and which the workstation's own path therefore declines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from app.core.files import write_json
from app.core.manifest import Manifest, read_manifest
from app.core.metrics.bootstrap import intervals
from app.core.metrics.ranking import Bools, Floats, aucs
from trainer.classes import said_of
from trainer.entries import Entry, auc_entry, density_metrics, make_entry
from trainer.errors import TrainerError
from trainer.held_out import Trained, load_trained
from trainer.recipe_blocks import Classes
from trainer.samples import PartSamples, collate
from trainer.splits import Part, part_of, read_splits
from trainer.task import LesionTask
from trainer.units import Units

Tell = Callable[[str], None]
_PROTOCOL = "Test parts of {} fold(s), each scored by the run that never saw it."
_RIGHT = "share of images on the right side of logit 0; baseline: always the larger class"
_COMMONEST = "share of images whose likeliest class is right; baseline: always the commonest"
_ALL_RIGHT = "share of images with every class right; baseline: always the commonest set"


def measure_classes(folders: Sequence[Path], target: Path, tell: Tell) -> dict[str, Any]:
    """Score each run's own test part, put the folds together, write and return the numbers.

    Logits of several folds are of several networks: ranking them together is stricter than fold by fold.

    Raises
    ------
    TrainerError
        Runs of different data or recipes, of one fold twice, a refit, a recipe without a classifier.
    """
    runs = [load_trained(folder) for folder in folders]
    manifest, parts = _parts(runs)
    recipe = runs[0].recipe
    logits = np.concatenate([_logits(one, part, tell) for one, part in zip(runs, parts, strict=True)])
    rows = [row for part in parts for row in part.rows]
    patients = tuple(row.patient_id for row in rows)
    positive = np.array([recipe.target.is_positive(row) for row in rows])
    units = Units("image", positive, logits[:, 0], patients, tuple(row.image_id for row in rows))
    metrics = {"auc.image": auc_entry(units, recipe.target.of), "accuracy.image": _accuracy(units)}
    classes = recipe.target.classes
    if classes is not None:
        said = np.stack([said_of(row, classes) for row in rows]).astype(np.float64)
        metrics |= _class_metrics(classes, said, logits[:, 1:], patients)
    made = {
        "format": "mammoview-classes",
        "recipe": f"{recipe.name} {recipe.version}",
        "split": runs[0].run.split_hash,
        "manifest_sha256": manifest.sha256,
        "folds": [one.run.fold for one in runs],
        "protocol": " ".join(
            (
                f"Test parts of {len(runs)} fold(s), each scored by the run that never saw it.",
                *manifest.caveats,
            )
        ),
        "metrics": metrics,
    }
    write_json(target, made)
    return made


def _parts(runs: Sequence[Trained]) -> tuple[Manifest, list[Part]]:
    first = runs[0].run
    for one in runs:
        same = (one.run.recipe, one.run.manifest_sha256, one.run.split_hash)
        if same != (first.recipe, first.manifest_sha256, first.split_hash):
            raise TrainerError(f"{one.folder}: has another recipe, manifest or split than {runs[0].folder}")
        if one.run.fold < 0:
            raise TrainerError(f"{one.folder}: a refit has seen everyone; name the runs of the folds")
        if "classifier" not in one.recipe.networks:
            raise TrainerError(f"{one.folder}: has no classifier")
    if len({one.run.fold for one in runs}) < len(runs):
        raise TrainerError(f"{runs[0].folder}: two of the runs trained the same fold")
    manifest = read_manifest(Path(first.manifest))
    if manifest.sha256 != first.manifest_sha256:
        raise TrainerError(f"{first.manifest}: the manifest has changed since the training")
    splits = read_splits(Path(first.splits))
    parts = [part_of(manifest, splits, one.run.fold, "test") for one in runs]
    tested = [row.image_id for part in parts for row in part.rows]
    if len(set(tested)) < len(tested):
        raise TrainerError(f"{runs[0].folder}: the runs test the same images; name one of them")
    return manifest, parts


def _logits(one: Trained, part: Part, tell: Tell) -> Floats:
    """Return (images, outputs) of a run's classifier on a part, float16 weights as they would ship."""
    task = LesionTask(one.recipe.raw, one.run.seed)
    network = task.networks["classifier"]
    own = {
        name.removeprefix("classifier."): value.float() if value.is_floating_point() else value
        for name, value in one.state.items()
        if name.startswith("classifier.")
    }
    network.load_state_dict(own)
    network.eval()
    samples = PartSamples(part, one.recipe)
    tell(f"scoring {len(samples)} images of the test part of fold {one.run.fold}")
    with torch.no_grad():
        found = [network(collate([samples[number]]).pixels)[0] for number in range(len(samples))]
    return cast(Floats, torch.stack(found).double().numpy())


def _accuracy(units: Units) -> Entry:
    """Return the share of images on the right side of a logit of 0, beside the larger class's share."""
    right = ((units.scores > 0) == units.positive).astype(np.float64)
    low, high = _shares(right, units.patients)
    share = float(units.positive.mean())
    method = "share of images on the right side of logit 0; baseline: always the larger class"
    return make_entry(float(right.mean()), (low, high), "image", len(right), method, max(share, 1 - share))


def _shares(right: Floats, patients: Sequence[str]) -> tuple[float, float]:
    def means(weights: Floats) -> Floats:
        return cast(Floats, (weights @ right) / weights.sum(axis=1))

    return intervals(means, patients)


def _class_metrics(
    classes: Classes, said: Floats, logits: Floats, patients: Sequence[str]
) -> dict[str, Entry]:
    known = ~np.isnan(said).any(axis=1)
    said, logits = said[known], logits[known]
    whose = tuple(np.array(patients)[known])
    made: dict[str, Entry] = {}
    values = []
    for number, name in enumerate(classes.words):
        truth: Bools = said[:, number] > 0.5
        own = Units("image", truth, logits[:, number], whose, whose)
        made[f"auc.{name}"] = auc_entry(own, f"{name} against the rest")
        if made[f"auc.{name}"]["value"] is not None:
            values.append(number)
    if values:
        made["auc.macro"] = _macro(said[:, values] > 0.5, logits[:, values], whose, len(classes.words))
    if classes.several:
        right = ((logits > 0) == (said > 0.5)).all(axis=1).astype(np.float64)
        baseline = _commonest(said)
        low, high = _shares(right, whose)
        method = "share of images with every class right; baseline: always the commonest set"
        made["accuracy.all"] = make_entry(
            float(right.mean()), (low, high), "image", len(right), method, baseline
        )
    else:
        truths = said.argmax(axis=1)
        right = (logits.argmax(axis=1) == truths).astype(np.float64)
        made["accuracy"] = make_entry(
            float(right.mean()), _shares(right, whose), "image", len(right), _COMMONEST, _commonest(said)
        )
        if classes.of == "density" and len(values) == len(classes.words):
            chances = np.exp(logits - logits.max(axis=1, keepdims=True))
            ordered = density_metrics(truths, chances / chances.sum(axis=1, keepdims=True), whose)
            made["quadratic_kappa"] = ordered["density.quadratic_kappa"]
    return made


def _macro(truth: npt.NDArray[np.bool_], logits: Floats, patients: Sequence[str], kinds: int) -> Entry:
    def mean(weights: Floats) -> Floats:
        each = [aucs(truth[:, n], logits[:, n], weights) for n in range(truth.shape[1])]
        return cast(Floats, np.mean(each, axis=0))

    value = float(mean(np.ones((1, len(truth))))[0])
    method = f"mean AUC of {truth.shape[1]} of {kinds} classes (those with both answers); patient bootstrap"
    return make_entry(value, intervals(mean, patients), "image", len(truth), method, 0.5)


def _commonest(said: Floats) -> float:
    counts = np.unique(said, axis=0, return_counts=True)[1]
    return float(counts.max() / counts.sum())

"""Weights that start from those of another run or bundle: what they bring along, and whom they have seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
from torch import Tensor

from app.core.manifest import Manifest
from model_zoo.bundle import Bundle, load_bundle
from model_zoo.errors import BundleError
from model_zoo.seal import BUNDLE_FILE
from trainer import weights
from trainer.errors import TrainerError
from trainer.recipe import Recipe, resolve
from trainer.runs import MARKED, Run, Seen, kept_checkpoint, load_checkpoint, patient_mark, read_run
from trainer.splits import Splits, kept_test
from trainer.task import LesionTask


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Licences, one sentence per pretraining, and every patient seen, the first run first."""

    licences: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class _Weights:
    """Tensors by their names in a `LesionTask`, and the architecture of the classifier among them."""

    tensors: Mapping[str, Tensor]
    classifier: str


def seen_before(run: Run, folder: str) -> tuple[Seen, ...]:
    """Return whom a run's weights had seen when it started; raises TrainerError where nobody knows."""
    pretrained = str(run.recipe.get("pretrained", ""))
    if run.seen_before or not pretrained or weights.is_file(pretrained):
        return run.seen_before
    # Runs of the first version wrote down their own patients only.
    try:
        before = read_run(Path(pretrained))
        return (*seen_before(before, pretrained), _own(before))
    except TrainerError as error:
        raise TrainerError(
            f"{folder}: does not say whom its own pretraining has seen, and {pretrained} cannot be asked"
        ) from error


def _own(run: Run) -> Seen:
    return Seen(run.manifest_sha256, run.trained_on, run.tuned_on)


def ancestry(recipe: Recipe) -> Ancestry:
    """Return what a recipe's pretraining brings along; nothing where there is none."""
    if not recipe.pretrained:
        return Ancestry()
    if weights.is_file(recipe.pretrained):
        return _ancestry_of_file(recipe)
    if _is_bundle(recipe.pretrained):
        return _ancestry_of_bundle(_bundle(recipe.pretrained))
    before = read_run(Path(recipe.pretrained))
    sentence = (
        f"{before.recipe['name']}, {len(before.trained_on)} patients of the manifest "
        f"{before.manifest_sha256[:12]}, split {before.split_hash[:12]}, fold {before.fold}"
    )
    return Ancestry(
        before.licences,
        (*before.ancestors, sentence),
        (*seen_before(before, recipe.pretrained), _own(before)),
    )


def _trunk(recipe: Recipe) -> str:
    name, config = recipe.config("classifier") or ("", {})
    if name != "transfer-classifier":
        raise TrainerError(f"{recipe.pretrained}: imported weights fit a transfer-classifier only")
    return str(config.get("trunk", "resnet34"))


def _ancestry_of_file(recipe: Recipe) -> Ancestry:
    facts = weights.need_file(Path(recipe.pretrained), _trunk(recipe))
    sentence = f"pictures of ImageNet, not of women: {facts.get('source', '')} ({facts.get('trunk', '')})"
    return Ancestry((facts.get("licence", weights.LICENCE),), (sentence,))


def _ancestry_of_bundle(bundle: Bundle) -> Ancestry:
    marks = bundle.metrics.get("trained_on_patients")
    if not isinstance(marks, list) or not marks:
        raise TrainerError(
            f"{bundle.folder}: does not say whom its weights have seen, so none may start there"
        )
    name = f"{bundle.name} {bundle.spec.model_version}"
    sentence = f"the bundle {name} and what it came from, {len(marks)} patients known by their marks"
    seen = Seen(f"bundle {name}", tuple(f"{MARKED}{mark}" for mark in marks), ())
    licence = bundle.spec.licence
    return Ancestry((f"{licence.use}: {licence.name}",), (sentence,), (seen,))


def check_unseen(before: Ancestry, recipe: Recipe, manifest: Manifest, splits: Splits, fold: int) -> None:
    """Refuse weights that have seen a patient who tests here, or trained on one who tunes here.

    To have tuned before on those who tune now is no harm. An id counts as the same patient whatever
    manifest it stood in: two manifests of one data set are the rule, two patients of one id are not.
    """
    part = splits.folds[fold] if fold >= 0 else None
    tests = set(part.test) if part else set(kept_test(manifest, splits))
    tunes = set(part.val) if part else set()
    trained = {patient_mark(patient) for one in before.seen for patient in one.trained_on}
    tuned = {patient_mark(patient) for one in before.seen for patient in one.tuned_on}
    met = {patient for patient in tests if patient_mark(patient) in trained | tuned}
    met |= {patient for patient in tunes if patient_mark(patient) in trained}
    if met:
        raise TrainerError(
            f"{recipe.pretrained}: its weights have seen {len(met)} patients that tune or test here "
            f"({min(met)}{', ...' if len(met) > 1 else ''})"
        )


def load_pretrained(task: LesionTask, folder: str) -> None:
    """Take over every tensor of the same name and shape from another run or a bundle."""
    if weights.is_file(folder):
        before = _Weights(weights.body_tensors(Path(folder)), "transfer-classifier")
    else:
        before = _of_bundle(folder) if _is_bundle(folder) else _of_run(folder)
    own = task.state_dict()
    fitting = {
        name: value
        for name, value in before.tensors.items()
        if name in own and own[name].shape == value.shape
    }
    # What turns a map into cells' logits belongs to one kind of classifier and fits no other.
    kind = (task.recipe.config("classifier") or ("", {}))[0]
    if before.classifier != kind:
        fitting = {name: value for name, value in fitting.items() if name.startswith("networks.")}
    if not fitting:
        raise TrainerError(f"{folder}: none of its weights fits the recipe's networks")
    task.load_state_dict({**own, **fitting})


def _of_run(folder: str) -> _Weights:
    run = read_run(Path(folder))
    keep = resolve(run.recipe, folder).train.keep
    state = load_checkpoint(kept_checkpoint(run, Path(folder), keep))["state_dict"]
    return _Weights(state, str(run.recipe["networks"].get("classifier", {}).get("architecture", "")))


def _of_bundle(folder: str) -> _Weights:
    bundle = _bundle(folder)
    state = safetensors.torch.load_file(bundle.weights)
    tensors = {
        f"networks.{name}": value.float() if value.is_floating_point() else value
        for name, value in state.items()
    }
    classifier = bundle.spec.networks.get("classifier")
    return _Weights(tensors, classifier.architecture if classifier else "")


def _is_bundle(folder: str) -> bool:
    return (Path(folder) / BUNDLE_FILE).is_file()


def _bundle(folder: str) -> Bundle:
    try:
        return load_bundle(folder)
    except BundleError as error:
        raise TrainerError(str(error)) from error

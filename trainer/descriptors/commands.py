"""``fit``, ``export`` and ``evaluate`` where they are of descriptor tables and not of images."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.core.errors import MammoviewError
from model_zoo.errors import ModelError
from trainer.descriptors.export import evaluate_descriptors, export_descriptors
from trainer.descriptors.fit import fit_descriptors, is_run, read_run
from trainer.descriptors.recipe import TASK, read_descriptor_recipe
from trainer.errors import TrainerError
from trainer.evaluate import find_bundle, models_folder
from trainer.events import Events
from trainer.recipe import recipe_content

Tell = Callable[[str], None]


def takes_tables(recipe: str, changes: Sequence[str]) -> bool:
    """Tell whether a recipe is of descriptors; one that cannot be read is not."""
    try:
        return recipe_content(recipe, changes).get("task") == TASK
    except (MammoviewError, ModelError):
        return False


def fit(arguments: argparse.Namespace, tell: Tell, events: Events) -> Path:
    """Fit a recipe of descriptors: the manifest is the folder of the tables, which carry their split."""
    _no_splits(arguments)
    content = recipe_content(arguments.recipe, arguments.set)
    recipe = read_descriptor_recipe(content, f"recipe {Path(arguments.recipe).stem}")
    folder = Path(arguments.output)
    events.write("start", recipe=recipe.name, fold=-1, folder=str(folder))
    made = fit_descriptors(recipe, Path(arguments.manifest), folder, arguments.seed, tell)
    for name, facts in read_run(made)["bundles"].items():
        best = facts["best"]
        events.write("metric", bundle=name, auc=best["auc"], auc_unjudged=best["auc_unjudged"])
    events.write("done", folder=str(made), epochs=0, metrics={})
    return made


def export(arguments: argparse.Namespace, tell: Tell) -> bool:
    """Export runs of descriptors; False where none of them is one."""
    runs = [Path(run) for run in arguments.runs]
    if not any(is_run(run) for run in runs):
        return False
    if arguments.set:
        raise TrainerError(
            f"--set {arguments.set[0]}: models of descriptors are exported as they were fitted"
        )
    for run in runs:
        for made in export_descriptors(run, Path(arguments.output), tell):
            told = _sentence("auc.lesion", made.metrics["metrics"]["auc.lesion"])
            tell(f"{made.name} {made.version}, {told}")
    return True


def evaluate(arguments: argparse.Namespace, tell: Tell) -> bool:
    """Measure a bundle of descriptors; False where it is one of images."""
    bundle = find_bundle(arguments.bundle, [models_folder()])
    if bundle.spec.reads_images:
        return False
    _no_splits(arguments)
    _no_images(arguments, bundle.folder)
    metrics = evaluate_descriptors(
        bundle, Path(arguments.manifest), arguments.part, Path(arguments.output), tell
    )
    for name, entry in metrics["metrics"].items():
        tell(_sentence(name, entry))
    return True


def _no_images(arguments: argparse.Namespace, folder: Path) -> None:
    """Refuse, before anything is measured, what can be done of images alone."""
    asked = {
        "--record": arguments.record,
        "--explain": arguments.explain,
        "--outside-domain": arguments.outside_domain,
    }
    for option, given in asked.items():
        if given:
            raise TrainerError(f"{folder}: {option} is only for models that look at images; nothing was done")


def _no_splits(arguments: argparse.Namespace) -> None:
    if arguments.splits:
        raise TrainerError(f"{arguments.splits}: descriptor tables carry their own split; leave --splits out")


def _sentence(name: str, entry: Mapping[str, Any]) -> str:
    if entry["value"] is None:
        return f"{name} undefined ({entry['n']} {entry['unit']}s)"
    interval = "no interval" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"
    return f"{name} {entry['value']:.3f} [{interval}], n = {entry['n']} {entry['unit']}s"

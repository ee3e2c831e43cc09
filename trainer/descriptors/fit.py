"""``fit`` of a descriptor recipe: opens the official training tables and nothing else."""

from __future__ import annotations

import csv
import io
import json
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from app.core.files import write_json, write_text
from model_zoo.tabular import GIVEN, MEMBERS, WEIGHTS
from trainer.descriptors.cases import Cases, design, read_cases, seen, table_path
from trainer.descriptors.choose import Choice, choose
from trainer.descriptors.recipe import BundleRecipe, DescriptorRecipe
from trainer.descriptors.ridge import bootstrap, fit_tables, flags_of
from trainer.errors import TrainerError
from trainer.runs import patient_mark
from trainer.splits import check_seed, write_splits

RUN_FILE = "descriptors.json"
FORMAT = "mammoview-descriptors-run"
Tell = Callable[[str], None]


def fit_descriptors(recipe: DescriptorRecipe, root: Path, folder: Path, seed: int, tell: Tell) -> Path:
    """Fit every bundle of a recipe and return the run folder, written whole or not at all.

    Parameters
    ----------
    root
        The folder of the official tables.
    seed
        Of folds and bootstrap.

    Raises
    ------
    TrainerError
        A missing or unreadable table, one class only, an existing run folder.
    """
    check_seed(seed)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainerError(f"{folder}: there is something already; name a new run folder")
    tables = {one.name: read_cases(table_path(root, one.train), one) for one in recipe.bundles}
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        facts = {
            one.name: _fit_one(recipe, one, tables[one.name], fresh / one.name, seed, tell)
            for one in recipe.bundles
        }
        content = {
            "format": FORMAT,
            "version": 1,
            "recipe": recipe.raw,
            "tables": str(root.resolve()),
            "seed": seed,
            "versions": {"python": platform.python_version(), "numpy": version("numpy")},
            "bundles": facts,
        }
        write_json(fresh / RUN_FILE, content)
        if folder.exists():
            folder.rmdir()
        fresh.chmod(0o755)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _fit_one(
    recipe: DescriptorRecipe, bundle: BundleRecipe, cases: Cases, folder: Path, seed: int, tell: Tell
) -> dict[str, Any]:
    data = design(cases.rows, bundle)
    if data.positive.all() or not data.positive.any():
        raise TrainerError(f"{cases.path}: all cases are of one class, so there is nothing to learn")
    judgement = [group.name for group in bundle.groups].index(bundle.judgement)
    tell(f"{bundle.name}: choosing on {len(cases.rows)} lesions of {len(cases.patients)} patients")
    choice = choose(cases, data, recipe, judgement, seed)
    best = choice.best
    tell(
        f"{bundle.name}: shrinkage {best.strengths.alone:g} alone, {best.strengths.together:g} together; "
        f"out of fold AUC {best.auc:.3f}, without {bundle.judgement} {best.auc_unjudged:.3f}"
    )
    tables = fit_tables(data, best.strengths)
    tensors = {
        GIVEN: flags_of(len(data.spans)).astype(np.uint8),
        WEIGHTS: tables.weights,
        MEMBERS: bootstrap(data, best.strengths, recipe.members, seed).astype(np.float32),
    }
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(save(tensors))
    write_splits(choice.splits[0], folder / "splits.json")
    write_text(folder / "out_of_fold.csv", _outside(cases, choice))
    return {
        "train": cases.path.name,
        "train_sha256": cases.sha256,
        "cases": len(cases.rows),
        "prevalence": tables.prevalence,
        "seen": seen(cases.rows, bundle),
        "patients": sorted(patient_mark(patient) for patient in cases.patients),
        "split_hashes": [one.hash for one in choice.splits],
        "tried": [asdict(one) for one in choice.tried],
        "best": asdict(best),
        "exploiting": list(choice.exploiting),
    }


def _outside(cases: Cases, choice: Choice) -> str:
    """Return the out-of-fold log-odds of every repeat as a table."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    repeats = range(len(choice.outside))
    names = [f"{kind}_{repeat}" for repeat in repeats for kind in ("every", "unjudged")]
    writer.writerow(("case", "patient", "malignant", *names))
    for number, case in enumerate(cases.rows):
        values = [getattr(one, kind)[number] for one in choice.outside for kind in ("every", "unjudged")]
        writer.writerow((case.name, case.patient, int(case.malignant), *(f"{value:.9g}" for value in values)))
    return table.getvalue()


def read_run(folder: Path) -> dict[str, Any]:
    """Return what a run of descriptors says of itself; raises TrainerError where it is none."""
    path = folder / RUN_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainerError(f"{path}: cannot be read ({error.__class__.__name__})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or content.get("version") != 1:
        raise TrainerError(f"{path}: not a {FORMAT} file that this program knows")
    return content


def is_run(folder: Path) -> bool:
    """Tell whether a folder holds a run of descriptors."""
    return (folder / RUN_FILE).is_file()

"""A recipe: everything that decides a training, in one TOML file, typed and checked.

The blocks ``networks``, ``preprocess``, ``views``, ``aggregation``, ``detection`` and ``domain`` are
those of bundle.json, word for word, so that what is trained is what is shipped.
"""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from model_zoo.architectures import build_network
from model_zoo.calibration import Calibration
from model_zoo.fields import Fields
from model_zoo.preprocess import Preprocess, read_preprocess
from model_zoo.spec import FORMAT, FORMAT_VERSION, read_spec
from model_zoo.suitability import Domain, Views, read_domain, read_views
from trainer.errors import TrainerError
from trainer.recipe_blocks import Augmentation, Target, Train, read_augmentation, read_target, read_train


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe, checked; `raw` is its resolved content as it goes into the run folder.

    Attributes
    ----------
    pretrained
        Folder of a run or a bundle whose weights are the start, or "".
    specificity
        At which the operating point is set (on out-of-fold predictions).
    false_boxes
        How many false boxes per image a bundle may show: its box threshold is set by it.
    """

    name: str
    version: str
    title: str
    task: str
    target: Target
    networks: Mapping[str, Any]
    preprocess: Preprocess
    views: Views
    aggregation: Mapping[str, Any]
    detection: Mapping[str, Any]
    domain: Domain
    train: Train
    augment: Augmentation
    pretrained: str
    specificity: float
    false_boxes: float
    card: Mapping[str, str]
    raw: Mapping[str, Any]

    def config(self, role: str) -> tuple[str, dict[str, Any]] | None:
        """Return (architecture, config) of the classifier or the detector, or None if there is none."""
        block = self.networks.get(role)
        return None if block is None else (str(block["architecture"]), dict(block.get("config", {})))


def recipe_names() -> tuple[str, ...]:
    """Return the names of the recipes that come with the trainer."""
    folder = files("trainer") / "recipes"
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    )


def _load(name: str) -> dict[str, Any]:
    path = Path(name)
    try:
        if path.suffix == ".toml" or path.is_file():
            text = path.read_text(encoding="utf-8")
        elif name in recipe_names():
            text = (files("trainer") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
        else:
            raise TrainerError(
                f"{name}: no such recipe (known: {', '.join(recipe_names())}, or a .toml file)"
            )
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError(f"{name}: the recipe cannot be read ({error.__class__.__name__})") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainerError(f"{name}: the recipe is no TOML ({error})") from error


_ALIASES = {
    "batch_size": "train.batch",
    "max_epochs": "train.epochs",
    "learning_rate": "train.lr",
    "num_workers": "train.workers",
    "rows": "preprocess.resize.rows",
    "columns": "preprocess.resize.columns",
    "mm": "preprocess.resize.mm",
}


def _value(text: str) -> Any:
    """Return what a ``--set`` value means: a TOML value, or else the bare text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _set(content: dict[str, Any], assignment: str) -> None:
    key, equals, text = assignment.partition("=")
    key = key.strip()
    if not equals or not key:
        raise TrainerError(f"--set {assignment}: the form is key=value")
    if key in ("size", "image_size", "input_size"):
        rows, _, columns = text.partition("x")
        _set(content, f"rows={rows}")
        _set(content, f"columns={columns or rows}")
        return
    path = _ALIASES.get(key, key).split(".")
    if len(path) == 1 and key not in content:
        # A bare word may stand for a key of the two blocks that are tuned most.
        for block, kind in (("train", Train), ("augment", Augmentation)):
            if key in {field.name for field in fields(kind)}:
                path = [block, key]
    place = content
    for name in path[:-1]:
        place = place.setdefault(name, {})
        if not isinstance(place, dict):
            raise TrainerError(f"--set {assignment}: {name} has no keys below it")
    place[path[-1]] = _value(text.strip())


def read_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """Return a recipe by name or TOML file, with ``key=value`` changes.

    Keys are dotted (``train.epochs=2``); those of ``train`` and ``augment`` may stand alone, and
    ``size=256x192`` sets both sides of the canvas.

    Raises
    ------
    TrainerError, BundleError
        An unknown recipe, an unknown key, a wrong value: one sentence that names it.
    """
    content = recipe_content(name, changes)
    if content.get("task") == "descriptors":
        raise TrainerError(f"recipe {Path(name).stem} learns from tables of descriptors, not from images")
    if content.get("task") == "leakage-demo":
        raise TrainerError(f"recipe {Path(name).stem} shows a mistake: it makes no run and no bundle")
    return resolve(content, f"recipe {Path(name).stem}")


def recipe_content(name: str, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a recipe's TOML says, changed; `task` tells who checks the rest."""
    return changed(_load(name), changes)


def changed(content: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return a copy of a recipe's content with ``key=value`` changes, see `read_recipe`."""
    made = copy.deepcopy(dict(content))
    for change in changes:
        _set(made, change)
    return made


def _class_outputs(recipe: Recipe) -> dict[str, Any]:
    """Return the block of the classifier's further outputs, if it has any."""
    classes = recipe.target.classes
    if classes is None or "classifier" not in recipe.networks:
        return {}
    names = list(classes.words)
    return {"classes": {"of": classes.of, "names": names, "exclusive": not classes.several}}


def bundle_content(recipe: Recipe) -> dict[str, Any]:
    """Return bundle.json as far as a recipe decides it; what a training decides stands at its least."""
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
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
            **_class_outputs(recipe),
        },
        "detection": dict(recipe.detection),
        "aggregation": dict(recipe.aggregation),
        "calibration": Calibration().to_json(),
        "domain": recipe.domain.to_json(),
        "licence": {"name": "unknown", "use": "research"},
        "files": {},
    }


def _check_networks(recipe: Recipe, where: str) -> None:
    """Refuse networks that cannot be built, and a detector with other classes than the target's."""
    import torch

    # On the device "meta" nothing is computed and no memory is taken.
    with torch.device("meta"):
        for role in recipe.networks:
            name, config = recipe.config(role) or ("", {})
            network = build_network(name, config)
            _check_classifier(recipe, role, network, where)
            if role == "detector" and config.get("members", 1) > 1:
                raise TrainerError(
                    f"{where}: networks: detector has {config['members']} members, but an ensemble is "
                    "made by export, of the runs of as many folds"
                )
            classes = network.classes if role == "detector" else 0
            if role == "detector" and classes != len(recipe.target.findings):
                raise TrainerError(
                    f"{where}: networks: detector has {classes} classes, "
                    f"but target: findings names {len(recipe.target.findings)}"
                )


def _check_classifier(recipe: Recipe, role: str, network: Any, where: str) -> None:
    """Refuse other outputs than the target's, and cells' targets for a network without cells' logits."""
    if role != "classifier":
        return
    name, config = recipe.config(role) or ("", {})
    outputs = 1 + len(recipe.target.classes.words) if recipe.target.classes else 1
    if config.get("outputs", 1) != outputs:
        raise TrainerError(
            f"{where}: networks: classifier needs outputs = {outputs}, its score and the classes"
        )
    _check_solved(recipe, name == "texture-classifier", where)
    if recipe.train.dense_weight and not isinstance(network.stride, int):
        raise TrainerError(f"{where}: train: dense_weight must be 0, the cells of {name} have no logits")


def _check_solved(recipe: Recipe, solved: bool, where: str) -> None:
    """Refuse a head that is solved without what it needs, and a penalty where there is none."""
    if solved != (recipe.train.ridge > 0):
        raise TrainerError(f"{where}: train: ridge is needed by a texture-classifier, and only there")
    if not solved:
        return
    size, grey = recipe.preprocess.resize, recipe.preprocess.normalise
    if size.mm != 0.4 or (grey.method, grey.mean, grey.std) != ("fixed", 0.0, 1.0):
        raise TrainerError(
            f"{where}: preprocess: a texture-classifier measures 0.4 mm pixels, fixed grey values"
        )
    if recipe.target.classes is not None and recipe.target.classes.several:
        raise TrainerError(
            f"{where}: target: a texture-classifier's classes hold one at a time, in their order"
        )


def _card(block: Fields) -> dict[str, str]:
    texts = {name: block.text(name) for name in ("intended", "limits", "data") if name in block}
    block.finish()
    return texts


def _plain(content: Mapping[str, Any], where: str) -> Any:
    """Return a copy of plain JSON values; TOML knows dates and infinities, which no bundle can hold."""
    try:
        return json.loads(json.dumps(content, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise TrainerError(f"{where}: holds a date or another value that JSON has not ({error})") from error


def resolve(content: Mapping[str, Any], where: str) -> Recipe:
    """Return the typed recipe of a TOML or JSON content; strict, see `read_recipe`.

    Everything that export will write of it is checked here, before a training has cost any time.
    """
    raw = _plain(content, where)
    top = Fields(where, copy.deepcopy(raw))
    recipe = Recipe(
        name=top.text("name"),
        version=top.text("version"),
        title=top.text("title"),
        task=top.choice("task", ("classification", "detection", "classification+detection")),
        target=read_target(top.fields("target")),
        networks=top.mapping("networks"),
        preprocess=read_preprocess(top.fields("preprocess")),
        views=read_views(top.fields("views")),
        aggregation=top.mapping("aggregation"),
        detection=top.mapping("detection", {}),
        domain=read_domain(top.fields("domain")),
        train=read_train(top.fields("train", {})),
        augment=read_augmentation(top.fields("augment", {})),
        pretrained=top.text("pretrained", "", empty=True),
        specificity=top.number("specificity", 0.9, low=0.01, high=0.9999),
        false_boxes=top.number("false_boxes", 0.5, low=0, high=100),
        card=_card(top.fields("card", {})),
        raw=raw,
    )
    top.finish()
    read_spec(where, bundle_content(recipe))
    _check_networks(recipe, where)
    return recipe

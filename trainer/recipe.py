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


@dataclass(frozen=True, slots=True)
class Classes:
    """What else is told apart: outputs 1, 2, ... of the classifier, beside its score.

    Attributes
    ----------
    of
        Where an image's words stand: its ``label``, its ``density``, its ``lesion`` (``malignant mass``;
        the label where there is none), or a descriptor of its lesions (``calc type``; joined words are
        taken apart).
    several
        Whether several may hold at once (each for itself), or one at a time.
    words
        For each class, in order, the words that mean it. An image with none of them is left out.
    """

    of: str
    several: bool
    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Target:
    """What is learnt.

    Attributes
    ----------
    positive
        Manifest labels that count as positive; every other label is negative.
    of
        What the score is of, as the reader sees it: "a lesion in this image".
    findings
        For each class of the detector the manifest's lesion labels that belong to it; ``malignant mass``
        are those of label ``mass`` that proved malignant, ``*`` is any lesion.
    classes
        What the classifier's further outputs tell apart, or None.
    """

    positive: tuple[str, ...]
    of: str
    findings: Mapping[str, tuple[str, ...]]
    classes: Classes | None = None

    def class_of(self, label: str, pathology: str | None = None) -> int | None:
        """Return the 0-based class of a lesion, or None where no class takes it."""
        for number, labels in enumerate(self.findings.values()):
            if label in labels or "*" in labels or (pathology and f"{pathology} {label}" in labels):
                return number
        return None


@dataclass(frozen=True, slots=True)
class Train:
    """How it is learnt.

    Attributes
    ----------
    epochs, batch, lr, weight_decay
        AdamW; `lr` is the peak of a schedule that rises over `warmup` (share of all steps) and then
        falls along a cosine.
    patience
        Stop after so many epochs without a lower validation loss; 0: never.
    validate_every
        Epochs between two looks at the tuning part.
    keep
        ``best`` (lowest validation loss) or ``last``: which weights are exported.
    balance
        Half of every batch positive.
    positives
        So many positives in every batch instead of half; 0: as `balance` says.
    sampling
        ``over``: an epoch is as long as the part has images, the rare class is drawn again; ``under``: an
        epoch ends when the rare class has been drawn once, with other negatives each time.
    dense_weight, image_weight, boxes_weight, classes_weight
        Weights of the losses: cells of the class-activation map against the lesions' ellipses, the
        image's logit, the detector's own, the further classes.
    clip
        Largest norm of the gradient.
    workers
        Processes that read samples; 0: none.
    precision
        Of Lightning: ``32-true``, ``bf16-mixed``, ``16-mixed``.
    """

    epochs: int = 20
    batch: int = 8
    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    patience: int = 0
    validate_every: int = 1
    keep: str = "best"
    balance: bool = True
    positives: int = 0
    sampling: str = "over"
    classes_weight: float = 1.0
    dense_weight: float = 1.0
    image_weight: float = 1.0
    boxes_weight: float = 1.0
    clip: float = 2.0
    workers: int = 0
    precision: str = "32-true"


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Ranges of the random changes to a training batch; all 0: none.

    Attributes
    ----------
    flip_rows
        Chance of a flip top to bottom, for the views in `flip_views` only; the chest wall stays left.
    rotate
        Degrees either way.
    scale, contrast
        Largest natural logarithm of the factor, either way.
    shift
        Share of height and width, either way.
    brightness, noise
        In units of the prepared pixels (their standard deviation).
    about
        What rotations turn about: ``wall``, the middle of the chest wall's edge, so that the breast stays
        attached; ``centre``, of the canvas.
    crop
        (rows, columns) of the part of each image that is trained on, around a lesion more often than
        not; empty: the whole canvas.
    """

    flip_rows: float = 0.0
    flip_views: tuple[str, ...] = ("CC",)
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    noise: float = 0.0
    crop: tuple[int, ...] = ()
    about: str = "wall"


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


def _train(block: Fields) -> Train:
    made = Train(
        epochs=block.whole("epochs", 20, low=1, high=100_000),
        batch=block.whole("batch", 8, low=1, high=4096),
        lr=block.number("lr", 1e-3, low=1e-8, high=10),
        weight_decay=block.number("weight_decay", 0.05, low=0, high=1),
        warmup=block.number("warmup", 0.1, low=0, high=1),
        patience=block.whole("patience", 0, low=0, high=100_000),
        validate_every=block.whole("validate_every", 1, low=1, high=100_000),
        keep=block.choice("keep", ("best", "last"), "best"),
        balance=block.flag("balance", True),
        positives=block.whole("positives", 0, low=0, high=4096),
        sampling=block.choice("sampling", ("over", "under"), "over"),
        classes_weight=block.number("classes_weight", 1.0, low=0, high=1000),
        dense_weight=block.number("dense_weight", 1.0, low=0, high=1000),
        image_weight=block.number("image_weight", 1.0, low=0, high=1000),
        boxes_weight=block.number("boxes_weight", 1.0, low=0, high=1000),
        clip=block.number("clip", 2.0, low=0, high=1e6),
        workers=block.whole("workers", 0, low=0, high=256),
        precision=block.choice("precision", ("32-true", "bf16-mixed", "16-mixed"), "32-true"),
    )
    block.finish()
    if made.positives >= made.batch:
        raise block.error("positives", f"must leave room for negatives in a batch of {made.batch}")
    return made


def _augmentation(block: Fields) -> Augmentation:
    made = Augmentation(
        flip_rows=block.number("flip_rows", 0.0, low=0, high=1),
        flip_views=block.texts("flip_views", ["CC"]),
        rotate=block.number("rotate", 0.0, low=0, high=180),
        scale=block.number("scale", 0.0, low=0, high=2),
        shift=block.number("shift", 0.0, low=0, high=0.5),
        contrast=block.number("contrast", 0.0, low=0, high=2),
        brightness=block.number("brightness", 0.0, low=0, high=10),
        noise=block.number("noise", 0.0, low=0, high=10),
        crop=tuple(int(side) for side in block.numbers("crop", [], low=64, high=4096)),
        about=block.choice("about", ("wall", "centre"), "wall"),
    )
    block.finish()
    if made.crop and (len(made.crop) != 2 or any(side % 32 for side in made.crop)):
        raise block.error("crop", "must be [rows, columns], multiples of 32")
    return made


def _target(block: Fields) -> Target:
    findings = _word_lists(block, "findings")
    classes = _classes(block.fields("classes")) if "classes" in block else None
    made = Target(block.texts("positive"), block.text("of"), findings, classes)
    block.finish()
    return made


def _word_lists(block: Fields, name: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for key, words in block.mapping(name, {}).items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise block.error(name, f"must give {key} a list of words")
        found[str(key)] = tuple(words)
    return found


def _classes(block: Fields) -> Classes:
    made = Classes(block.text("of"), block.flag("several", False), _word_lists(block, "words"))
    block.finish()
    if len(made.words) < 2:
        raise block.error("words", "must name at least two classes")
    return made


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
    content = _load(name)
    for change in changes:
        _set(content, change)
    return content


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
            classes = config.get("classes", 1)
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
    if recipe.train.dense_weight and not isinstance(network.stride, int):
        raise TrainerError(f"{where}: train: dense_weight must be 0, the cells of {name} have no logits")


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
        target=_target(top.fields("target")),
        networks=top.mapping("networks"),
        preprocess=read_preprocess(top.fields("preprocess")),
        views=read_views(top.fields("views")),
        aggregation=top.mapping("aggregation"),
        detection=top.mapping("detection", {}),
        domain=read_domain(top.fields("domain")),
        train=_train(top.fields("train", {})),
        augment=_augmentation(top.fields("augment", {})),
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

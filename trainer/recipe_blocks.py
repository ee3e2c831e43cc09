"""The blocks of a recipe that only a training knows: what is learnt, how, and how images are changed.

Each block is a frozen record with its reader beside it; the readers take every key, check its range, and
refuse keys that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.manifest import Lesion, Row
from model_zoo.fields import Fields


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
    by_lesions
        An image whose label is positive counts as such only where it has a lesion that `findings` take:
        for a detector of one kind of lesion in a data set that has several.
    """

    positive: tuple[str, ...]
    of: str
    findings: Mapping[str, tuple[str, ...]]
    classes: Classes | None = None
    by_lesions: bool = False

    def is_positive(self, row: Row) -> bool:
        """Return whether an image of the manifest counts as positive."""
        if row.label not in self.positive:
            return False
        return not self.by_lesions or any(map(self.takes, row.findings))

    def class_of(self, label: str, pathology: str | None = None) -> int | None:
        """Return the 0-based class of a lesion, or None where no class takes it."""
        for number, labels in enumerate(self.findings.values()):
            if label in labels or "*" in labels or (pathology and f"{pathology} {label}" in labels):
                return number
        return None

    def takes(self, lesion: Lesion) -> bool:
        """Return whether one of the classes takes a lesion of the manifest."""
        return self.class_of(lesion.label, lesion.pathology) is not None


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
    hours
        Stop with the first epoch that ends after so many hours; 0: never. See `trainer.budget`.
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
    focal
        Exponent of the image's focal loss (Lin 2017, equation 4, without alpha): images that are called
        right with confidence count less; 0: cross entropy.
    positive_weight
        How much more a positive image counts in that loss than a negative one.
    accumulate
        Pieces that each batch is computed in, to save memory: the step is that of the whole batch. Where
        memory runs out they double by themselves.
    ema
        Share that the moving average of the weights keeps at each step (0.999); it is what validates and
        ships. 0: the weights themselves.
    ridge
        Penalty of the squared weights of a ``texture-classifier``, whose head is solved before the first
        epoch and not stepped; 0 for all other networks.
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
    hours: float = 0.0
    validate_every: int = 1
    keep: str = "best"
    balance: bool = True
    positives: int = 0
    sampling: str = "over"
    classes_weight: float = 1.0
    dense_weight: float = 1.0
    image_weight: float = 1.0
    boxes_weight: float = 1.0
    focal: float = 0.0
    positive_weight: float = 1.0
    accumulate: int = 1
    ema: float = 0.0
    ridge: float = 0.0
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
    insert_lesions
        Chance that a normal image of the training part is given a drawn mass or cluster of
        calcifications, whichever a detector has a class for (`trainer.insert`).
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
    insert_lesions: float = 0.0


def read_train(block: Fields) -> Train:
    """Return the block ``train``, checked; a `BundleError` names what is wrong."""
    made = Train(
        epochs=block.whole("epochs", 20, low=1, high=100_000),
        batch=block.whole("batch", 8, low=1, high=4096),
        lr=block.number("lr", 1e-3, low=1e-8, high=10),
        weight_decay=block.number("weight_decay", 0.05, low=0, high=1),
        warmup=block.number("warmup", 0.1, low=0, high=1),
        patience=block.whole("patience", 0, low=0, high=100_000),
        hours=block.number("hours", 0.0, low=0, high=10_000),
        validate_every=block.whole("validate_every", 1, low=1, high=100_000),
        keep=block.choice("keep", ("best", "last"), "best"),
        balance=block.flag("balance", True),
        positives=block.whole("positives", 0, low=0, high=4096),
        sampling=block.choice("sampling", ("over", "under"), "over"),
        classes_weight=block.number("classes_weight", 1.0, low=0, high=1000),
        dense_weight=block.number("dense_weight", 1.0, low=0, high=1000),
        image_weight=block.number("image_weight", 1.0, low=0, high=1000),
        boxes_weight=block.number("boxes_weight", 1.0, low=0, high=1000),
        focal=block.number("focal", 0.0, low=0, high=10),
        positive_weight=block.number("positive_weight", 1.0, low=0.001, high=1000),
        accumulate=block.whole("accumulate", 1, low=1, high=4096),
        ema=block.number("ema", 0.0, low=0, high=0.99999),
        ridge=block.number("ridge", 0.0, low=0, high=1e9),
        clip=block.number("clip", 2.0, low=0, high=1e6),
        workers=block.whole("workers", 0, low=0, high=256),
        precision=block.choice("precision", ("32-true", "bf16-mixed", "16-mixed"), "32-true"),
    )
    block.finish()
    if made.positives >= made.batch:
        raise block.error("positives", f"must leave room for negatives in a batch of {made.batch}")
    if made.accumulate > made.batch:
        raise block.error("accumulate", f"must be at most the {made.batch} images of a batch")
    return made


def read_augmentation(block: Fields) -> Augmentation:
    """Return the block ``augment``, checked; a `BundleError` names what is wrong."""
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
        insert_lesions=block.number("insert_lesions", 0.0, low=0, high=1),
    )
    block.finish()
    if made.crop and (len(made.crop) != 2 or any(side % 32 for side in made.crop)):
        raise block.error("crop", "must be [rows, columns], multiples of 32")
    return made


def read_target(block: Fields) -> Target:
    """Return the block ``target``, checked; a `BundleError` names what is wrong."""
    findings = _word_lists(block, "findings")
    classes = _classes(block.fields("classes")) if "classes" in block else None
    by_lesions = block.flag("by_lesions", False)
    made = Target(block.texts("positive"), block.text("of"), findings, classes, by_lesions)
    block.finish()
    if by_lesions and not findings:
        raise block.error("by_lesions", "needs findings: they say which lesions count")
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

"""What a training looks like when it only seems to learn: one sentence for each sign.

Of the five projects this trainer began from, one trained for days at ln 2 and called the majority's
share its accuracy, and one had rotations of the same image in both parts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from app.core.metrics.ranking import Bools, Floats, auc, delong_interval
from model_zoo.preprocess import Normalise

Kind = Literal["constant", "coin", "majority", "leak"]
_FEW = 1e-3
"""Spread of logits below which all scores are one."""
_NEAR = 0.005
"""A loss so near ln 2 rests there."""
_EPOCHS = 3
"""A sign that may pass must last so many epochs."""
_MANY = 10
"""With fewer images on one side of 0 that may be chance."""
_GAP = 0.1
"""AUC by which the val part may be ranked better than the training part at most."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Logits of a part with their truth."""

    positive: Bools
    logits: Floats

    @property
    def both(self) -> bool:
        """True where both classes are there."""
        return bool(self.positive.any() and not self.positive.all())


@dataclass(slots=True)
class Watch:
    """Remembers how long each sign has lasted, and which were said.

    Attributes
    ----------
    scores
        The logits are trained against the image's label, so that 0 means even odds; else only their order
        counts.
    """

    scores: bool = True
    _lasted: dict[Kind, int] = field(default_factory=dict)

    def after_epoch(self, epoch: int, train: Scored | None, val: Scored | None) -> list[str]:
        """Return a sentence for each sign that has just become certain; each is said once until it ends.

        Parameters
        ----------
        epoch
            0-based; what the very first epoch says is not yet a sign.
        train
            Of the epoch's augmented batches, while the weights moved.
        val
            None where the epoch was not validated: its signs then neither last nor end.
        """
        found: list[str] = []
        if epoch == 0:
            return found
        if train is not None:
            found += self._say("coin", coin(train) if self.scores else None, _EPOCHS)
        if val is not None:
            same = constant(val)
            found += self._say("constant", same, 1)
            one_sided = majority(val) if self.scores and same is None else None
            found += self._say("majority", one_sided, _EPOCHS)
            found += self._say("leak", leak(train, val) if train is not None else None, 2)
        return found

    def _say(self, kind: Kind, sentence: str | None, epochs: int) -> list[str]:
        lasted = 0 if sentence is None else self._lasted.get(kind, 0) + 1
        self._lasted[kind] = lasted
        return [sentence] if sentence is not None and lasted == epochs else []


def constant(val: Scored) -> str | None:
    """Say that all scores are one."""
    if len(val.logits) < 2 or float(val.logits.std()) >= _FEW:
        return None
    return "the classifier gives every image of the val part the same score"


def coin(train: Scored) -> str | None:
    """Say that the loss rests where a coin's would: at ln 2."""
    if not len(train.logits):
        return None
    loss = float(np.mean(np.logaddexp(0.0, train.logits) - train.positive * train.logits))
    if abs(loss - math.log(2)) >= _NEAR:
        return None
    return f"the classifier's training loss rests at {loss:.3f}, which is ln 2: a coin would do as well"


def majority(val: Scored) -> str | None:
    """Say that every image is called what most of them are."""
    said = val.logits > 0
    if len(said) < _MANY or not val.both or (said.any() and not said.all()):
        return None
    share = max(float(val.positive.mean()), 1 - float(val.positive.mean()))
    right = float((said == val.positive).mean())
    word = "positive" if said.all() else "negative"
    return (
        f"every image of the val part is called {word} at a score of 0.5: the accuracy of {right:.2f} is "
        f"that of one class alone (the larger one has {share:.2f}), so look at the AUC "
        f"({auc(val.positive, val.logits):.2f})"
    )


def leak(train: Scored, val: Scored) -> str | None:
    """Say that images which were not trained on are ranked better than those that were, beyond chance."""
    if not train.both or not val.both:
        return None
    own, other = auc(train.positive, train.logits), auc(val.positive, val.logits)
    highest = delong_interval(train.positive, train.logits)[1]
    lowest = delong_interval(val.positive, val.logits)[0]
    # nan compares as False: with one image of a class nothing is certain.
    if not (other - own > _GAP and lowest > highest):
        return None
    return (
        f"the val part is ranked better than the training part (AUC {other:.2f} against {own:.2f}, beyond "
        "chance): look for patients or pictures that are in both (mammoview-trainer audit)"
    )


def input_range(pixels: Floats, breast: Bools, how: Normalise) -> str | None:
    """Say that a network is shown values that its preprocessing never meant.

    Parameters
    ----------
    pixels, breast
        Prepared values and breast masks of the same shape, of a few images.
    how
        The preprocessing's normalisation: what it promises is what is checked.
    """
    if not np.isfinite(pixels).all():
        return "the network is shown values that are not numbers"
    inside = pixels[breast] if breast.any() else pixels.ravel()
    # Undone: 0..1 for a fixed or percentile scale, mean 0 and deviation 1 of the breast for mean-std.
    values = inside * how.std + how.mean
    low, middle, high = (float(value) for value in np.percentile(values, (0.1, 50, 99.9)))
    shown = f"breast values from {low:.4g} to {high:.4g}"
    if high - low < 1e-6:
        return f"the network is shown one and the same value ({middle:.4g}) all over the breast"
    if how.method == "mean-std":
        spread = float(values.std())
        if abs(float(values.mean())) > 0.5 or not 0.5 < spread < 2:
            return f"the network is shown {shown}, not the mean of 0 and deviation of 1 that were meant"
        return None
    if low < -0.01 or high > 1.01:
        return f"the network is shown {shown}, outside the 0 to 1 that its preprocessing means"
    if high < 0.05:
        return (
            f"the network is shown {shown}, the lowest twentieth of the 0 to 1 that its preprocessing "
            "means: 8-bit values taken for 16-bit ones?"
        )
    if middle > 0.99:
        return f"the network is shown {shown}, and half of them are saturated"
    return None

"""The rules by which a heat map passes or fails, in one table.

They were written down before any result of a bundle was looked at, and are not tuned afterwards: a
changed rule is a new `RULES_VERSION`, and results under another version are measured anew.
docs/explanations.md gives the same table with its reasons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

RULES_VERSION = 1

Result = Literal["passed", "failed", "not measured"]
Side = Literal["above", "at least", "below", "at most"]


@dataclass(frozen=True, slots=True)
class Rule:
    """What one number must be.

    Attributes
    ----------
    name
        As `model_zoo.verdicts.WORDS` has it.
    number
        What is compared, in words.
    side, limit
        How it must lie to the limit.
    least
        Fewer images than this: not measured.
    """

    name: str
    number: str
    side: Side
    limit: float
    least: int

    def judge(self, number: float, images: int) -> Result:
        """Return the result; a number that is nan was not measured."""
        if images < self.least or math.isnan(number):
            return "not measured"
        held = {
            "above": number > self.limit,
            "at least": number >= self.limit,
            "below": number < self.limit,
            "at most": number <= self.limit,
        }[self.side]
        return "passed" if held else "failed"

    @property
    def sentence(self) -> str:
        """The rule in words."""
        return f"{self.number} must be {self.side} {self.limit:g} (from {self.least} images on)"


RULES: tuple[Rule, ...] = (
    Rule(
        "pointing",
        "the lower end of the 95 % interval of (share of images whose strongest cell touches a lesion, "
        "less that of the best of centre guess, breast mask and edge filter)",
        "above",
        0.0,
        20,
    ),
    Rule(
        "energy",
        "the lower end of the 95 % interval of (share of the map's evidence in lesions, less that of the "
        "best of centre guess, breast mask and edge filter)",
        "above",
        0.0,
        20,
    ),
    Rule(
        "randomised",
        "the similarity (SSIM) of the map to that of the network with all weights shuffled, less that of two "
        "shuffled networks or 0.4, whichever is smaller",
        "at most",
        0.1,
        5,
    ),
    Rule(
        "deletion",
        "the upper end of the 95 % interval of (score while the strongest cells are blurred away, less the "
        "same in random order)",
        "below",
        0.0,
        10,
    ),
    Rule(
        "insertion",
        "the lower end of the 95 % interval of (score while the strongest cells come back into the "
        "blurred image, less the same in random order)",
        "above",
        0.0,
        10,
    ),
    Rule(
        "flip",
        "the mean correlation of the map with that of the image turned top to bottom, turned back",
        "at least",
        0.7,
        10,
    ),
    Rule(
        "shift",
        "the mean correlation of the map with that of the image moved down by 32 pixels, moved back",
        "at least",
        0.8,
        10,
    ),
    Rule(
        "marker",
        "the share of images whose strongest cell touches a bright marker planted outside the breast",
        "at most",
        0.05,
        10,
    ),
    Rule(
        "blank",
        "the strongest cell of a blank image, over the median of the strongest cells of the lesion images",
        "at most",
        0.25,
        1,
    ),
    Rule(
        "repeat",
        "the mean correlation of the maps of two trainings from different seeds",
        "at least",
        0.5,
        10,
    ),
)


def rule(name: str) -> Rule:
    """Return the rule of a test; KeyError for an unknown one."""
    for one in RULES:
        if one.name == name:
            return one
    raise KeyError(name)

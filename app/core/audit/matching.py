"""Truth against prediction on one image: which lesions are hit, which boxes point at nothing.

A box hits a lesion by one of the rules of the FROC (`app.core.metrics.froc`), named with every answer: the
numbers of one rule say nothing about another. A second box on a lesion that is hit already is no false
positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.core.audit.cases import SaidBox
from app.core.manifest import Lesion
from app.core.metrics.froc import Rule, hits

RULES: Final[dict[Rule, str]] = {
    "centre": "centre of the box inside the lesion's box",
    "iou20": "IoU at least 0.2",
    "iou50": "IoU at least 0.5",
}
"""What each rule means, in words for the screen."""

LesionState = Literal["found", "missed", "no place"]
BoxState = Literal["hit", "repeat", "false"]


@dataclass(frozen=True, slots=True)
class MatchedLesion:
    """A lesion of the truth: ``found`` (by the boxes at these places), ``missed``, or without a place."""

    lesion: Lesion
    state: LesionState
    by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedBox:
    """A predicted box: ``hit`` (the best on its lesion), ``repeat`` (another on one), ``false``."""

    said: SaidBox
    state: BoxState
    of: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Matching:
    """All lesions and all boxes of one image from a score up; `rule` is a key of `RULES`."""

    rule: Rule
    lesions: tuple[MatchedLesion, ...]
    boxes: tuple[MatchedBox, ...]


def match(
    lesions: Sequence[Lesion], boxes: Sequence[SaidBox], *, rule: Rule = "centre", least: float = 0.0
) -> Matching:
    """Match predicted boxes of a score of at least `least` to the lesions of the truth."""
    shown = sorted((box for box in boxes if box.score >= least), key=lambda one: -one.score)
    on = [
        tuple(k for k, box in enumerate(shown) if lesion.box is not None and hits(box.box, lesion.box, rule))
        for lesion in lesions
    ]
    best = {own[0] for own in on if own}
    matched = []
    for number, box in enumerate(shown):
        of = tuple(k for k, own in enumerate(on) if number in own)
        state: BoxState = "hit" if number in best else "repeat" if of else "false"
        matched.append(MatchedBox(box, state, of))
    return Matching(
        rule,
        tuple(
            MatchedLesion(lesion, "no place" if lesion.box is None else "found" if own else "missed", own)
            for lesion, own in zip(lesions, on, strict=True)
        ),
        tuple(matched),
    )

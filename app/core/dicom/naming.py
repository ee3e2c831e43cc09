"""Laterality and view as people write them in file names and descriptions: ``L_CC``, ``RIGHT MLO``.

Nothing here is certain: whoever uses it marks the result as inferred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Side = Literal["L", "R"]

_SIDES: dict[str, Side] = {
    "l": "L",
    "lt": "L",
    "left": "L",
    "r": "R",
    "rt": "R",
    "right": "R",
    "links": "L",
    "rechts": "R",
}
_VIEW = "xccl|xccm|xcc|lmo|mlo|cc|ml|lm|sio|iso|fb"
_MODIFIER = "id|rl|rm|ri|rs|np|ac|imf|ax"
_TOKEN = re.compile(rf"(left|right|lt|rt|l|r)?([ms])?({_VIEW}|at|cv|tan)({_MODIFIER})?$")
_WORDS = (
    (re.compile(r"medio[\s_-]*lateral[\s_-]*obli"), "MLO"),
    (re.compile(r"latero[\s_-]*medial[\s_-]*obli"), "LMO"),
    (re.compile(r"(?<!exaggerated )cranio[\s_-]*caudal(?![\s_-]*exag)"), "CC"),
    (re.compile(r"medio[\s_-]*lateral(?![\s_-]*obli)"), "ML"),
    (re.compile(r"latero[\s_-]*medial(?![\s_-]*obli)"), "LM"),
)
_STANDS_FOR = {"at": ("MLO", "AT"), "cv": ("CC", "CV"), "tan": (None, "TAN")}


@dataclass(frozen=True, slots=True)
class Named:
    """What a text says about an image.

    Attributes
    ----------
    laterality
        None where the text names no side, or both.
    view
        None where the text names no view, or several.
    modifiers
        Short codes as in `Image.modifiers`.
    """

    laterality: Side | None = None
    view: str | None = None
    modifiers: tuple[str, ...] = ()


def parse(text: str) -> Named:
    """Return what a file name (without folders) or a description says about side and view.

    A side is read from a word, or from a single letter that stands alone or before a view; a view
    only from a whole token, so that ``Accession`` is no CC.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    tokens = [token for token in re.split(r"[^A-Za-z]+", spaced) if token]
    sides: set[Side] = set()
    views: set[str] = set()
    modifiers: list[str] = []
    for token in (token.lower() for token in tokens):
        if token in _SIDES:
            sides.add(_SIDES[token])
            continue
        match = _TOKEN.match(token)
        if match:
            side, before, view, behind = match.groups()
            if side:
                sides.add(_SIDES[side])
            _collect(view, before, behind, views, modifiers)
    lower = spaced.lower()
    if not views:
        views.update(view for pattern, view in _WORDS if pattern.search(lower))
    return Named(
        laterality=next(iter(sides)) if len(sides) == 1 else None,
        view=next(iter(views)) if len(views) == 1 else None,
        modifiers=tuple(dict.fromkeys(modifiers)) if len(views) == 1 else (),
    )


def _collect(token: str, before: str | None, behind: str | None, views: set[str], found: list[str]) -> None:
    view, alone = _STANDS_FOR.get(token, (token.upper(), None))
    if view:
        views.add(view)
    found.extend(one.upper() for one in (before, alone, behind) if one)

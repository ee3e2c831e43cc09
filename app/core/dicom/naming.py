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
_MODIFIER_WORDS = (
    (re.compile(r"\bmag(?:n|nif(?:ied|ication))?\b"), "M"),
    (re.compile(r"\bspot\b"), "S"),
    (re.compile(r"\bimplant[\s_-]*displaced\b|\beklund\b"), "ID"),
)
_MODIFIER_PART = re.compile(r"(?:mag(?:n|nif(?:ied|ication))?|spot|implant|displaced|eklund)$")
_NEGATED = re.compile(r"\b(?:no|not|without)(?: (?:a|or|nor|any|and|mag[a-z]*|spot))+\b")
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


def parse(text: str, *, file_name: bool = False) -> Named:
    """Return what a file name (without folders) or a description says about side and view.

    A side is read from a word, or from a single letter that stands alone or before a view; a view
    only from a whole token, so that ``Accession`` is no CC. Words such as ``spot`` are modifiers unless
    negated; in a file name only right before the view, or right behind it and last.
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
    said = _NEGATED.sub("", " ".join(re.split(r"[^a-z]+", lower)))
    if file_name:
        said = _beside_the_view(said.split())
    modifiers += [code for pattern, code in _MODIFIER_WORDS if pattern.search(said)]
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


_LETTER = re.compile(r"[^\W\d_]+")
_VIEW_WORD = re.compile(r"(?=.)(?:medio|latero|cranio)?-?(?:lateral|medial|caudal)?(?:oblique|obli)?$")
_FILLERS = frozenset({"full", "view"})


def _beside_the_view(words: list[str]) -> str:
    """Return the modifier words of a file name: ``spot`` of ``LCC spot``, "" of ``LCC with spot light``."""
    found = re.search(r"m+(?=s*v)|(?<=[sv])m+(?=f*$)", "".join(map(_kind, words)))
    return " ".join(words[found.start() : found.end()]) if found else ""


def _kind(word: str) -> str:
    """Return s for a side, v for a view, m for a part of a modifier, f for a filler, x for the rest."""
    if word in _SIDES:
        return "s"
    if _TOKEN.match(word) or _VIEW_WORD.match(word):
        return "v"
    return "m" if _MODIFIER_PART.match(word) else "f" if word in _FILLERS else "x"


def exam_name(stem: str) -> str:
    """Return what a file name says besides side and view: ``brown`` of ``brown_RCC``, "" of ``L_MLO``.

    Of single letters and of views only the last is taken off: in ``R_Brown_LCC`` the R is a name's.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem)
    runs = [(one.span(), one.group().lower()) for one in _LETTER.finditer(spaced)]
    taken = [span for span, word in runs if word in _FILLERS or (word in _SIDES and len(word) > 1)]
    letters = [span for span, word in runs if word in _SIDES and len(word) == 1]
    views = [(span, match) for span, word in runs if (match := _TOKEN.match(word)) and _is_view(match)]
    if views:
        taken.append(views[-1][0])
    else:
        taken += [span for span, word in runs if _VIEW_WORD.match(word)]
    if letters and not (views and views[-1][1].group(1)):
        taken.append(letters[-1])
    for start, end in sorted(taken, reverse=True):
        spaced = f"{spaced[:start]} {spaced[end:]}"
    return re.sub(r"[\s_.\-]+", " ", spaced).strip()


def _is_view(match: re.Match[str]) -> bool:
    """Tell whether the token is surely a view; ``tan`` and ``at`` alone may be a name."""
    return bool(match.group(1)) or match.group(3) not in _STANDS_FOR

"""Whose heat map is drawn; pure.

Outside its training domain a model's map is drawn only on request; one that failed its tests only where
the reader asks for that model's by name (Show anyway).
"""

from __future__ import annotations

from app.core.reading.findings import Evidence, MapFacts, SecondLook, ViewLook

HIDDEN = "The heat map of {model} failed its tests and is hidden. Second look has Show anyway."


def tested(look: SecondLook, evidence: Evidence) -> MapFacts | None:
    """Return what was measured of a map's method on this model; None: it was not tested."""
    # The positive part of the signed map is what HiResCAM draws.
    method = "signed" if evidence.method == "hirescam" else evidence.method
    return next((facts for facts in look.model.maps if facts.method == method), None)


def failed(look: SecondLook, view: ViewLook) -> bool:
    """Tell whether a view has a map of a kind that failed its tests."""
    facts = None if view.evidence is None else tested(look, view.evidence)
    return facts is not None and facts.verdict == "failed"


def owners(looks: tuple[SecondLook, ...]) -> tuple[tuple[str, bool], ...]:
    """Return (model, whether any of its maps is within its training domain) of all that have maps."""
    found = []
    for look in looks:
        inside = [view.in_domain for view in look.views if view.evidence is not None]
        if inside:
            found.append((look.model.name, any(inside)))
    return tuple(found)


def rejected(looks: tuple[SecondLook, ...]) -> frozenset[str]:
    """Return the models whose maps failed their tests."""
    return frozenset(look.model.name for look in looks if any(failed(look, view) for view in look.views))


def owner(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return the model whose maps are drawn: the one asked for, else the first that may be, else none.

    Parameters
    ----------
    asked
        Name of the model that the reader asked for in this study, or empty.
    """
    having, bad = owners(looks), rejected(looks)
    if any(name == asked for name, _ in having):
        return asked
    return next((name for name, inside in having if inside and name not in bad), "")


def on_request(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return the model whose maps are drawn when the reader asks for maps: `owner`, else any not failed."""
    bad = rejected(looks)
    return owner(looks, asked) or next((name for name, _ in owners(looks) if name not in bad), "")


def hidden(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return the first model whose maps are hidden because they failed, where none is drawn; else empty."""
    bad = rejected(looks)
    having = [name for name, _ in owners(looks)]
    only_failed = bool(having) and not on_request(looks, asked)
    return next((name for name in having if name in bad), "") if only_failed else ""


def held_back(looks: tuple[SecondLook, ...], asked: str) -> bool:
    """Tell whether there are maps, and none of them is drawn before the reader asks."""
    return bool(owners(looks)) and not owner(looks, asked)


def mixed(looks: tuple[SecondLook, ...], asked: str) -> bool:
    """Tell whether the model whose maps are drawn has others, of views outside its domain, held back."""
    name = owner(looks, asked)
    held = [view for look in looks if look.model.name == name for view in look.views if not view.in_domain]
    return name != asked and any(view.evidence is not None for view in held)


def evidence_at(looks: tuple[SecondLook, ...], key: tuple[str, str], asked: str) -> Evidence | None:
    """Return the map that is drawn over an image, or None."""
    name = owner(looks, asked)
    for look in looks:
        for view in look.views:
            if look.model.name == name and view.key == key and (view.in_domain or name == asked):
                return view.evidence
    return None

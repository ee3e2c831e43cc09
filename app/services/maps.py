"""Whose heat map is drawn; pure. Outside its training domain a model's map is drawn only on request."""

from __future__ import annotations

from app.core.reading.findings import Evidence, SecondLook


def owners(looks: tuple[SecondLook, ...]) -> tuple[tuple[str, bool], ...]:
    """Return (model, whether any of its maps is within its training domain) of all that have maps."""
    found = []
    for look in looks:
        inside = [view.in_domain for view in look.views if view.evidence is not None]
        if inside:
            found.append((look.model.name, any(inside)))
    return tuple(found)


def owner(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return the model whose maps are drawn: the one asked for, else the first within its domain, else none.

    Parameters
    ----------
    asked
        Name of the model that the reader asked for in this study, or empty.
    """
    having = owners(looks)
    if any(name == asked for name, _ in having):
        return asked
    return next((name for name, inside in having if inside), "")


def on_request(looks: tuple[SecondLook, ...], asked: str) -> str:
    """Return the model whose maps are drawn when the reader asks for maps: `owner`, else any that has one."""
    having = owners(looks)
    return owner(looks, asked) or (having[0][0] if having else "")


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

"""Which key does what: the table's defaults after the reader's overrides, with a conflict check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.ui.actions import ACTIONS, Action


@dataclass(frozen=True, slots=True)
class Bindings:
    """Which keys do what: ``keys`` by action id, and `conflicts` as (key, ids) left unbound."""

    keys: Mapping[str, tuple[str, ...]]
    conflicts: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def first(self, name: str) -> str:
        """Return the key shown for an action, or an empty string."""
        keys = self.keys.get(name, ())
        return keys[0] if keys else ""


def resolve(
    overrides: Mapping[str, str | tuple[str, ...]] | None = None, actions: Sequence[Action] = ACTIONS
) -> Bindings:
    """Return the keys after the reader's overrides.

    A key that two actions claim belongs to the one that the reader set; between two of the same
    kind it belongs to the first in the table. Every such clash is listed.

    Parameters
    ----------
    overrides
        Action id -> key sequence or sequences; an empty string leaves the action without a key.
        Unknown ids are ignored (a binding of a newer version, or of another window).
    actions
        Of one window: keys of different windows do not clash.
    """
    known = {action.id for action in actions}
    wanted = {name: _sequences(keys) for name, keys in (overrides or {}).items() if name in known}
    claims: dict[str, list[str]] = {}
    ordered = sorted(actions, key=lambda action: action.id not in wanted)
    for action in ordered:
        for key in wanted.get(action.id, action.keys):
            claims.setdefault(key.casefold(), []).append(action.id)
    kept = {
        action.id: tuple(
            key for key in wanted.get(action.id, action.keys) if claims[key.casefold()][0] == action.id
        )
        for action in actions
    }
    clashes = tuple((key, tuple(ids)) for key, ids in claims.items() if len(ids) > 1)
    return Bindings(kept, clashes)


def _sequences(keys: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    found = (keys,) if isinstance(keys, str) else tuple(keys)
    return tuple(key.strip() for key in found if key.strip())


def tool_tip(action: Action, bindings: Bindings) -> str:
    """Return the tool tip: what it does and its key."""
    key = bindings.first(action.id)
    return f"{action.text.rstrip('…')}: {action.tip}" + (f"  ({key})" if key else "")

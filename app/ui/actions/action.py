"""One row of the action table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the reader can ask for.

    Attributes
    ----------
    id
        Stable name. `app.ui.commands.Commands` has a method of this name, or of the name `method`,
        that does it; `argument` is passed to it when not None.
    keys
        Portable key sequences (`QKeySequence.PortableText`), the first one is shown.
    icon
        Phosphor name, or empty.
    bar
        True when it has a button in the top bar.
    check
        Name of the `Commands` property that says whether it is on; empty for plain actions.
    hold
        True when it works while the key is held down.
    """

    id: str
    text: str
    group: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    bar: bool = False
    check: str = ""
    hold: bool = False
    method: str = ""
    argument: object = None

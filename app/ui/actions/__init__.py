"""The one table of actions: menus, tool bar, shortcuts and the F1 sheet are built from it.

An action names its slot on the main window's `Commands`; what a key does is said here and
nowhere else. Keys can be remapped through ``Settings.key_bindings`` (see `app.ui.bindings`). One module
holds one menu.
"""

from typing import Final

from app.ui.actions import (
    file,
    hanging,
    image,
    marks,
    overlays,
    report,
    research,
    second_look,
    study,
    tools,
    window,
)
from app.ui.actions.action import Action

GROUPS: Final = (
    "File",
    "Study",
    "Hanging",
    "Image",
    "Tools",
    "Marks",
    "Overlays",
    "Second look",
    "Report",
    "Research",
    "Window",
)
"""Menu titles, in order."""

_MENUS: Final = (file, study, hanging, image, tools, marks, overlays, second_look, report, research, window)

ACTIONS: Final[tuple[Action, ...]] = tuple(action for menu in _MENUS for action in menu.ACTIONS)
"""Every action of the program, in menu order."""

BY_ID: Final = {action.id: action for action in ACTIONS}


def by_id(name: str) -> Action:
    """Return the action called `name`; KeyError where there is none."""
    return BY_ID[name]

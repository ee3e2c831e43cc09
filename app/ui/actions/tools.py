"""What the left mouse button does."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "tool_window",
        "Window",
        "Tools",
        ("W",),
        "sun-dim",
        "Left drag: right wider, up brighter",
        bar=True,
        check="is_window",
        method="tool",
        argument="window",
    ),
    Action(
        "tool_pan",
        "Pan",
        "Tools",
        ("G",),
        "hand",
        "Left drag moves the image (also middle drag)",
        bar=True,
        check="is_pan",
        method="tool",
        argument="pan",
    ),
    Action(
        "tool_zoom",
        "Zoom",
        "Tools",
        ("Z",),
        "magnifying-glass-plus",
        "Left drag up enlarges at the cursor (also right drag)",
        bar=True,
        check="is_zoom",
        method="tool",
        argument="zoom",
    ),
    Action(
        "tool_magnifier",
        "Magnifier",
        "Tools",
        ("Shift+M",),
        "magnifying-glass",
        "Left press shows true pixels under the cursor",
        bar=True,
        check="is_magnifier",
        method="tool",
        argument="magnifier",
    ),
    Action(
        "magnify",
        "Magnifier while held",
        "Tools",
        ("M",),
        "",
        "True pixels under the cursor while held",
        hold=True,
    ),
    Action(
        "linked",
        "Link panes",
        "Tools",
        ("Ctrl+L",),
        "link",
        "Window, zoom and pan move all panes together",
        bar=True,
        check="is_linked",
    ),
)

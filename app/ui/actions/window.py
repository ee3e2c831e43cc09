"""The window itself, help."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "panels",
        "Side panels",
        "Window",
        ("Tab",),
        "columns",
        "Fold or open both side panels",
        check="has_panels",
    ),
    Action(
        "new_window",
        "New window",
        "Window",
        ("Ctrl+N",),
        "monitor",
        "Another stage of this study, for another monitor",
    ),
    Action(
        "close_window",
        "Close second window",
        "Window",
        ("Ctrl+W",),
        "",
        "Close this second window; from the first one, every other",
    ),
    Action("bars", "Bars", "Window", ("F11",), "rows", "Fold or open the bars", check="has_bars"),
    Action(
        "focus_next", "Keyboard to the next panel", "Window", ("F6",), "", "Study list, images, second look"
    ),
    Action(
        "mask",
        "Mask patient names",
        "Window",
        ("Ctrl+Shift+M",),
        "eye-closed",
        "For teaching: a code in place of names and ids",
        check="is_masked",
    ),
    Action("menu", "Menu", "Window", ("F10",), "list", "Open the menu"),
    Action("keys", "Keys", "Window", ("F1",), "keyboard", "Every action and its key"),
    Action("about", "About Mammoview", "Window", (), "info", "Version, licences, research use only"),
)

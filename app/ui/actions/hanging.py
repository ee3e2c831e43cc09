"""Protocols, stages, panes."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "next_stage", "Next stage", "Hanging", ("Space", "."), "caret-right", "Next screenful of the protocol"
    ),
    Action(
        "previous_stage", "Previous stage", "Hanging", ("Shift+Space", ","), "caret-left", "Screenful before"
    ),
    Action(
        "protocol", "Choose protocol", "Hanging", ("Ctrl+P",), "squares-four", "Choose the hanging protocol"
    ),
    Action(
        "next_candidate", "Next image of this pane", "Hanging", ("Right",), "stack", "Page to the next image"
    ),
    Action(
        "previous_candidate",
        "Previous image of this pane",
        "Hanging",
        ("Left",),
        "",
        "Page to the image before",
    ),
    Action("next_frame", "Next frame", "Hanging", ("Down",), "", "Next frame of a multi-frame image"),
    Action("previous_frame", "Previous frame", "Hanging", ("Up",), "", "Frame before"),
    Action("next_pane", "Next pane", "Hanging", ("E",), "", "Make the next pane the active one"),
    Action(
        "previous_pane", "Previous pane", "Hanging", ("Shift+E",), "", "Make the pane before the active one"
    ),
    Action(
        "single",
        "One image",
        "Hanging",
        ("Return",),
        "corners-out",
        "This pane alone, and back (double click)",
        bar=True,
        check="is_single",
    ),
    Action(
        "walk_on",
        "Next place at actual pixels",
        "Hanging",
        ("Q",),
        "person-simple-walk",
        "Look over the whole breast at actual pixels, place by place",
        method="walk",
        argument=1,
    ),
    Action(
        "walk_back",
        "Place before at actual pixels",
        "Hanging",
        ("Shift+Q",),
        "",
        "Back to the place before",
        method="walk",
        argument=-1,
    ),
)

"""What models say."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "second_look",
        "Second look: run, marks on or off",
        "Second look",
        ("A",),
        "sparkle",
        "Run the reading set on this study; then show or hide its marks",
        bar=True,
        check="is_marked",
    ),
    Action(
        "heat_map",
        "Heat map",
        "Second look",
        ("Shift+A",),
        "fire",
        "Model evidence over the image",
        bar=True,
        check="is_heated",
    ),
    Action(
        "more_marks",
        "Lower the score threshold",
        "Second look",
        ("[",),
        "",
        "More marks",
        method="threshold",
        argument=-0.05,
    ),
    Action(
        "fewer_marks",
        "Raise the score threshold",
        "Second look",
        ("]",),
        "",
        "Fewer marks",
        method="threshold",
        argument=0.05,
    ),
    Action("next_finding", "Next finding", "Second look", ("X",), "", "Jump to the next finding"),
    Action(
        "previous_finding", "Previous finding", "Second look", ("Shift+X",), "", "Jump to the finding before"
    ),
)

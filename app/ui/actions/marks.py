"""Measuring, marking, and answering what models propose."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

_TOOLS: Final = (
    ("length", "Length", "L", "line-segment", "Drag from one end to the other"),
    ("angle", "Angle", "D", "caret-left", "Click an end, the vertex, the other end"),
    ("rectangle", "Rectangle", "B", "rectangle", "Drag a box: area and grey values"),
    ("ellipse", "Ellipse", "Shift+B", "circle", "Drag an ellipse: area and grey values"),
    (
        "polygon",
        "Polygon",
        "Shift+D",
        "polygon",
        "Click the corners; a double click closes it: area and grey values",
    ),
    ("arrow", "Arrow", "Shift+L", "arrow-up-right", "Drag from the tail to the tip"),
    ("text", "Text", "Ctrl+T", "text-t", "Click, then write"),
    ("nipple", "Nipple", "N", "record", "Click the nipple: distance and depth of marks are told from it"),
)
"""(Tool, text, key, icon, tip)."""

ACTIONS: Final[tuple[Action, ...]] = (
    Action("undo", "Undo", "Marks", ("Ctrl+Z",), "arrow-u-up-left", "Take the last change back"),
    Action(
        "redo",
        "Redo",
        "Marks",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        "arrow-u-up-right",
        "Do again what was taken back",
    ),
    *(
        Action(
            f"tool_{name}",
            text,
            "Marks",
            (key,),
            icon,
            tip,
            bar=name == "length",
            check=f"is_{name}",
            method="draw",
            argument=name,
        )
        for name, text, key, icon, tip in _TOOLS
    ),
    Action(
        "delete_mark",
        "Delete mark",
        "Marks",
        ("Del", "Backspace"),
        "trash",
        "Delete the selected mark; while drawing, take the last point back",
    ),
    Action("rename_mark", "Name mark…", "Marks", ("F2",), "pencil-simple", "Write on the selected mark"),
    Action(
        "marks",
        "Show marks",
        "Marks",
        ("Shift+O",),
        "eye",
        "The reader's marks over the images",
        check="is_marks",
    ),
    Action(
        "accept_finding",
        "Accept finding",
        "Marks",
        ("Y",),
        "check",
        "Make the finding chosen in the second look a mark of yours",
        method="answer",
        argument="accepted",
    ),
    Action(
        "correct_finding",
        "Correct finding",
        "Marks",
        ("Alt+Y",),
        "pencil-line",
        "Accept it and take hold of it: drag its handles, or give it another name",
        method="answer",
        argument="corrected",
    ),
    Action(
        "reject_finding",
        "Reject finding",
        "Marks",
        ("Shift+Y",),
        "prohibit",
        "Keep that you do not share the finding chosen in the second look",
        method="answer",
        argument="rejected",
    ),
)

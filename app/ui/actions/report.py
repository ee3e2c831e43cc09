"""The report, key images, and what leaves the program."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "write_report", "Write report", "Report", ("F4",), "note-pencil", "Put the keyboard into the report"
    ),
    Action(
        "normal_report",
        "Normal report",
        "Report",
        ("F5",),
        "check-square",
        "Category 1 for the breasts imaged, in one step",
    ),
    Action(
        "finding_from_mark",
        "Finding from mark",
        "Report",
        ("F3",),
        "note",
        "Add a finding with the selected mark's breast, size, depth and distance to the nipple",
    ),
    Action(
        "link_mark",
        "Link mark to finding",
        "Report",
        ("Shift+F3",),
        "link-simple",
        "Give the selected mark to the open finding: a pair of views makes quadrant and clock face",
    ),
    Action(
        "key_image",
        "Key image",
        "Report",
        ("Shift+K",),
        "star",
        "This image goes with the report, or no longer",
        check="is_key_image",
    ),
    Action(
        "save_report",
        "Save report…",
        "Report",
        ("Ctrl+Shift+E",),
        "file-pdf",
        "Write the report as PDF or HTML, with its key images",
    ),
    Action(
        "copy_report", "Copy report as text", "Report", ("Ctrl+Alt+C",), "", "The report on the clipboard"
    ),
    Action(
        "save_screen",
        "Save screen as PNG…",
        "Report",
        ("Ctrl+S",),
        "image",
        "All panes as they stand; patient data only if asked for",
    ),
    Action("copy_screen", "Copy screen", "Report", ("Ctrl+C",), "copy", "All panes, without patient data"),
    Action(
        "save_image",
        "Save image as PNG…",
        "Report",
        ("Ctrl+Shift+S",),
        "",
        "The active pane as it stands; patient data only if asked for",
    ),
    Action(
        "copy_image", "Copy image", "Report", ("Ctrl+Shift+C",), "", "The active pane, without patient data"
    ),
)

"""Opening, preferences, leaving."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "open_folder", "Open folder…", "File", ("Ctrl+O",), "folder-open", "Open every study below a folder"
    ),
    Action(
        "open_files", "Open files…", "File", ("Ctrl+Shift+O",), "files", "Open single files or a DICOMDIR"
    ),
    Action(
        "recent", "Open recent…", "File", ("Ctrl+R",), "clock-counter-clockwise", "What was opened lately"
    ),
    Action("cancel", "Stop", "File", ("Esc",), "x", "Stop opening or analysing; leave the single image"),
    Action("settings", "Settings…", "File", ("Ctrl+,",), "gear", "Preferences and keys"),
    Action("quit", "Quit", "File", ("Ctrl+Q",), "", "Close the workstation"),
)

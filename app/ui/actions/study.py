"""Which study is read."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "next_study",
        "Next study",
        "Study",
        ("PgDown",),
        "caret-double-right",
        "Open the next study of the list",
    ),
    Action(
        "previous_study", "Previous study", "Study", ("PgUp",), "caret-double-left", "Open the study before"
    ),
    Action(
        "mark_read",
        "Mark read",
        "Study",
        ("K",),
        "check-circle",
        "Mark this study as read, or as unread again",
        check="is_read",
    ),
    Action("next_unread", "Next unread", "Study", ("U",), "skip-forward", "Open the next study not yet read"),
    Action(
        "search", "Search studies", "Study", ("Ctrl+F",), "magnifying-glass", "Find a patient, id or date"
    ),
    Action(
        "assign",
        "About this image…",
        "Study",
        ("Ctrl+E",),
        "tag",
        "Say by hand which breast and view this is, and of a picture its origin and pixel size",
    ),
)

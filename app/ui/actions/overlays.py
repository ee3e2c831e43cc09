"""What is drawn above the pixels."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "corner",
        "Corner text: short, full, off",
        "Overlays",
        ("T",),
        "text-aa",
        "Cycle the text in the corners",
    ),
    Action(
        "overlays",
        "Hide everything over the image",
        "Overlays",
        ("O",),
        "eye-slash",
        "Pixels alone, and back",
        check="is_bare",
    ),
    Action(
        "truth",
        "Known lesions",
        "Overlays",
        ("Shift+T",),
        "target",
        "Truth of a synthetic exam, in white dashes",
        check="is_truth",
    ),
    Action(
        "pointer",
        "Linked cursor",
        "Overlays",
        ("C",),
        "crosshair",
        "What is pointed at, in the other panes: a cross, or an arc about the nipple",
        check="is_pointing",
    ),
)

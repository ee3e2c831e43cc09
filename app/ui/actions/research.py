"""What researchers do beside reading: train models and decide which are in use."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "training",
        "Training…",
        "Research",
        (),
        "",
        "Train a model, compare it with the one in use, promote it",
    ),
    Action(
        "audit",
        "Audit predictions…",
        "Research",
        (),
        "",
        "Look at a model's answers on a whole data set beside what is true, case by case, and judge them",
    ),
    Action(
        "look_inside",
        "Feature maps here",
        "Research",
        (),
        "",
        "What a model sees at the place that was right-clicked, and the training cases most like it",
    ),
)

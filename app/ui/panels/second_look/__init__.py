"""The second look: what each model says, what its score is of, and its marks."""

from app.ui.panels.second_look.panel import SecondLookPanel

__all__ = ["SecondLookPanel"]

"""Words, shapes and colours of the audit: each outcome is told apart by a letter and a shape as well."""

from __future__ import annotations

from typing import Final

from app.core.audit.outcomes import OUTCOMES, Share
from app.core.audit.plots import Number
from app.ui import theme

SHAPES: Final = ("●", "▲", "▼", "○", "–", "◇", "✕", "·")
"""Before the word of each outcome, by code."""
COLOURS: Final = (
    theme.ACCENT,
    theme.WARNING,
    theme.WORSE,
    theme.QUIET,
    theme.QUIET,
    theme.WARNING,
    theme.WORSE,
    theme.QUIET,
)
"""Of each outcome, by code."""
MEANINGS: Final = (
    "true positive: positive and recalled",
    "false positive: negative, but recalled",
    "false negative: positive, but not recalled",
    "true negative: negative and not recalled",
    "the data set does not say what is true",
    "the model declined it",
    "the model failed on it",
    "the model was not asked yet",
)
HIDDEN: Final = "hidden"
"""Stands for what a blinded reader must not see yet."""


def outcome(code: int) -> str:
    """Return an outcome as a shape and its word: ``▼ FN``."""
    return f"{SHAPES[code]} {OUTCOMES[code]}"


def share(one: Share) -> str:
    """Return a share with its 95 % interval: ``0.71 (0.60 to 0.80)``; a dash where there is none."""
    if one.value is None:
        return "–"
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def number(one: Number) -> str:
    """Return a number with its interval as far as it has one: ``0.842 (0.79 to 0.88)``."""
    if one.value is None:
        return "not defined"
    if one.low is None or one.high is None:
        return f"{one.value:.3f}"
    return f"{one.value:.3f} ({one.low:.2f} to {one.high:.2f})"


def seconds(left: float | None) -> str:
    """Return how long it will take: ``2 min left``; empty while that is not known."""
    if left is None:
        return ""
    if left < 90:
        return f"{max(1, round(left))} s left"
    if left < 90 * 60:
        return f"{round(left / 60)} min left"
    return f"{left / 3600:.1f} h left"


def counted(number: int, one: str, several: str) -> str:
    """Return a number with its noun: ``1 study``, ``12 studies``."""
    return f"{number} {one if number == 1 else several}"


def sentence(text: str) -> str:
    """Return a text that begins with a capital, unless a path begins it, and ends with a full stop."""
    if not text:
        return ""
    first = text if "/" in text.split(":")[0] else text[0].upper() + text[1:]
    return first if first.endswith((".", "!", "?")) else f"{first}."

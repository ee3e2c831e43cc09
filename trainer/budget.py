"""A training's budget of time: it ends with the first epoch that is over after so many hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from lightning.pytorch.callbacks import Timer


class Budget(Timer):  # type: ignore[misc]
    """Ends a training whose time is up, at the end of an epoch; that is an end like any other.

    The hours of all sessions of a run count together, those in which it was paused too. The learning rate
    has then not fallen as far as the recipe meant it to: its schedule is of epochs.

    Parameters
    ----------
    hours
        Above 0.
    """

    def __init__(self, hours: float) -> None:
        super().__init__(duration=timedelta(hours=hours), interval="epoch", verbose=False)
        self._hours = hours

    def on_fit_start(self, trainer: Any, *args: Any, **kwargs: Any) -> None:
        """Do nothing: an epoch that was begun before an interruption is brought to its end."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: the time so far, and what it may become."""
        return {**super().state_dict(), "seconds": self._hours * 3600}

"""How an image is shown."""

from __future__ import annotations

from typing import Final

from app.services.state import Sizing
from app.ui.commands.group import Group

STEP: Final = 1.25
"""Factor of one zoom key press."""
UNKNOWN: Final = (
    "This monitor does not say how large its pixels are: choose Calibrate monitor in the menu Image."
)
"""Why there is no true size."""


class ImageCommands(Group):
    """Slots of the menu Image."""

    def size(self, sizing: Sizing) -> None:
        """Show at a size; true size is refused where nothing tells how large the screen's pixels are."""
        if sizing == "true" and self._window.grid.pitch is None:
            self._session.message.emit(UNKNOWN)
        else:
            self._session.set_sizing(sizing)

    def calibrate(self) -> None:
        self._window.show_dialog("calibrate")

    def _sized(self, sizing: Sizing) -> bool:
        return self._pane is not None and self._pane.viewport.sizing == sizing

    @property
    def is_same(self) -> bool:
        return self._sized("same")

    @property
    def is_fit(self) -> bool:
        return self._sized("fit")

    @property
    def is_true(self) -> bool:
        return self._sized("true")

    @property
    def is_actual(self) -> bool:
        return self._sized("actual")

    def zoom_in(self) -> None:
        self._window.grid.zoom_active(STEP)

    def zoom_out(self) -> None:
        self._window.grid.zoom_active(1 / STEP)

    def invert(self) -> None:
        self._session.invert(self._active)

    @property
    def is_inverted(self) -> bool:
        return self._pane is not None and self._pane.viewport.invert

    def flip(self, way: str) -> None:
        self._session.flip(self._active, way)

    def reset(self) -> None:
        self._session.reset(self._active)

    def preset(self, index: int) -> None:
        self._window.grid.choose_voi(self._active, index)

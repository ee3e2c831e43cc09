"""What all groups of commands know: the window, its session, the active pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.state import OverlayState, PaneState

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


class Group:
    """One menu's slots for one main window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._hidden: OverlayState | None = None

    @property
    def _session(self):
        return self._window.session

    @property
    def _active(self) -> int:
        return self._session.screen.active

    @property
    def _pane(self) -> PaneState | None:
        panes = self._session.screen.panes
        return panes[self._active] if 0 <= self._active < len(panes) else None

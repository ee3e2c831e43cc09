"""Protocols, stages, panes."""

from __future__ import annotations

from app.ui.commands.group import Group


class HangingCommands(Group):
    """Slots of the menu Hanging."""

    def next_stage(self) -> None:
        """Go on: to the next place while the stage is a walk, else to the next stage."""
        if not (self._session.screen.walk and self._window.grid.walking.step(1)):
            self._session.next_stage()

    def previous_stage(self) -> None:
        self._session.previous_stage()

    def walk(self, step: int) -> None:
        """Go to another place at actual pixels; past the last one, say what is left."""
        walking = self._window.grid.walking
        if not walking.step(step) and step > 0:
            walking.tell()

    def protocol(self) -> None:
        self._window.top_bar.open_protocols()

    def next_candidate(self) -> None:
        self._session.page(self._active, 1)

    def previous_candidate(self) -> None:
        self._session.page(self._active, -1)

    def next_frame(self) -> None:
        self._session.frame_step(self._active, 1)

    def previous_frame(self) -> None:
        self._session.frame_step(self._active, -1)

    def next_pane(self) -> None:
        self._turn(1)

    def previous_pane(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        count = len(self._session.screen.panes)
        if count:
            self._session.set_active((self._active + step) % count)

    def single(self) -> None:
        """Show one image, or all again; while a stroke is open, complete it."""
        if not self._window.grid.finish_stroke():
            self._session.toggle_single(self._active)

    @property
    def is_single(self) -> bool:
        return getattr(self._session.screen, "single", None) is not None

"""What models say."""

from __future__ import annotations

from app.services import maps
from app.ui.commands.group import Group


class SecondLookCommands(Group):
    """Slots of the menu Second look."""

    def second_look(self) -> None:
        """Run the reading set the first time, or when nothing came of it; else show or hide its marks."""
        states = {look.state for look in self._session.looks}
        if states <= {"not run", "failed"}:
            self._session.set_overlay(boxes=True)
            self._session.analyse()
        else:
            self._session.set_overlay(boxes=not self._session.overlay.boxes)

    @property
    def is_marked(self) -> bool:
        return bool(self._session.overlay.boxes) and any(
            look.state not in ("not run", "running") for look in self._session.looks
        )

    def heat_map(self) -> None:
        """Show or hide; a map that is held back outside its model's training domain is asked for by this."""
        self._session.show_heat_map(not self.is_heated)

    @property
    def is_heated(self) -> bool:
        overlay = self._session.overlay
        return overlay.heatmap and not maps.held_back(self._session.looks, overlay.map_of)

    def threshold(self, step: float) -> None:
        """Move the score below which boxes are not drawn by `step`, within 0..1."""
        value = self._session.overlay.score_threshold + step
        self._session.set_overlay(score_threshold=round(min(1.0, max(0.0, value)), 2))

    def next_finding(self) -> None:
        self._window.second_look.step(1)

    def previous_finding(self) -> None:
        self._window.second_look.step(-1)

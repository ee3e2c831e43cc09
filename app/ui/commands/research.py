"""What researchers do beside reading."""

from __future__ import annotations

from app.ui.commands.group import Group


class ResearchCommands(Group):
    """Slots of the menu Research."""

    def training(self) -> None:
        from app.ui.panels.training.window import open_training  # pyqtgraph, which reading does not need

        open_training(self._window)

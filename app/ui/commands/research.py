"""What researchers do beside reading."""

from __future__ import annotations

from app.ui.commands.group import Group


class ResearchCommands(Group):
    """Slots of the menu Research."""

    def training(self) -> None:
        from app.ui.panels.training.window import open_training  # pyqtgraph, which reading does not need

        open_training(self._window)

    def audit(self) -> None:
        from app.ui.audit.window import open_audit  # pyqtgraph

        found = open_audit(self._window)
        if found.audit.state.sheet is None and not found.audit.state.loading:
            found.ask_open()

    def look_inside(self) -> None:
        """Ask a model about the place where the menu of a pane was opened last."""
        window = self._window
        asked, window.menu_place = window.menu_place, None
        inside = getattr(window, "inside", None)
        models = tuple(model.name for model in getattr(window, "models", ()))
        if inside is None or not models:
            self._session.message.emit("Feature maps need a model of images, in the main window.")
        elif asked is None:
            self._session.message.emit("Right-click a place on an image, then choose Feature maps here.")
        else:
            inside.ask(*asked, models)

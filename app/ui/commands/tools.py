"""What the left mouse button does."""

from __future__ import annotations

from app.ui.commands.group import Group


class ToolsCommands(Group):
    """Slots of the menu Tools."""

    def tool(self, name: str) -> None:
        self._session.set_tool(name)

    @property
    def is_window(self) -> bool:
        return self._session.tool == "window"

    @property
    def is_pan(self) -> bool:
        return self._session.tool == "pan"

    @property
    def is_zoom(self) -> bool:
        return self._session.tool == "zoom"

    @property
    def is_magnifier(self) -> bool:
        return self._session.tool == "magnifier"

    def magnify(self) -> None:
        """Nothing on a plain trigger: the main window follows the key going down and up."""

    def linked(self) -> None:
        self._session.set_linked(not self._session.linked)

    @property
    def is_linked(self) -> bool:
        return bool(self._session.linked)

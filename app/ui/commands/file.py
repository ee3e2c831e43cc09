"""Opening, preferences, leaving."""

from __future__ import annotations

from app.ui.commands.group import Group


class FileCommands(Group):
    """Slots of the menu File."""

    def open_folder(self) -> None:
        self._window.ask_folder()

    def open_files(self) -> None:
        self._window.ask_files()

    def recent(self) -> None:
        self._window.recent.open_in(self._window.grid)

    def cancel(self) -> None:
        """Stop what is drawn or runs; else leave the walk at actual pixels or the single image."""
        if self.stop_drawing():  # of the menu Marks
            return
        if self._window.is_opening:
            self._session.library.cancel()
        elif any(look.state == "running" for look in self._session.looks):
            self._session.cancel_analysis()
        elif self.is_single:
            if self.is_actual:
                self.size("same")
            self.single()

    def settings(self) -> None:
        self._window.show_dialog("settings")

    def quit(self) -> None:
        self._window.close()

"""The window itself, help."""

from __future__ import annotations

from dataclasses import replace

from app.ui.commands.group import Group


class WindowCommands(Group):
    """Slots of the menu Window."""

    def new_window(self) -> None:
        self._window.others.open()

    def close_window(self) -> None:
        """Close the second windows; one of them closes only itself."""
        self._window.others.close()

    def panels(self) -> None:
        self._window.fold_panels()

    @property
    def has_panels(self) -> bool:
        return self._window.has_panels

    def bars(self) -> None:
        self._window.fold_bars()

    @property
    def has_bars(self) -> bool:
        return self._window.has_bars

    def focus_next(self) -> None:
        self._window.focus_next_panel()

    def mask(self) -> None:
        """Mask names or show them again, until the program ends; the settings keep it for good."""
        session = self._session
        session.set_settings(replace(session.settings, mask_names=not self.is_masked))

    @property
    def is_masked(self) -> bool:
        return bool(self._session.settings.mask_names)

    def menu(self) -> None:
        self._window.top_bar.open_menu()

    def keys(self) -> None:
        self._window.show_dialog("keys")

    def about(self) -> None:
        self._window.show_dialog("about")

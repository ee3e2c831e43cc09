"""Which study is read."""

from __future__ import annotations

from app.ui.commands.group import Group


class StudyCommands(Group):
    """Slots of the menu Study."""

    def next_study(self) -> None:
        self._session.next_study()

    def previous_study(self) -> None:
        self._session.previous_study()

    def mark_read(self) -> None:
        self._session.mark_read()

    def next_unread(self) -> None:
        self._session.next_unread()

    def search(self) -> None:
        self._window.focus_search()

    def assign(self) -> None:
        if self._pane and self._pane.viewport.image:
            self._window.ask_assignment(self._pane.viewport.image)

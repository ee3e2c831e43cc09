"""Which study is read."""

from __future__ import annotations

from app.ui import identity
from app.ui.commands.group import Group


class StudyCommands(Group):
    """Slots of the menu Study."""

    def next_study(self) -> None:
        self._session.next_study()

    def previous_study(self) -> None:
        self._session.previous_study()

    def mark_read(self) -> None:
        """Mark the study as read, or as unread again; say what was not seen, if so wished."""
        session = self._session
        study = session.screen.study
        if study is None:
            return
        is_new = not self.is_read
        session.mark_read(is_new)
        left = session.seen.left(study.images) if is_new and session.settings.remind_unseen else ()
        if left:
            masked = session.settings.mask_names
            parts = [(identity.label(image, masked=masked), part) for image, part in left]
            names = ", ".join(f"{name} {max(1, round(100 * part))} %" for name, part in parts)
            session.message.emit(f"Marked as read; not seen at actual pixels: {names}.")

    @property
    def is_read(self) -> bool:
        study = self._session.screen.study
        return study is not None and study.key in self._session.reads

    def next_unread(self) -> None:
        self._session.next_unread()

    def search(self) -> None:
        self._window.focus_search()

    def assign(self) -> None:
        if self._pane and self._pane.viewport.image:
            self._window.ask_assignment(self._pane.viewport.image)

"""The report, key images, and what leaves the program."""

from __future__ import annotations

from app.core.reading.handles import identity
from app.core.reading.report_text import plain
from app.core.reading.work import KeyImage
from app.ui.commands.group import Group


class ReportCommands(Group):
    """Slots of the menu Report."""

    def write_report(self) -> None:
        self._window.right.setVisible(True)
        self._window.report.write()
        self._window.refresh()

    def normal_report(self) -> None:
        self._window.report.commit()
        self._window.report.reporting.normal()

    def finding_from_mark(self) -> None:
        self._window.report.add_finding(True)

    def link_mark(self) -> None:
        self._window.report.link_mark()

    def key_image(self) -> None:
        key = self._shown
        if key is None:
            self._session.message.emit("There is no image in this pane.")
        elif self._session.work.state.refused:
            self._session.message.emit(self._session.work.state.refused)
        else:
            self._session.work.toggle_key_image(*key)

    @property
    def is_key_image(self) -> bool:
        return self._shown in self._session.work.state.work.key_images

    @property
    def _shown(self) -> KeyImage | None:
        view = self._pane.viewport if self._pane is not None else None
        return (identity(view.image), view.frame) if view is not None and view.image is not None else None

    def save_report(self) -> None:
        self._window.report.commit()
        self._window.export.save_report(self._window.report.reporting.state)

    def copy_report(self) -> None:
        self._window.report.commit()
        state = self._window.report.reporting.state
        if state.is_written:
            self._window.export.copy_report(plain(state.report, state.lexicon))
        else:
            self._session.message.emit(state.refused or "No report was begun.")

    def save_screen(self) -> None:
        self._window.export.save_screen()

    def copy_screen(self) -> None:
        self._window.export.copy_screen()

    def save_image(self) -> None:
        self._window.export.save_image()

    def copy_image(self) -> None:
        self._window.export.copy_image()

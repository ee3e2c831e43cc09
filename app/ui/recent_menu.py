"""The menu of what was opened lately."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu, QWidget

from app.core import recent
from app.core.errors import ReadError


class RecentMenu(QMenu):
    """Opens again what was opened lately; keeps the list in the config folder.

    Parameters
    ----------
    remember
        Read and keep the list; False for pictures and tests: the menu is empty then.
    """

    def __init__(self, session, parent: QWidget, *, remember: bool) -> None:
        super().__init__("Open recent", parent)
        self._session = session
        self._remember = remember
        if remember:
            session.library.opened.connect(self._opened)

    def open_in(self, widget: QWidget) -> None:
        """Show the list in the middle of a widget, the first entry chosen."""
        self._fill()
        at = widget.rect().center() - QPoint(self.sizeHint().width() // 2, self.sizeHint().height() // 2)
        self.popup(widget.mapToGlobal(at))
        self.setActiveAction(self.actions()[0])

    def _fill(self) -> None:
        self.clear()
        if self._session.settings.mask_names:
            self.addAction("Not shown while names are masked").setEnabled(False)
            return
        known = recent.load() if self._remember else ()
        for opened in known:
            entry = self.addAction(recent.title(opened))
            entry.setToolTip("\n".join(str(path) for path in opened))
            entry.setEnabled(any(path.exists() for path in opened))
            entry.triggered.connect(lambda _=False, opened=opened: self._session.open_paths(opened))
        if not known:
            self.addAction("Nothing was opened yet").setEnabled(False)

    def _opened(self, paths: object) -> None:
        assert isinstance(paths, tuple)
        try:
            recent.save(recent.added(recent.load(), paths))
        except ReadError as error:
            self._session.message.emit(str(error))

"""Where windows stood, kept for each set of monitors: at the office desk as there, at home as at home."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRect, QSettings, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.ui.monitors import monitor_of, set_name, within_reach


class Places:
    """Remembers windows by name.

    Parameters
    ----------
    store
        Where they are kept; None: nothing is kept and nothing restored.
    """

    def __init__(self, store: QSettings | None) -> None:
        self._store = store

    def keep(self, name: str, window: QWidget) -> None:
        """Remember where a window stands with the monitors that are there now."""
        if self._store is not None:
            self._store.setValue(self._key(name), window.saveGeometry())
            self._store.setValue(f"places/last/{name}", window.saveGeometry())

    def restore(self, name: str, window: QWidget) -> bool:
        """Put a window where it stood, within reach; tell whether anything was known of it.

        With monitors never seen together it goes where it stood last, if that is still on a screen.
        """
        if self._store is None:
            return False
        for key in (self._key(name), f"places/last/{name}", "geometry"):
            kept = self._store.value(key)
            if isinstance(kept, QByteArray) and window.restoreGeometry(kept):
                self.put_within_reach(window)
                return True
        return False

    @staticmethod
    def put_within_reach(window: QWidget) -> None:
        """Move a window that no screen shows any more to the primary one."""
        if window.isMaximized() or window.isFullScreen():
            return
        wanted = within_reach(window.geometry(), usable())
        if wanted != window.geometry():
            window.setGeometry(wanted)

    @staticmethod
    def _key(name: str) -> str:
        return f"places/{set_name(monitor_of(screen) for screen in QGuiApplication.screens())}/{name}"


def first_size(window: QWidget, wanted: tuple[int, int], room: QSize | None = None) -> QSize:
    """Return the size of a window that was never open: as wanted, and not larger than its screen.

    Parameters
    ----------
    window
        The window, on the screen where it will open.
    wanted
        Width and height in logical pixels.
    room
        Usable size of the screen; None: asked of the platform. Off-screen there is no bound: a picture
        has the size asked for.
    """
    if room is None:
        if QGuiApplication.platformName() == "offscreen":
            return QSize(*wanted)
        room = window.screen().availableSize()
    return QSize(*wanted).boundedTo(QSize(room.width() * 19 // 20, room.height() * 19 // 20))


def usable() -> list[QRect]:
    """Return the usable areas of all screens, the primary one first."""
    primary = QGuiApplication.primaryScreen()
    screens = sorted(QGuiApplication.screens(), key=lambda screen: screen is not primary)
    return [screen.availableGeometry() for screen in screens]

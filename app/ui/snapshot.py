"""A picture of the window when everything on it has settled."""

from __future__ import annotations

import time
from typing import Final

from PySide6.QtCore import QCoreApplication, QEventLoop
from PySide6.QtGui import QImage

from app.core.errors import MammoviewError
from app.ui.main_window import MainWindow

TIMEOUT: Final = 180.0
"""Seconds after which an unsettled window is an error."""


def is_settled(window: MainWindow) -> bool:
    """Return whether nothing is still being found, decoded or analysed."""
    done, wanted = window.grid.loading
    running = any(look.state == "running" for look in window.session.looks)
    return not window.is_opening and done == wanted and not running and not window.session.library.busy


def settle(window: MainWindow, timeout: float = TIMEOUT) -> None:
    """Run the event loop until the window is settled.

    Raises
    ------
    MammoviewError
        When it is not after `timeout` seconds.
    """
    start = time.monotonic()
    quiet = 0
    while quiet < 3:
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        if is_settled(window):
            window.repaint()  # lists ask for their small pictures when they are painted
            quiet = quiet + 1 if is_settled(window) else 0
        else:
            quiet = 0
        if time.monotonic() - start > timeout:
            raise MammoviewError("the window: images were not ready in time")
        time.sleep(0.02)


def grab(window: MainWindow, timeout: float = TIMEOUT) -> QImage:
    """Return the settled window as it is on screen, in device pixels."""
    settle(window, timeout)
    return window.grab().toImage()

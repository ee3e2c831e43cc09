"""Screens as Qt describes them: their pixels, and where windows may stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QGuiApplication, QScreen

from app.core.hanging.true_size import Monitor

REACH = 64
"""Logical pixels of a window's upper edge that must lie on a screen for the hand to reach it."""


def monitor_of(screen: QScreen) -> Monitor:
    """Return what is known of a screen; an off-screen one has no size."""
    ratio = screen.devicePixelRatio()
    area, size = screen.geometry(), screen.physicalSize()
    is_real = QGuiApplication.platformName() not in ("offscreen", "minimal", "vnc")
    return Monitor(
        screen.name(),
        " ".join(part for part in (screen.manufacturer(), screen.model()) if part),
        screen.serialNumber(),
        (round(area.width() * ratio), round(area.height() * ratio)),
        (size.width(), size.height()) if is_real else (0.0, 0.0),
    )


def set_name(monitors: Iterable[Monitor]) -> str:
    """Return a name for a set of monitors, the same in whatever order they are told."""
    return ";".join(sorted(monitor.key for monitor in monitors)).replace("/", "_") or "none"


def within_reach(window: QRect, screens: Sequence[QRect]) -> QRect:
    """Return where a window may stand: as it is where it can be reached, else on the first screen.

    Parameters
    ----------
    window
        Geometry in logical pixels of the desktop.
    screens
        Their usable areas, the primary one first; none: the window stays.
    """
    if not screens:
        return window
    grip = QRect(window.left(), window.top(), window.width(), REACH)
    for screen in screens:
        seen = grip.intersected(screen)
        if seen.width() >= min(2 * REACH, window.width()) and seen.height() >= REACH // 2:
            return QRect(window.topLeft(), window.size().boundedTo(screen.size()))
    home = screens[0]
    size = window.size().boundedTo(QSize(home.width() * 9 // 10, home.height() * 9 // 10))
    corner = home.center() - QPoint(size.width() // 2, size.height() // 2)
    return QRect(corner, size)

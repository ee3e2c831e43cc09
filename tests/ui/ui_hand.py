"""The reader's hand: drags, wheel turns and keys, sent as the platform sends them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

LEFT, MIDDLE, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton, Qt.MouseButton.RightButton


def drag(view, start: tuple[int, int], by: tuple[int, int], button=LEFT) -> None:
    """Press at start (x, y), move by (x, y) in one go, release."""
    first, last = QPoint(*start), QPoint(start[0] + by[0], start[1] + by[1])
    QTest.mousePress(view, button, pos=first)
    for at in (first, last):  # the moves themselves: off-screen there is no pointer that would send them
        where = QPointF(at)
        none = Qt.KeyboardModifier.NoModifier
        move = QMouseEvent(QEvent.Type.MouseMove, where, view.mapToGlobal(where), button, button, none)
        QApplication.sendEvent(view, move)
    QTest.mouseRelease(view, button, pos=last)


def turn(view, at: tuple[int, int], notches: int, keys=Qt.KeyboardModifier.NoModifier) -> None:
    """Turn the wheel; a positive notch is away from the reader."""
    where = QPointF(*at)
    event = QWheelEvent(
        where,
        view.mapToGlobal(where),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        keys,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def press(desk, key, keys=Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key as the platform does: into the window."""
    QTest.keyClick(desk.window.windowHandle(), key, keys)


def hover(view, at: tuple[int, int], button=Qt.MouseButton.NoButton) -> None:
    """Move the mouse to a place, with its button up or down."""
    where, none = QPointF(*at), Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, where, view.mapToGlobal(where), button, button, none)
    QApplication.sendEvent(view, move)


def hold(view, start: tuple[int, int], end: tuple[int, int], button=LEFT) -> None:
    """Press, move, and do not let go."""
    QTest.mousePress(view, button, pos=QPoint(*start))
    for at in (start, end):
        hover(view, at, button)

"""What every window of images does: keys go where they belong, the magnifier is held, a pane has its menu."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMainWindow, QPlainTextEdit

from app.core.imaging.image import Image
from app.ui import menus
from app.ui.bindings import Bindings
from app.ui.focus import keeps

if TYPE_CHECKING:
    from app.ui.grid import Grid


class ReadingWindow(QMainWindow):
    """A window with a grid of images; who makes one sets these.

    Attributes
    ----------
    session
        What is shown: the main session, or a companion of it.
    grid
        The images.
    bindings, actions_by_id
        The keys as they are bound, and the actions that have them.
    menu_place
        The image, place (row, col) in stored pixels and frame where the menu of a pane was opened last.
    """

    session: Any
    grid: Grid
    bindings: Bindings
    actions_by_id: dict[str, QAction]
    menu_place: tuple[Image, tuple[float, float], int] | None = None

    def event(self, event: QEvent) -> bool:
        """Leave arrows, Enter and Space to the list, slider or button that has the keyboard."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
            and keeps(QApplication.focusWidget(), Qt.Key(event.key()))
        ):
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched, event) -> bool:
        """Follow the held magnifier key wherever the keyboard is in this window, but in text fields.

        The filter sits on the platform window, which sees each key once, not on every widget.
        """
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease) and isinstance(event, QKeyEvent):
            held = self.bindings.first("magnify")
            typed = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
            writing = isinstance(QApplication.focusWidget(), (QLineEdit, QPlainTextEdit))
            if held and typed == held and not writing and not event.isAutoRepeat():
                self.grid.hold_lens(kind == QEvent.Type.KeyPress)
                return True
        return False

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.windowHandle() is not None:
            self.windowHandle().installEventFilter(self)

    def open_pane_menu(self, index: int, where: QPoint) -> None:
        """Open the context menu of a pane at a global place."""
        view = self.grid.viewports[index]
        scene = view.scene
        stored = view.stored_at(QPointF(view.mapFromGlobal(where)))
        frame = None if scene is None else scene.frame
        self.menu_place = None if stored is None or frame is None else (frame.image, stored, frame.frame)
        if scene is not None:
            choose = lambda number: self.session.set_voi(index, number)  # noqa: E731
            menus.pane_menu(self, self.actions_by_id, scene, choose).popup(where)

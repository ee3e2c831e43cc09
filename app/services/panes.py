"""What the reader does to the panes on screen; the lower half of the session."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.core.imaging.image import Image
from app.services import screen as move
from app.services.library import ImageKey, Library
from app.services.state import ScreenState, Sizing, ViewportState


class Panes(QObject):
    """Window, zoom, pan, flips and paging: each computes the next `ScreenState` and emits it.

    A pane is named by its index in ``screen.panes``; an index that does not exist does nothing.
    While `linked`, a change goes to all panes: windows relative to each image's own default, pan
    mirrored between the breasts.
    """

    screen_changed = Signal(object)
    linked_changed = Signal(bool)

    def __init__(self, library: Library, linked: bool, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library = library
        self._screen = ScreenState()
        self._linked = linked
        self._views: dict[ImageKey, ViewportState] = {}
        self._owner = ""

    @property
    def library(self) -> Library:
        """Where images and frames come from."""
        return self._library

    @property
    def screen(self) -> ScreenState:
        """What is on screen."""
        return self._screen

    @property
    def linked(self) -> bool:
        """Whether panes move together."""
        return self._linked

    def remembered(self, image: Image) -> ViewportState:
        """Return how an image was looked at last in this study, or as it would be hung."""
        return replace(self._views.get(image.key, ViewportState()), image=image)

    def set_linked(self, linked: bool) -> None:
        """Let panes move together, or each for itself."""
        if linked != self._linked:
            self._linked = linked
            self.linked_changed.emit(linked)

    def set_active(self, index: int) -> None:
        """Make a pane the one that keys act on."""
        if self._has(index):
            single = self._screen.single if self._screen.single is None else index
            self._show(replace(self._screen, active=index, single=single))

    def toggle_single(self, index: int) -> None:
        """Let one pane fill the grid, or show all again."""
        if self._has(index):
            single = None if self._screen.single is not None else index
            self._show(replace(self._screen, active=index, single=single))

    def page(self, index: int, step: int = 1) -> None:
        """Show the next image that fits a pane, round and round."""
        if self._has(index):
            self._show(move.paged(self._screen, index, step, self._views))

    def frame_step(self, index: int, step: int) -> None:
        """Show another frame of a pane's image, stopping at the first and the last."""
        if self._has(index):
            self._show(move.framed(self._screen, index, step))

    def drag_window(self, index: int, shift: float, stretch_factor: float) -> None:
        """Move the window's centre by `shift` widths of the image's own window; stretch its width (> 0)."""
        if self._has(index) and stretch_factor > 0:
            self._show(move.window_dragged(self._screen, index, shift, stretch_factor, self._linked))

    def set_voi(self, index: int, voi: int) -> None:
        """Choose one of the file's VOI alternatives, 0-based; linked panes follow by name, else number."""
        if self._has(index):
            self._show(move.voi_chosen(self._screen, index, voi, self._linked))

    def set_sizing(self, sizing: Sizing, index: int | None = None) -> None:
        """Show at ``same``, ``fit``, ``true`` or ``actual``: all panes if linked, else one (the active)."""
        index = self._screen.active if index is None else index
        if self._has(index):
            self._show(move.sized(self._screen, index, sizing, self._linked))

    def zoom_at(self, index: int, factor: float, anchor_mm: tuple[float, float] = (0.0, 0.0)) -> None:
        """Zoom by a factor > 0 about a point, as `app.core.hanging.placement.anchor_of` gives it."""
        if self._has(index) and factor > 0:
            self._show(move.zoomed(self._screen, index, factor, anchor_mm, self._linked))

    def pan_by(self, index: int, rows_mm: float, columns_mm: float) -> None:
        """Move the picture down and right as seen on screen, in millimetres (pixels without spacing)."""
        if self._has(index):
            self._show(move.panned(self._screen, index, rows_mm, columns_mm, self._linked))

    def look_at(self, index: int, point: tuple[float, float]) -> None:
        """Let one pane fill the grid at actual pixels, a stored (row, col) at its centre."""
        if self._has(index):
            screen = move.looking_at(self._screen, index, point)
            self._show(replace(screen, active=index, single=index if len(screen.panes) > 1 else None))

    def invert(self, index: int) -> None:
        """Swap black and white in one pane."""
        if self._has(index):
            self._show(move.inverted(self._screen, index))

    def flip(self, index: int, axis: str) -> None:
        """Mirror one pane left to right (``h``) or top to bottom (``v``)."""
        if self._has(index) and axis in ("h", "v"):
            self._show(move.flipped(self._screen, index, axis))

    def reset(self, index: int) -> None:
        """Show a pane (all, if linked) as it was hung."""
        if self._has(index):
            self._show(move.was_reset(self._screen, index, self._linked))

    def _has(self, index: int) -> bool:
        return 0 <= index < len(self._screen.panes)

    def _show(self, screen: ScreenState) -> None:
        """Store a screen, tell the library what is on it, and emit it if it is another."""
        if screen == self._screen:
            return
        self._screen = screen
        for pane in screen.panes:
            if pane.viewport.image is not None:
                self._views[pane.viewport.image.key] = move.to_remember(pane.viewport)
        seen = move.visible(screen)
        order = sorted(range(len(screen.panes)), key=lambda index: (index not in seen, index))
        views = [screen.panes[index].viewport for index in order]
        shown = [(view.image, view.frame) for view in views if view.image is not None]
        self._library.set_screen(shown, self._owner)
        self.screen_changed.emit(screen)

"""All pixels seen: counts what stood on screen at actual pixels, and goes on from stop to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.core.hanging.walk import next_stop, stops
from app.core.imaging.geometry import Box
from app.core.reading.coverage import Coverage, shown
from app.ui import identity
from app.ui.scene import Scene

if TYPE_CHECKING:
    from app.ui.grid import Grid

DWELL_MS: Final = 400
"""How long a place must stand still on screen to count as seen."""
FULL: Final = 0.999
"""Device pixels per image pixel from which pixels count as actual."""


def is_full(scene: Scene) -> bool:
    """Whether a scene shows every image pixel of what is in view."""
    return scene.affine is not None and min(scene.affine.scales) >= FULL


def visible_box(scene: Scene) -> Box:
    """Return the stored pixels in view, edges at pixel corners; may reach beyond the image."""
    assert scene.affine is not None
    return scene.affine.inverse().apply_box((0.0, 0.0, float(scene.size[0]), float(scene.size[1])))


class Walking(QObject):
    """Watches a grid; what rests on screen at actual pixels is counted in ``session.seen``."""

    def __init__(self, grid: Grid, session) -> None:
        super().__init__(grid)
        self._grid = grid
        self._session = session
        self._begun: tuple[int, object] | None = None
        self._dwell = QTimer(self, singleShot=True, interval=DWELL_MS)
        self._dwell.timeout.connect(self._count)
        grid.scenes_changed.connect(self._moved)

    @property
    def waiting(self) -> bool:
        """Whether what is on screen has not rested long enough to count."""
        return self._dwell.isActive()

    def coverage(self, scene: Scene) -> Coverage | None:
        """Return what was seen of a scene's frame, where that is worth showing: at actual pixels.

        None until all that is in view has counted: what it is drawn over must have been seen before.
        """
        if scene.frame is None or not is_full(scene):
            return None
        known = self._session.seen.of(scene.frame.key)
        return known if known is not None and shown(known, visible_box(scene)) is known else None

    def step(self, by: int) -> bool:
        """Go to the next (1) or the last (-1) stop of the active pane; False where there is none.

        A pane that is not at actual pixels begins at the first stop, and fills the grid.
        """
        scene = self._grid.active_scene
        if scene is None or scene.frame is None:
            return False
        frame, view = scene.frame, scene.pane.viewport
        # The pane is about to fill the grid.
        size = (round(self._grid.height() * scene.ratio), round(self._grid.width() * scene.ratio))
        at = stops(frame.image, frame.breast, size)
        walking = view.sizing == "actual" and view.focus is not None
        found = next_stop(at, view.focus if walking else None, by)
        if found is None:
            return False
        self._session.look_at(self._session.screen.active, at[found])
        return True

    def tell(self) -> None:
        """Say what the active pane's image has left."""
        scene = self._grid.active_scene
        if scene is not None and scene.frame is not None:
            self._session.message.emit(left_over(scene, self._session.seen.of(scene.frame.key)))

    def _moved(self) -> None:
        """Begin a walk where a stage asks for one; let what rests count."""
        screen = self._session.screen
        scene = self._grid.active_scene
        if scene is not None and scene.frame is not None and not scene.frame.refining:
            here = (screen.generation, scene.frame.key)
            if screen.walk and here != self._begun and scene.pane.viewport.focus is None:
                self._begun = here
                QTimer.singleShot(0, self, lambda: self.step(1))
        self._dwell.start()

    def _count(self) -> None:
        if self._is_covered:
            self._dwell.start()
            return
        news = False
        for index in self._grid.visible_panes:
            view = self._grid.viewports[index]
            scene = view.scene
            if scene is None or scene.frame is None or view.is_rough or not view.isVisible():
                continue
            if is_full(scene):
                news |= self._session.seen.mark(scene.frame, visible_box(scene))
        if news:
            self._grid.refresh()

    @property
    def _is_covered(self) -> bool:
        """Whether a dialog or a menu stands over the images, or their window is put away."""
        above = QApplication.activeModalWidget() or QApplication.activePopupWidget()
        return above is not None or self._grid.window().isMinimized()


def left_over(scene: Scene, coverage: Coverage | None) -> str:
    """Return what was not seen of an image at actual pixels, as a sentence."""
    label = identity.label(scene.image, masked=scene.masked) if scene.image is not None else ""
    if coverage is not None and coverage.complete:
        return f"{label}: everything was seen at actual pixels."
    share = 0.0 if coverage is None else coverage.share
    return f"{label}: {max(1, round(100 * (1 - share)))} % was not seen at actual pixels."

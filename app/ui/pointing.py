"""The linked cursor: what the reader points at in one pane, looked for in the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.hanging.correspond import Arc, Cross, Shown, corresponding
from app.core.reading.handles import identity
from app.services.frames import FramePixels
from app.services.marking import nipple_of
from app.ui.scene import Scene

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Mouse:
    """Where the mouse is: the pane, device (row, col) in it, and the pane's size in device pixels."""

    index: int
    at: Point
    size: tuple[int, int]

    def place(self, scenes: Mapping[int, Scene]) -> tuple[int, Point] | None:
        """Return the pane and the stored (row, col) that lies there now; None where panes lie otherwise."""
        scene = scenes.get(self.index)
        if scene is None or scene.affine is None or scene.size != self.size:
            return None
        row, column = scene.affine.inverse().apply([self.at])[0].tolist()
        return self.index, (row, column)


class Pointing:
    """Where the reader points: under the mouse, else the middle of the selected annotation."""

    def __init__(self, session) -> None:
        self._session = session
        self._mouse: _Mouse | None = None

    def move(self, index: int, at: Point | None, scene: Scene | None) -> bool:
        """Take where the mouse is: pane, stored (row, col) or None, and what is shown; tell if it is news.

        The mouse stays on its place of the screen when what lies under it changes.
        """
        now = None
        if at is not None and scene is not None and scene.affine is not None:
            row, column = scene.affine.apply([at])[0].tolist()
            now = _Mouse(index, (row, column), scene.size)
        if now == self._mouse:
            return False
        self._mouse = now
        return True

    def source(self, scenes: Mapping[int, Scene]) -> tuple[int, Point] | None:
        """Return the pane and the stored place that is pointed at, or None; `scenes` by pane."""
        if not self._session.overlay.pointer:
            return None
        if self._mouse is not None:
            return self._mouse.place(scenes)
        selected = self._session.work.state.find(self._session.work.state.selected)
        if selected is None:
            return None
        box = selected.box
        middle = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)
        for index, scene in scenes.items():
            if scene.image is not None and identity(scene.image) == selected.image:
                return index, middle
        return None

    def mark_in(
        self,
        index: int,
        frame: FramePixels | None,
        source: tuple[int, Point] | None,
        scenes: Mapping[int, Scene],
    ) -> Cross | Arc | None:
        """Return what to draw in a pane for a place of another; None in the pane that is pointed at."""
        if source is None or frame is None or source[0] == index or source[0] not in scenes:
            return None
        pointed = scenes[source[0]].frame
        return None if pointed is None else corresponding(self._shown(pointed), source[1], self._shown(frame))

    def _shown(self, frame: FramePixels) -> Shown:
        nipple = nipple_of(self._session.work.state, frame.image)
        return Shown(frame.image, frame.breast, None if nipple is None else nipple.points[0])

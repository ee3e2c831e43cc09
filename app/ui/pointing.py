"""The linked cursor: what the reader points at in one pane, looked for in the others."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.hanging.correspond import Arc, Cross, Shown, corresponding
from app.services.frames import FramePixels
from app.ui.scene import Scene

Point = tuple[float, float]


class Pointing:
    """Where the reader points: under the mouse, else the middle of the selected annotation."""

    def __init__(self, session) -> None:
        self._session = session
        self._mouse: tuple[int, Point] | None = None

    def move(self, index: int, at: Point | None) -> bool:
        """Take where the mouse is: pane and stored (row, col), or None; tell whether that is news."""
        now = None if at is None else (index, at)
        if now == self._mouse:
            return False
        self._mouse = now
        return True

    def source(self, scenes: Mapping[int, Scene]) -> tuple[int, Point] | None:
        """Return the pane and the stored place that is pointed at, or None; `scenes` by pane."""
        if not self._session.overlay.pointer:
            return None
        if self._mouse is not None:
            return self._mouse
        selected = self._session.work.state.find(self._session.work.state.selected)
        if selected is None:
            return None
        box = selected.box
        middle = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)
        for index, scene in scenes.items():
            if scene.image is not None and scene.image.sop_uid == selected.image:
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
        marks = self._session.work.state.of_image(frame.image.sop_uid, frame.frame)
        nipple = next((mark.points[0] for mark in reversed(marks) if mark.kind == "nipple"), None)
        return Shown(frame.image, frame.breast, nipple)

"""What the drawing tools share: strokes by dragging, strokes by clicking.

A tool draws through the viewport's `marks` (`app.ui.mark_hand.MarkHand`), which shows the stroke while
it is made and gives it to the session when it is whole. Points are stored (row, col), within the image.
"""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QPointF

from app.core.reading.annotations import Kind, Point


class Stroke:
    """A tool that makes marks. `is_open`: a stroke has been begun and waits for more clicks."""

    NAME: ClassVar[str] = ""
    is_open = False

    def press(self, view, at: QPointF) -> None:
        """Begin."""

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Go on with the button down."""

    def hover(self, view, at: QPointF) -> None:
        """Go on with the button up."""

    def release(self, view) -> None:
        """Let the button go."""

    def finish(self, view) -> bool:
        """Complete what is open; tell whether there was anything to complete."""
        return False

    def step_back(self, view) -> bool:
        """Take the last point back; tell whether there was one."""
        return False

    def drop(self, view) -> bool:
        """Forget what was begun; tell whether there was anything."""
        return False


class DragStroke(Stroke):
    """From where the button goes down to where it comes up."""

    KIND: ClassVar[Kind] = "length"

    def __init__(self) -> None:
        self._start: Point | None = None
        self._points: tuple[Point, Point] | None = None

    def press(self, view, at: QPointF) -> None:
        """Remember where it begins; nothing is drawn before the mouse moves."""
        self._start, self._points = view.marks.point(at), None

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Draw to the cursor."""
        end = view.marks.point(at)
        if self._start is not None and end is not None:
            self._points = (self._start, end)
            view.marks.sketch(self.KIND, self._points)

    def release(self, view) -> None:
        """Keep it, if it is one."""
        points, self._start, self._points = self._points, None, None
        if points is not None:
            view.marks.keep(self.KIND, points)

    def drop(self, view) -> bool:
        """Forget it, also with the button still down."""
        had, self._start, self._points = self._start is not None, None, None
        if had:
            view.marks.clear()
        return had


class ClickStroke(Stroke):
    """Point by point; whole after `COUNT` points, or where that is None when the reader says so."""

    KIND: ClassVar[Kind] = "angle"
    COUNT: ClassVar[int | None] = None
    FEWEST: ClassVar[int] = 3

    def __init__(self) -> None:
        self._points: list[Point] = []

    @property
    def is_open(self) -> bool:  # type: ignore[override]
        """A point has been set."""
        return bool(self._points)

    def press(self, view, at: QPointF) -> None:
        """Set a point; on the first one again (where there are enough) it is whole."""
        if (
            self.COUNT is None
            and len(self._points) >= self.FEWEST
            and view.marks.is_near(at, self._points[0])
        ):
            self.finish(view)
            return
        point = view.marks.point(at)
        if point is None or (self._points and point == self._points[-1]):
            return
        self._points.append(point)
        if len(self._points) == self.COUNT:
            self._keep(view)
        else:
            view.marks.sketch(self.KIND, tuple(self._points))

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """Show the next side."""
        self.hover(view, at)

    def hover(self, view, at: QPointF) -> None:
        """Show the next side."""
        point = view.marks.point(at)
        if self._points and point is not None:
            view.marks.sketch(self.KIND, (*self._points, point))

    def finish(self, view) -> bool:
        """Close it; one with too few points stays open."""
        if not self._points:
            return False
        if self.COUNT is None and len(self._points) >= self.FEWEST:
            self._keep(view)
        return True

    def step_back(self, view) -> bool:
        """Take the last point back."""
        if not self._points:
            return False
        self._points.pop()
        if self._points:
            view.marks.sketch(self.KIND, tuple(self._points))
        else:
            view.marks.clear()
        return True

    def drop(self, view) -> bool:
        """Forget all points."""
        had, self._points = bool(self._points), []
        if had:
            view.marks.clear()
        return had

    def _keep(self, view) -> None:
        points, self._points = tuple(self._points), []
        view.marks.keep(self.KIND, points)


class PointStroke(Stroke):
    """One click; `place` does with the point what the tool is for."""

    def __init__(self) -> None:
        self._at: Point | None = None

    def press(self, view, at: QPointF) -> None:
        """Remember the place."""
        self._at = view.marks.point(at)

    def drag(self, view, by: QPointF, at: QPointF) -> None:
        """The place may still be moved."""
        self._at = view.marks.point(at)

    def release(self, view) -> None:
        """Mark the place."""
        at, self._at = self._at, None
        if at is not None:
            self.place(view, at)

    def drop(self, view) -> bool:
        """Forget the place, with the button still down."""
        had, self._at = self._at is not None, None
        return had

    def place(self, view, point: Point) -> None:
        """Mark a point."""
        raise NotImplementedError

"""The reader's hand on the marks of one pane: selecting, moving, reshaping, drawing, writing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QPointF, Qt

from app.core.imaging.image import Image
from app.core.reading.annotations import POINTS, Annotation, Kind, Point, new_annotation
from app.core.reading.handles import clipped, identity, moved, reshaped
from app.services.marking import nipple_of
from app.ui.inline_editor import InlineEditor
from app.ui.mark_words import lines_of
from app.ui.marks import Mark
from app.ui.scene import Scene
from app.ui.shapes import REACH, Hit, at_screen, finding_at, hit
from app.ui.strokes import Stroke

SHORTEST: Final = 2.0
"""Device pixels below which a stroke makes nothing."""
LINE: Final[Kind] = "length"
"""What stands for an open stroke of which only one side is there."""


class MarkHand:
    """Belongs to a viewport; what is drawn or dragged is shown there alone until it is kept.

    Attributes
    ----------
    draft
        The mark being drawn or dragged, or None.
    """

    def __init__(self, view, tools: dict[str, object]) -> None:
        self._view = view
        self._tools = tools
        self._grabbed: Hit | None = None
        self._from: Point | None = None
        self._editor: InlineEditor | None = None
        self.draft: Mark | None = None

    # Where

    @property
    def stroke(self) -> Stroke | None:
        """The drawing tool that is chosen, or None."""
        tool = self._tools.get(self._view.session.tool)
        return tool if isinstance(tool, Stroke) else None

    @property
    def is_open(self) -> bool:
        """A stroke of several clicks has been begun here."""
        return self.stroke is not None and self.stroke.is_open

    @property
    def _image(self) -> Image | None:
        scene = self._view.scene
        return scene.image if scene is not None and scene.affine is not None else None

    def point(self, at: QPointF) -> Point | None:
        """Return the stored (row, col) under a logical point, kept within the image; None without one."""
        stored, image = self._view.stored_at(at), self._image
        return None if stored is None or image is None else clipped(stored, image)

    def is_near(self, at: QPointF, point: Point) -> bool:
        """Tell whether a logical point is near a stored one."""
        (there,) = at_screen(self._view.scene, [point])
        gap = at - there
        return bool(gap.x() ** 2 + gap.y() ** 2 <= REACH**2)

    def _hit(self, at: QPointF) -> Hit | None:
        scene: Scene | None = self._view.scene
        return None if scene is None else hit(scene, at)

    # The mouse

    def press(self, at: QPointF) -> bool:
        """Take hold of the mark under the mouse and select it; tell whether there is one.

        An open stroke goes on instead; a press on nothing lets go of the selection.
        """
        if self.is_open:
            return False
        work, found = self._view.session.work, self._hit(at)
        if found is None:
            if work.state.selected and self.stroke is None:
                work.select("")
            if self.stroke is None:
                self._choose_finding(at)
            return False
        if work.state.selected != found.annotation.uid:
            work.select(found.annotation.uid)
        self._grabbed, self._from = found, self._view.stored_at(at)
        return True

    def select_at(self, at: QPointF) -> None:
        """Select the mark under the mouse, or none, and choose a finding whose outline is there."""
        if self.is_open:
            return
        work, found = self._view.session.work, self._hit(at)
        uid = found.annotation.uid if found is not None else ""
        if work.state.selected != uid:
            work.select(uid)
        if found is None:
            self._choose_finding(at)

    def _choose_finding(self, at: QPointF) -> None:
        scene = self._view.scene
        finding = finding_at(scene, at) if scene is not None else None
        if finding is not None:
            self._view.finding_pressed.emit(scene.image.key, finding)

    def drag(self, at: QPointF) -> None:
        """Carry what was taken hold of along."""
        held, image, now = self._grabbed, self._image, self._view.stored_at(at)
        if held is None or image is None or now is None or self._from is None:
            return
        if held.handle is not None:
            news = reshaped(held.annotation, held.handle, clipped(now, image))
        else:
            rows, columns = now[0] - self._from[0], now[1] - self._from[1]
            news = moved(held.annotation, rows, columns, image)
        self._show(news)

    def release(self) -> None:
        """Keep what was dragged, where it is."""
        draft = self.draft
        self._grabbed = None
        self.clear()
        if draft is not None:
            self._view.session.marking.change(draft.annotation)

    def hover(self, at: QPointF) -> None:
        """Follow the mouse with its button up: an open stroke, and a cursor that says what a press takes."""
        stroke = self.stroke
        if stroke is not None:
            stroke.hover(self._view, at)
        shape = Qt.CursorShape.ArrowCursor if stroke is None else Qt.CursorShape.CrossCursor
        if stroke is None or not stroke.is_open:
            found = self._hit(at)
            if found is not None:
                held = found.handle is not None
                shape = Qt.CursorShape.PointingHandCursor if held else Qt.CursorShape.SizeAllCursor
        if self._view.cursor().shape() != shape:
            self._view.setCursor(shape)

    def double_click(self, at: QPointF) -> bool:
        """Complete an open stroke, or write on the mark under the mouse; tell whether there was either."""
        if self.stroke is not None and self.stroke.finish(self._view):
            return True
        found = self._hit(at)
        if found is None:
            return False
        self.write_on(found.annotation)
        return True

    # What tools ask for

    def sketch(self, kind: Kind, points: tuple[Point, ...]) -> None:
        """Show a stroke that is not kept yet."""
        image = self._image
        if image is None or len(points) < 2:
            return
        whole = len(points) >= POINTS[kind][0]
        self._show(new_annotation(kind if whole else LINE, identity(image), self._frame, points), is_new=True)

    def keep(self, kind: Kind, points: tuple[Point, ...], text: str = "") -> None:
        """Make a mark of a stroke, unless it is too small to have been meant."""
        image, frame = self._image, self._frame
        self.clear()
        if image is not None and self._is_meant(kind, points):
            self._view.session.marking.draw(kind, image, frame, points, text)

    def clear(self) -> None:
        """Take the sketch away."""
        if self.draft is not None:
            self.draft = None
            self._view.show_draft(None)

    def write_at(self, point: Point) -> None:
        """Ask for words at a place, and make a text of them, whatever the pane shows by then."""
        (at,) = at_screen(self._view.scene, [point])
        image, frame, marking = self._image, self._frame, self._view.session.marking

        def written(text: str) -> None:
            if text and image is not None:
                marking.draw("text", image, frame, (point,), text)

        self._edit(at, "", "Text").written.connect(written)

    def write_on(self, annotation: Annotation) -> None:
        """Ask for other words of a mark."""
        at = at_screen(self._view.scene, annotation.points)[-1]
        uid, session = annotation.uid, self._view.session
        name = "What it is" if annotation.kind == "finding" else "Text"
        self._edit(at, annotation.text, name).written.connect(lambda text: session.marking.rename(uid, text))

    def finish_writing(self) -> None:
        """Keep what is being written, as where the keyboard goes elsewhere."""
        if self._editor is not None:
            self._editor.finish()

    def _edit(self, at: QPointF, text: str, name: str) -> InlineEditor:
        self.finish_writing()
        editor = InlineEditor(self._view, QPointF(at.x() + 8, at.y()).toPoint(), text, name)
        editor.over.connect(self._forget_editor)
        self._editor = editor
        return editor

    def _forget_editor(self) -> None:
        self._editor = None

    # Keys

    def finish(self) -> bool:
        """Complete an open stroke; tell whether there was one."""
        return self.stroke is not None and self.stroke.finish(self._view)

    def step_back(self) -> bool:
        """Take back the last point of an open stroke; tell whether there was one."""
        return self.stroke is not None and self.stroke.step_back(self._view)

    def drop(self) -> bool:
        """Forget what is being drawn or dragged; tell whether there was anything."""
        dragged, self._grabbed = self._grabbed is not None and self.draft is not None, None
        drawn = [tool.drop(self._view) for tool in self._tools.values() if isinstance(tool, Stroke)]
        self.clear()
        return dragged or any(drawn)

    # Showing

    @property
    def _frame(self) -> int:
        scene = self._view.scene
        return scene.pane.viewport.frame if scene is not None else 0

    def fits(self, scene: Scene) -> bool:
        """Tell whether a scene shows the frame that stands here; else what is in hand has to be dropped."""
        old = self._view.scene
        return old is None or _shown(old) == _shown(scene)

    def _show(self, annotation: Annotation, *, is_new: bool = False) -> None:
        image = self._image
        assert image is not None
        nipple = nipple_of(self._view.session.work.state, image)
        point = nipple.points[0] if nipple is not None else None
        is_open = annotation.kind == LINE and self.is_open
        lines = () if is_open else lines_of(annotation, image, nipple=point, whole=True)
        if self.draft is not None and is_new:
            annotation = replace(annotation, uid=self.draft.annotation.uid)
        self.draft = Mark(annotation, lines, selected=not is_new, pending=True)
        self._view.show_draft(self.draft)

    def _is_meant(self, kind: Kind, points: tuple[Point, ...]) -> bool:
        if len(points) < 2:
            return True
        places = self._view.scene.affine.apply(points)
        rows, columns = (float(extent) for extent in places.max(axis=0) - places.min(axis=0))
        if kind in ("rectangle", "ellipse"):
            return min(rows, columns) >= SHORTEST
        if kind == "angle":
            arms = places[[0, 2]] - places[1]
            return bool((arms**2).sum(axis=1).min() >= SHORTEST**2)
        return bool((rows**2 + columns**2) ** 0.5 >= SHORTEST)


def _shown(scene: Scene) -> tuple[object, int]:
    image = scene.pane.viewport.image
    return (None if image is None else image.key, scene.pane.viewport.frame)

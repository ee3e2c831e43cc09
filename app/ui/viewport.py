"""One pane of the grid: paints its scene, turns mouse movements into intentions."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.hanging.placement import anchor_of
from app.ui import identity, theme
from app.ui.carrying import key_in
from app.ui.mark_hand import MarkHand
from app.ui.marks import Mark
from app.ui.overlays import OVERLAYS
from app.ui.painting import draw_picture
from app.ui.raster import Raster
from app.ui.scene import Scene
from app.ui.tools import TOOLS

CLICK: Final = 4
"""Logical pixels that a press may wander and still be a click."""
BLACK: Final = QColor(theme.BLACK)
LARGE: Final = 1 << 20
"""Stored pixels from which a frame in motion may be sketched."""
MARK: Final = "mark"
"""What the left button holds while a mark is dragged, in place of a tool."""
NOTCH: Final = 120.0
"""Wheel units of one notch (Qt)."""


class Viewport(QWidget):
    """Paints a `Scene`; sends what the reader does with the mouse to the session.

    Signals carry this pane's index: `menu_asked` (with the global place), `lens_moved` (device
    (row, col) or None), `pointed` (stored (row, col) under the mouse, or None). `finding_pressed`
    carries the image key and the model's finding.
    """

    menu_asked = Signal(int, QPoint)
    lens_moved = Signal(int, object)
    pointed = Signal(int, object)
    finding_pressed = Signal(object, object)

    def __init__(self, session, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.index = index
        self.scene: Scene | None = None
        self.raster = Raster()
        self._tools = {tool.NAME: tool() for tool in TOOLS}
        self.marks = MarkHand(self, self._tools)
        session.leaving.connect(self.marks.finish_writing)
        self._held: str = ""
        self._button = Qt.MouseButton.NoButton
        self._start = self._last = QPointF()
        self._moved = False
        self._hasty = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    @property
    def device_size(self) -> tuple[int, int]:
        """(rows, columns) in device pixels."""
        ratio = self.devicePixelRatioF()
        return (max(1, round(self.height() * ratio)), max(1, round(self.width() * ratio)))

    def present(self, scene: Scene, *, hasty: bool = False) -> None:
        """Show a scene; nothing is painted where it is the one shown.

        `hasty`: pixels in a new place may be a sketch, until `refine`.
        """
        if not self.marks.fits(scene):
            self.marks.drop()
            self.marks.finish_writing()
        scene = replace(scene, draft=self.marks.draft) if self.marks.draft else scene
        if self.scene is not None and self.scene.same_as(scene):
            return
        self._hasty = hasty
        self.scene = scene
        if scene.frame is None:
            self.raster.forget()
        image = scene.image
        name = identity.label(image, masked=scene.masked) if image else f"No {scene.pane.wants}"
        self.setAccessibleName(f"Pane {self.index + 1}: {name}")
        self.update()

    def show_draft(self, draft: Mark | None) -> None:
        """Show a mark that is being drawn or dragged; no other pane is touched."""
        if self.scene is not None:
            self.scene = replace(self.scene, draft=draft)
            self.update()

    def moves_to(self, scene: Scene) -> bool:
        """Tell whether a scene puts a large frame in another place, or another image in its."""
        old, new = self.scene, scene.frame
        if old is None or old.frame is None or new is None or new.stored.size < LARGE:
            return False
        return self.turns_to(scene) or (old.frame is new and old.affine != scene.affine)

    def turns_to(self, scene: Scene) -> bool:
        """Tell whether a scene shows another image than the one shown."""
        old, new = self.scene, scene.frame
        return (
            old is not None
            and old.frame is not None
            and new is not None
            and old.frame.image.key != new.image.key
        )

    @property
    def is_rough(self) -> bool:
        """Whether a sketch is shown, or would be if it were painted now."""
        return self._hasty or self.raster.is_sketch

    def refine(self) -> bool:
        """Paint exact pixels in place of a sketch; tell whether it could: the hidden paint nothing."""
        self._hasty = False
        if not self.raster.is_sketch:
            return False
        self.repaint()
        return not self.raster.is_sketch

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        scene = self.scene
        painter.fillRect(self.rect(), BLACK)
        if scene is not None and scene.frame is not None and scene.affine is not None and not scene.failed:
            view = scene.pane.viewport
            made = self.raster.picture(scene.frame, scene.affine, scene.size, view, hasty=self._hasty)
            draw_picture(painter, made, QPointF(0, 0), scene.ratio)
        if scene is not None:
            for overlay in OVERLAYS:
                overlay(painter, scene)
            if scene.active:
                self._mark_active(painter, scene)
        painter.end()

    def _mark_active(self, painter: QPainter, scene: Scene) -> None:
        """A short accent line at the free edge beside the label: seen, and far from the breast."""
        area = scene.bounds
        left = 0.0 if scene.free_left else area.right() - 2
        painter.fillRect(QRectF(left, 16, 2, 24), QColor(theme.ACCENT))

    # The reader's hand

    def to_device(self, at: QPointF) -> tuple[float, float]:
        """Return the device (row, col) of a logical point."""
        ratio = self.devicePixelRatioF()
        return (at.y() * ratio - 0.5, at.x() * ratio - 0.5)

    def stored_at(self, at: QPointF) -> tuple[float, float] | None:
        """Return the stored (row, col) under a logical point, or None without an image."""
        if self.scene is None or self.scene.affine is None:
            return None
        row, col = self.scene.affine.inverse().apply([self.to_device(at)])[0].tolist()
        return (row, col)

    def anchor_at(self, at: QPointF) -> tuple[float, float] | None:
        """Return the place under a logical point as `Session.zoom_at` wants it, or None."""
        scene = self.scene
        if scene is None or scene.frame is None or scene.affine is None:
            return None
        image, pane = scene.frame.image, scene.pane
        return anchor_of(
            image,
            image.rows,
            image.columns,
            scene.frame.breast,
            pane.viewport,
            pane.justify,
            pane.top,
            scene.size,
            scene.px_per_mm,
            self.to_device(at),
        )

    @property
    def scale(self) -> float:
        """Device pixels per millimetre (per image pixel without spacing) as shown; 0 without an image."""
        scene = self.scene
        if scene is None or scene.affine is None or scene.image is None:
            return 0.0
        spacing = scene.image.spacing
        return scene.affine.scales[0] / (spacing.row_mm if spacing else 1.0)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._held:
            return
        self.session.set_active(self.index)
        self._button = event.button()
        self._start = self._last = event.position()
        self._moved = False
        by_button = {
            Qt.MouseButton.LeftButton: self.session.tool,
            Qt.MouseButton.MiddleButton: "pan",
            Qt.MouseButton.RightButton: "zoom",
        }
        self._held = by_button.get(event.button(), "")
        if event.button() == Qt.MouseButton.LeftButton and self.marks.press(event.position()):
            self._held = MARK
        if self._held in self._tools and event.button() != Qt.MouseButton.RightButton:
            self._tools[self._held].press(self, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        if not self._held:
            self.marks.hover(at)
            if self.session.overlay.pointer:
                self.pointed.emit(self.index, self.stored_at(at))
            if self.scene is not None and self.scene.lens is not None:
                self.lens_moved.emit(self.index, self.to_device(at))
            return
        is_drawn = self.marks.stroke is not None and self._held == self.session.tool
        if not self._moved and not is_drawn and (at - self._start).manhattanLength() < CLICK:
            return
        if not self._moved and self._button == Qt.MouseButton.RightButton:
            self._tools[self._held].press(self, self._start)
        self._moved = True
        by, self._last = at - self._last, at
        if self._held == MARK:
            self.marks.drag(at)
        elif self._held in self._tools:
            self._tools[self._held].drag(self, by, at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != self._button:
            return
        held, self._held = self._held, ""
        self._button = Qt.MouseButton.NoButton
        if event.button() == Qt.MouseButton.RightButton and not self._moved:
            self.marks.select_at(event.position())
            self.menu_asked.emit(self.index, event.globalPosition().toPoint())
        elif held == MARK:
            self.marks.release()
        elif held in self._tools:
            self._tools[held].release(self)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self.marks.double_click(event.position()):
            return
        if self.marks.stroke is not None:
            self.mousePressEvent(event)  # two quick clicks of a tool that draws
        else:
            self.session.toggle_single(self.index)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take images of the tray; files go on to the main window."""
        if key_in(event.mimeData()) is None:
            event.ignore()
        else:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        key = key_in(event.mimeData())
        image = self.session.library.image(key) if key is not None else None
        if image is None:
            event.ignore()
            return
        event.acceptProposedAction()
        self.session.set_active(self.index)
        self.session.show_in(self.index, image)

    def leaveEvent(self, event) -> None:
        if self.session.overlay.pointer:
            self.pointed.emit(self.index, None)
        if not self._held and self.scene is not None and self.scene.lens is not None:
            self.lens_moved.emit(self.index, None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / NOTCH
        event.accept()
        if not notches:
            return
        wish = self.session.settings.wheel
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier or wish == "zoom":
            self._tools["zoom"].about(self, event.position(), 1.15**notches)
        elif abs(notches) < 1:
            return
        elif wish == "next stage":
            (self.session.previous_stage if notches > 0 else self.session.next_stage)()
        else:
            self._turn_page(-1 if notches > 0 else 1)

    def _turn_page(self, step: int) -> None:
        """Go on by frames in a multi-frame image, else by the images of this pane."""
        image = self.scene.image if self.scene else None
        if image is not None and image.frames > 1:
            self.session.frame_step(self.index, step)
        else:
            self.session.page(self.index, step)

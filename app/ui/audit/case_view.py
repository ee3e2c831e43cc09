"""One pane of the audit: the image of the case under the reader's hand, truth and prediction over it."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, Qt, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.hanging.placement import anchor_of, place
from app.core.imaging.geometry import Affine
from app.core.manifest import Box
from app.core.reading.findings import Evidence
from app.services.audit.panes import CasePanes
from app.services.frames import FramePixels
from app.services.state import OverlayState, PaneState
from app.ui import theme
from app.ui.audit.truth_boxes import Outline, paint_outlines
from app.ui.labels import LINE
from app.ui.lettering import advance, plated_text, small
from app.ui.overlays.heat_map import paint_heat_map
from app.ui.overlays.orientation import paint_orientation
from app.ui.overlays.scale_bar import paint_scale_bar
from app.ui.overlays.warnings import paint_warnings
from app.ui.painting import draw_picture
from app.ui.raster import Raster
from app.ui.scene import Scene
from app.ui.tools.pan import PanTool
from app.ui.tools.window import WindowTool
from app.ui.tools.zoom import ZoomTool

OVERLAYS: Final = (paint_heat_map, paint_orientation, paint_scale_bar)
"""No corner text: who it is does not matter to an audit, and what it is stands below the image."""
REST_MS: Final = 80
"""How long the hand must rest before exact pixels take the place of a sketch."""
NOTCH: Final = 120.0
LEAST: Final = 6
"""Logical pixels along each edge from which a drag is a mark."""


class CaseView(QWidget):
    """Left button: grey scale (or a mark, while marks are wanted); middle: move; right and wheel: zoom.

    Signals: `marked` (box of stored pixels) when the reader drew a mark, `painted` after each painting of
    the image's pixels.
    """

    marked = Signal(object)
    painted = Signal()

    def __init__(self, panes: CasePanes, index: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = panes  # the name that the tools know
        self.index = index
        self.marking = False
        self.masked = False
        self.model = ""
        self.shown: tuple[Outline, ...] = ()
        self.evidence: Evidence | None = None
        self._look = OverlayState(boxes=False)
        self._colours = "inferno"
        self._raster = Raster()
        self._tools = {tool.NAME: tool() for tool in (WindowTool, PanTool, ZoomTool)}
        self._held = ""
        self._start = self._last = QPointF()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.update)
        self.setMinimumSize(160, 160)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setAccessibleName("Image of the case")
        panes.screen_changed.connect(self._moved)
        panes.library.frame_ready.connect(self._take_frame)  # bound: the library outlives the window
        panes.library.frame_failed.connect(self._take_frame)

    def present(self, shown: tuple[Outline, ...], model: str = "") -> None:
        """Show outlines over the image, and whose they are."""
        if (shown, model) != (self.shown, self.model):
            self.shown, self.model = shown, model
            self.update()

    def present_map(self, evidence: Evidence | None, overlay: OverlayState, colours: str) -> None:
        """Draw a heat map over the image (None: none) as the reading window would."""
        look = OverlayState(boxes=False, heatmap=True, opacity=overlay.opacity, threshold=overlay.threshold)
        if (evidence, look, colours) != (self.evidence, self._look, self._colours):
            self.evidence, self._look, self._colours = evidence, look, colours
            self.update()

    @Slot()
    def _take_frame(self) -> None:
        self.update()

    def _moved(self) -> None:
        self._rest.start()
        self.update()

    # Where things lie

    @property
    def pane(self) -> PaneState | None:
        """What is shown here, or None."""
        panes = self.session.screen.panes
        return panes[self.index] if self.index < len(panes) else None

    @property
    def device_size(self) -> tuple[int, int]:
        """(rows, columns) in device pixels."""
        ratio = self.devicePixelRatioF()
        return (max(1, round(self.height() * ratio)), max(1, round(self.width() * ratio)))

    @property
    def frame(self) -> FramePixels | None:
        """The pixels, or None while they are being decoded."""
        pane = self.pane
        if pane is None or pane.viewport.image is None:
            return None
        found: FramePixels | None = self.session.library.frame(pane.viewport.image, pane.viewport.frame)
        return found

    def scene(self) -> Scene | None:
        """Return what is painted, or None where no case can be shown."""
        pane, frame = self.pane, self.frame
        if pane is None or pane.viewport.image is None:
            return None
        failed = self.session.library.failure(pane.viewport.image, pane.viewport.frame)
        return Scene(
            pane=pane,
            overlay=self._look,
            size=self.device_size,
            ratio=self.devicePixelRatioF(),
            frame=frame,
            affine=None if frame is None else self._affine(frame, pane),
            failed=failed if frame is None else "",
            masked=self.masked,
            evidence=self.evidence,
            colours=self._colours,
        )

    def _affine(self, frame: FramePixels, pane: PaneState) -> Affine:
        image = frame.image
        return place(
            image, image.rows, image.columns, frame.breast, pane.viewport, pane.justify, pane.top,
            self.device_size, 1.0,
        )  # fmt: skip

    def to_device(self, at: QPointF) -> tuple[float, float]:
        """Return the device (row, col) of a logical point."""
        ratio = self.devicePixelRatioF()
        return (at.y() * ratio - 0.5, at.x() * ratio - 0.5)

    def anchor_at(self, at: QPointF) -> tuple[float, float] | None:
        """Return the place under a logical point as `Panes.zoom_at` wants it, or None."""
        pane, frame = self.pane, self.frame
        if pane is None or frame is None:
            return None
        image = frame.image
        return anchor_of(
            image, image.rows, image.columns, frame.breast, pane.viewport, pane.justify, pane.top,
            self.device_size, 1.0, self.to_device(at),
        )  # fmt: skip

    @property
    def scale(self) -> float:
        """Device pixels per millimetre (per image pixel without spacing) as shown; 0 without an image."""
        scene = self.scene()
        if scene is None or scene.affine is None or scene.image is None:
            return 0.0
        spacing = scene.image.spacing
        return scene.affine.scales[0] / (spacing.row_mm if spacing else 1.0)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        scene = self.scene()
        if scene is not None:
            if scene.frame is not None and scene.affine is not None:
                hasty = self._rest.isActive()
                view = scene.pane.viewport
                made = self._raster.picture(scene.frame, scene.affine, scene.size, view, hasty=hasty)
                draw_picture(painter, made, QPointF(0, 0), scene.ratio)
            for overlay in OVERLAYS:
                overlay(painter, scene)
            paint_outlines(painter, scene, self.shown)
            paint_warnings(painter, scene)
        self._write(painter, scene)
        painter.end()
        if scene is not None and scene.frame is not None:
            self.painted.emit()

    def _write(self, painter: QPainter, scene: Scene | None) -> None:
        case = self.session.case
        if scene is None and case is not None and case.failure:
            painter.setFont(theme.font(theme.BASE))
            painter.setPen(QColor(theme.WARNING))
            flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, case.failure)
        if self.model:
            left = (self.width() - advance(self.model, small())) / 2
            plated_text(painter, QPointF(left, 20), self.model, theme.TEXT, small(), LINE)
        if self._held == "mark":
            painter.setPen(QColor(theme.ACCENT))
            painter.drawRect(QRectF(self._start, self._last))

    # The reader's hand

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._held or self.pane is None:
            return
        buttons = {
            Qt.MouseButton.LeftButton: "mark" if self.marking else "window",
            Qt.MouseButton.MiddleButton: "pan",
            Qt.MouseButton.RightButton: "zoom",
        }
        self._held = buttons.get(event.button(), "")
        self._start = self._last = event.position()
        if self._held in self._tools:
            self._tools[self._held].press(self, event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        by, self._last = event.position() - self._last, event.position()
        if self._held == "mark":
            self.update()
        elif self._held in self._tools:
            self._tools[self._held].drag(self, by, event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        held, self._held = self._held, ""
        if held == "mark":
            self._end_mark(event.position())
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show it as it was hung."""
        self.session.reset(self.index)

    def wheelEvent(self, event: QWheelEvent) -> None:
        anchor = self.anchor_at(event.position())
        if anchor is not None:
            self.session.zoom_at(self.index, math.pow(1.15, event.angleDelta().y() / NOTCH), anchor)
        event.accept()

    def _end_mark(self, at: QPointF) -> None:
        scene = self.scene()
        wide, high = abs(at.x() - self._start.x()), abs(at.y() - self._start.y())
        if scene is None or scene.affine is None or min(wide, high) < LEAST:
            return
        ends = scene.affine.inverse().apply([self.to_device(self._start), self.to_device(at)])
        (row0, col0), (row1, col1) = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()
        box: Box = (row0 + 0.5, col0 + 0.5, row1 + 0.5, col1 + 0.5)  # from centres to edges
        self.marked.emit(box)

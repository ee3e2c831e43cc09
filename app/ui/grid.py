"""The grid of viewports: one scale for all panes, one scene for each.

Panes share their edges: there is no gap and no line where two chest walls meet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QScreen, QWindow
from PySide6.QtWidgets import QWidget

from app.core.hanging.placement import base_of, extent_mm, place, same_scale
from app.core.hanging.true_size import Pitch, pitch_of
from app.core.imaging.geometry import Affine, Box
from app.core.imaging.image import Image
from app.core.imaging.resample import effort
from app.core.reading.findings import SecondLook, ViewLook
from app.core.reading.handles import identity
from app.services.frames import FramePixels
from app.services.maps import evidence_at
from app.services.state import PaneState, ScreenState
from app.ui import identity as named
from app.ui import theme
from app.ui.marks import answered, marks_of
from app.ui.monitors import monitor_of
from app.ui.pointing import Pointing
from app.ui.scene import Scene
from app.ui.viewport import Viewport
from app.ui.walking import Walking
from app.ui.welcome import Welcome

SLOW_S: Final = 0.025
"""Seconds of resampling, of all panes together, above which pictures in motion are sketched."""
PACE_S: Final = 8e-9
"""Seconds that a unit of resampling is taken to last before any was timed."""
REST_MS: Final = 80
"""How long the reader's hand must rest before exact pixels take the place of sketches."""
TURN_MS: Final = 20
"""The same where other images or another size came: a page was turned, no hand is moving them."""


class Grid(QWidget):
    """Shows the session's screen; recomputes scenes when anything they are made of changes.

    Signals: `scenes_changed` after any change; `menu_asked` (pane, global place); `finding_pressed`
    (image key, finding).
    """

    scenes_changed = Signal()
    menu_asked = Signal(int, QPoint)
    finding_pressed = Signal(object, object)
    _more = Signal()

    def __init__(self, session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._viewports: list[Viewport] = []
        self._lens: tuple[int, tuple[float, float]] | None = None
        self._truth: dict[tuple[str, str], tuple[Box, ...]] = {}
        self._shown: tuple[tuple[str, str], Box] | None = None
        self._research = False
        self._handle: QWindow | None = None
        self._placed: dict[int, tuple[tuple[object, ...], Affine]] = {}
        self._scaled: tuple[tuple[object, ...], float] | None = None
        self._page: tuple[object, ...] = ()
        self._pointing = Pointing(session)
        self.walking = Walking(self, session)
        self.welcome = Welcome(session, self)
        self._rest = QTimer(self, singleShot=True)
        self._rest.timeout.connect(self._refine)
        # Queued, not a timer of 0 ms: that waits for as long as any widget has something to repaint.
        self._more.connect(self._refine, Qt.ConnectionType.QueuedConnection)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Images")
        self.setMinimumSize(320, 240)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        session.screen_changed.connect(lambda _: self.refresh())
        session.overlay_changed.connect(lambda _: self.refresh())
        session.looks_changed.connect(lambda _: self.refresh())
        session.work.changed.connect(lambda _: self.refresh())
        session.settings_changed.connect(lambda _: self.refresh())
        session.measuring.ready.connect(self.refresh)
        session.tool_changed.connect(lambda _: self.drop_stroke())
        session.library.frame_ready.connect(lambda *_: self.refresh())
        session.library.frame_failed.connect(lambda *_: self.refresh())
        self.refresh()

    # What is on screen

    @property
    def viewports(self) -> tuple[Viewport, ...]:
        """One viewport per pane of the screen, in its order."""
        return tuple(self._viewports[: len(self._session.screen.panes)])

    @property
    def visible_panes(self) -> tuple[int, ...]:
        """Indices of the panes that can be seen."""
        screen: ScreenState = self._session.screen
        return tuple(range(len(screen.panes))) if screen.single is None else (screen.single,)

    @property
    def active_scene(self) -> Scene | None:
        """The scene of the active pane, or None without panes."""
        screen = self._session.screen
        if not 0 <= screen.active < len(screen.panes):
            return None
        return self._viewports[screen.active].scene

    @property
    def loading(self) -> tuple[int, int]:
        """(images shown as they are or failed, images) of the visible panes."""
        scenes = [self._viewports[index].scene for index in self.visible_panes]
        wanted = [scene for scene in scenes if scene is not None and scene.pane.viewport.image is not None]
        done = [s for s in wanted if s.failed or (s.frame is not None and not s.frame.refining)]
        sketches = sum(self._viewports[index].is_rough for index in self.visible_panes)
        return max(0, len(done) - sketches), len(wanted)

    def set_truth(self, truth: dict[tuple[str, str], tuple[Box, ...]]) -> None:
        """Give the known boxes of a synthetic exam, by image key, in stored pixels."""
        self._truth = dict(truth)
        self.refresh()

    def set_research_note(self, is_shown: bool) -> None:
        """Write over the images that this is for research, while the bars that say so are folded."""
        self._research = is_shown
        self.refresh()

    def set_shown(self, key: tuple[str, str], box: Box) -> None:
        """Say which finding the reader jumped to; its outline is drawn stronger."""
        self._shown = (key, box)
        self.refresh()

    @property
    def pitch(self) -> Pitch | None:
        """How large the pixels of the grid's screen are, or None where that is not known."""
        return pitch_of(monitor_of(self.screen()), self._session.settings.monitors)

    # Intentions of keys and menus

    def zoom_active(self, factor: float) -> None:
        """Zoom the active pane about its centre."""
        scene = self.active_scene
        if scene is not None:
            view = self._viewports[self._session.screen.active]
            anchor = view.anchor_at(QPointF(view.width() / 2, view.height() / 2))
            if anchor is not None:
                self._session.zoom_at(view.index, factor, anchor)

    def finish_stroke(self) -> bool:
        """Complete the stroke that is open in a pane; tell whether there was one."""
        done = [view.marks.finish() for view in self.viewports]
        return any(done)

    def step_back(self) -> bool:
        """Take back the last point of the stroke that is open; tell whether there was one."""
        done = [view.marks.step_back() for view in self.viewports]
        return any(done)

    def drop_stroke(self) -> bool:
        """Forget what is being drawn or dragged; tell whether there was anything."""
        done = [view.marks.drop() for view in self._viewports]
        return any(done)

    def view_of(self, uid: str) -> Viewport | None:
        """Return the visible pane that shows a mark, or None."""
        for index in self.visible_panes:
            scene = self._viewports[index].scene
            if scene is not None and any(mark.annotation.uid == uid for mark in scene.marks):
                return self._viewports[index]
        return None

    def choose_voi(self, index: int, number: int) -> None:
        """Choose a grey-scale alternative of a pane's image, 0-based; where there is none, say so."""
        panes = self._session.screen.panes
        if not 0 <= index < len(panes):
            return
        scene = self._viewports[index].scene
        if scene is None or scene.frame is None:
            return
        if number < len(scene.frame.alternatives):
            self._session.set_voi(index, number)
        else:
            self._session.message.emit(f"This image has no window {number + 1}.")

    def hold_lens(self, is_held: bool) -> None:
        """Show the magnifier under the cursor while its key is held."""
        if not is_held:
            self._move_lens(0, None)
            return
        at = self.mapFromGlobal(self.cursor().pos())
        child = self.childAt(at)
        view = child if isinstance(child, Viewport) else None
        if view is None and self.viewports:
            view = self._viewports[self._session.screen.active]
            at = view.geometry().center()
        if view is not None:
            inside = view.mapFrom(self, at)
            self._move_lens(view.index, view.to_device(QPointF(inside)))

    def _move_lens(self, index: int, at: object) -> None:
        self._lens = None if at is None else (index, at)  # type: ignore[assignment]
        self.refresh()

    def point(self, index: int, at: object) -> None:
        """Take what the mouse points at: pane and stored (row, col), or None where it left."""
        if self._pointing.move(index, at, self._viewports[index].scene):  # type: ignore[arg-type]
            self.refresh()

    # Scenes

    def refresh(self) -> None:
        """Recompute every scene; viewports repaint only where theirs differs."""
        screen: ScreenState = self._session.screen
        self._place(screen)
        for view in self.viewports:
            if view.index != screen.active and view.marks.is_open:
                view.marks.drop()
        frames = {index: self._frame(screen.panes[index]) for index in self.visible_panes}
        scale = self._scale(screen, frames)
        scenes = {index: self._scene(screen, index, frames[index], scale) for index in self.visible_panes}
        scenes = self._with_guides(scenes)
        moving = {index: scene for index, scene in scenes.items() if self._viewports[index].moves_to(scene)}
        hasty = self._seconds(moving) > SLOW_S
        turned = self._has_turned(screen, moving)
        for index, scene in scenes.items():
            self._viewports[index].present(scene, hasty=hasty)
        if hasty:
            self._rest.start(TURN_MS if turned else REST_MS)
        self.scenes_changed.emit()

    def _has_turned(self, screen: ScreenState, moving: dict[int, Scene]) -> bool:
        """Tell whether a page was turned or another size chosen: nothing is in the reader's hand."""
        sizings = tuple(pane.viewport.sizing for pane in screen.panes)
        page, self._page = self._page, (screen.generation, screen.single, sizings)
        if any(self._viewports[index].turns_to(scene) for index, scene in moving.items()):
            return True
        return page != self._page and "free" not in sizings

    def _seconds(self, scenes: dict[int, Scene]) -> float:
        """Return what resampling these scenes will take, by the pace of what was resampled last."""
        paces = [self._viewports[index].raster.pace for index in self.visible_panes]
        pace = max(paces, default=0.0) or PACE_S
        return pace * sum(
            effort(scene.frame.pyramid, scene.affine.after(scene.frame.to_stored), scene.size)
            for scene in scenes.values()
            if scene.frame is not None and scene.affine is not None
        )

    def _refine(self) -> None:
        """Replace one sketch by exact pixels, in the reader's pane first; the next one follows."""
        first = self._session.screen.active
        panes = sorted(self.visible_panes, key=lambda index: index != first)
        if any(self._viewports[index].refine() for index in panes):
            self._more.emit()
        self.scenes_changed.emit()

    def _place(self, screen: ScreenState) -> None:
        while len(self._viewports) < len(screen.panes):
            view = Viewport(self._session, len(self._viewports), self)
            view.menu_asked.connect(self.menu_asked)
            view.lens_moved.connect(self._move_lens)
            view.pointed.connect(self.point)
            view.finding_pressed.connect(self.finding_pressed)
            self._viewports.append(view)
        visible = self.visible_panes
        for index, view in enumerate(self._viewports):
            view.setVisible(index in visible)
            if index in visible:
                place = self.rect() if screen.single is not None else self._cell(screen, screen.panes[index])
                if view.geometry() != place:
                    view.setGeometry(place)

    def _cell(self, screen: ScreenState, pane: PaneState) -> QRect:
        """Return a pane's rectangle; neighbours share an edge to the pixel."""
        left, right = (self.width() * n // screen.columns for n in (pane.column, pane.column + 1))
        top, bottom = (self.height() * n // screen.rows for n in (pane.row, pane.row + 1))
        return QRect(left, top, right - left, bottom - top)

    def _frame(self, pane: PaneState) -> FramePixels | None:
        image = pane.viewport.image
        if image is None:
            return None
        frame: FramePixels | None = self._session.library.frame(image, pane.viewport.frame)
        return frame

    def _scale(self, screen: ScreenState, frames: dict[int, FramePixels | None]) -> float:
        """Return device pixels per millimetre for all visible panes, so that the largest breast fits."""
        counted = [
            (frame.image, frame.breast, self._viewports[index].device_size, screen.panes[index])
            for index, frame in frames.items()
            if frame is not None and frame.image.spacing is not None
        ]
        key = tuple(
            (id(image), breast, size, pane.justify, pane.top) for image, breast, size, pane in counted
        )
        if self._scaled is None or self._scaled[0] != key:
            extents = [
                extent_mm(image, image.rows, image.columns, breast, pane.justify, pane.top)
                for image, breast, _, pane in counted
            ]
            self._scaled = (key, same_scale([size for _, _, size, _ in counted], extents))
        return self._scaled[1]

    def _scene(self, screen: ScreenState, index: int, frame: FramePixels | None, scale: float) -> Scene:
        pane, view = screen.panes[index], self._viewports[index]
        image = pane.viewport.image
        key = image.key if image is not None else ("", "")
        failed = self._session.library.failure(image, pane.viewport.frame) if image is not None else ""
        looks, overlay = self._session.looks, self._session.overlay
        if failed and self._session.settings.mask_names:
            failed = named.UNREAD
        pitch = self.pitch if base_of(pane.viewport) == "true" else None
        scale = 1.0 / pitch.mm if pitch is not None else scale
        return Scene(
            pane=pane,
            overlay=overlay,
            size=view.device_size,
            ratio=view.devicePixelRatioF(),
            frame=frame,
            affine=None if frame is None else self._affine(index, frame, pane, view.device_size, scale),
            failed=failed if frame is None else "",
            looks=_looks_at(looks, key),
            evidence=evidence_at(looks, key, overlay.map_of) if overlay.heatmap else None,
            lens=self._lens[1] if self._lens is not None and self._lens[0] == index else None,
            truth=self._truth.get(key, ()),
            shown=self._shown[1] if self._shown is not None and self._shown[0] == key else None,
            colours=self._session.settings.colour_map,
            active=index == screen.active and len(self.visible_panes) > 1,
            px_per_mm=scale,
            screen=pitch.basis if pitch is not None else "",
            research=self._research and index == self.visible_panes[0],
            marks=() if frame is None else marks_of(self._session, frame.image, pane.viewport.frame),
            answered=frozenset() if image is None else answered(self._session, looks, image),
            key_image=image is not None and self._is_key(image, pane.viewport.frame),
            masked=self._session.settings.mask_names,
        )

    def _is_key(self, image: Image, frame: int) -> bool:
        return (identity(image), frame) in self._session.work.state.work.key_images

    def _with_guides(self, scenes: dict[int, Scene]) -> dict[int, Scene]:
        """Return the scenes with the linked cursor, and with what was seen of those at actual pixels."""
        source = self._pointing.source(scenes)
        guided = {}
        for index, scene in scenes.items():
            pointer = self._pointing.mark_in(index, scene.frame, source, scenes)
            coverage = self.walking.coverage(scene)
            guided[index] = (
                replace(scene, pointer=pointer, coverage=coverage) if pointer or coverage else scene
            )
        return guided

    def _affine(
        self, index: int, frame: FramePixels, pane: PaneState, size: tuple[int, int], scale: float
    ) -> Affine:
        """Return where a frame lies in its pane; a window drag asks for it again unchanged."""
        view, image = pane.viewport, frame.image
        geometry = (view.sizing, view.base, view.zoom, view.pan, view.focus, view.flip_h, view.flip_v)
        key = (image, frame.breast, geometry, pane.justify, pane.top, size, scale)
        known = self._placed.get(index)
        if known is not None and known[0][0] is image and known[0][1:] == key[1:]:
            return known[1]
        made = place(
            image, image.rows, image.columns, frame.breast, view, pane.justify, pane.top, size, scale
        )
        self._placed[index] = (key, made)
        return made

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.refresh()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        handle = self.window().windowHandle()
        if handle is not None and handle is not self._handle:  # another screen has pixels of another size
            handle.screenChanged.connect(self._on_screen)
            self._handle = handle
        self._rest.start(REST_MS)  # sketches that could not be refined while nothing was seen

    def _on_screen(self, _: QScreen) -> None:
        self.refresh()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.BLACK))
        self.welcome.paint(painter, self.rect())
        painter.end()


def _looks_at(looks: tuple[SecondLook, ...], key: tuple[str, str]) -> tuple[ViewLook, ...]:
    return tuple(view for look in looks for view in look.views if view.key == key)

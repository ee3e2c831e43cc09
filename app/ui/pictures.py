"""Pictures of panes as they leave the program: exact pixels always, a person's data only if asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from app.core.hanging.placement import extent_mm, place, same_scale
from app.core.imaging.image import Image, PatientFacts
from app.core.imaging.orientation import FEET_DOWN_VIEWS
from app.core.reading.handles import identity
from app.services.frames import FramePixels
from app.services.marking import nipple_of
from app.services.state import OverlayState, PaneState
from app.ui import identity as named
from app.ui import theme
from app.ui.grid import Grid
from app.ui.lettering import advance, edged_text
from app.ui.mark_words import lines_of
from app.ui.marks import Mark
from app.ui.overlays import OVERLAYS
from app.ui.overlays.corner_text import never_off
from app.ui.painting import draw_picture, painted, resampled
from app.ui.scene import MARGIN, Scene

KEY_SIZE: Final = (1360, 1000)
"""(rows, columns) of a key image in a report: 300 dots per inch in a quarter of an A4 page."""
KEY_RATIO: Final = 2.5
"""Pixels of a key image per logical pixel, so that its letters can be read on paper."""


def is_ready(scene: Scene | None) -> bool:
    """Tell whether a pane has its whole frame, or none to wait for."""
    if scene is None or scene.pane.viewport.image is None or scene.failed:
        return True
    return scene.frame is not None and not scene.frame.refining


def image_picture(scene: Scene, *, identified: bool = False) -> QImage:
    """Return the picture of one pane in device pixels.

    Parameters
    ----------
    identified
        Write name, age and date into it; else nothing of the file's person is drawn.
    """
    marks = tuple(replace(mark, selected=False) for mark in scene.marks)
    scene = replace(scene, lens=None, active=False, pointer=None, coverage=None, draft=None, marks=marks)
    if identified:
        named = "short" if scene.overlay.corner == "off" else scene.overlay.corner
        scene = replace(scene, overlay=replace(scene.overlay, corner=named))
    else:
        scene = _anonymous(scene)
    rows, columns = scene.size
    picture = QImage(QSize(columns, rows), QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(scene.ratio)
    picture.fill(QColor(theme.BLACK))
    painter = QPainter(picture)
    _paint(painter, scene)
    painter.end()
    picture.setDevicePixelRatio(1.0)
    return picture


def screen_picture(grid: Grid, *, identified: bool = False) -> QImage:
    """Return the picture of all visible panes as they stand, in device pixels."""
    ratio = grid.devicePixelRatioF()
    size = QSize(round(grid.width() * ratio), round(grid.height() * ratio))
    picture = QImage(size, QImage.Format.Format_RGB32)
    picture.fill(QColor(theme.BLACK))
    painter = QPainter(picture)
    for index in grid.visible_panes:
        view = grid.viewports[index]
        if view.scene is not None:
            at = QPointF(round(view.x() * ratio), round(view.y() * ratio))
            painter.drawImage(at, image_picture(view.scene, identified=identified))
    painter.end()
    return picture


def key_picture(session, frame: FramePixels) -> QImage:
    """Return a key image for a report: the whole breast under the window it has now, marks drawn, named
    by its view only.
    """
    image = frame.image
    pane = _pane_of(session, image)
    view = replace(pane.viewport, image=image, frame=frame.frame, sizing="same", zoom=1.0)
    view = replace(view, pan=(0.0, 0.0), focus=None)
    pane = replace(pane, viewport=view, candidates=(image,), shown=0, guests=0)
    geometry = (image.rows, image.columns, frame.breast)
    size = (float(KEY_SIZE[0]), float(KEY_SIZE[1]))
    scale = same_scale([size], [extent_mm(image, *geometry, pane.justify, pane.top)])
    affine = place(image, *geometry, view, pane.justify, pane.top, size, scale)
    scene = Scene(
        pane=pane,
        overlay=OverlayState(corner="off", boxes=False),
        size=KEY_SIZE,
        ratio=KEY_RATIO,
        frame=frame,
        affine=affine,
        px_per_mm=scale,
        marks=_marks_of(session, frame),
    )
    return image_picture(scene)


def _marks_of(session, frame: FramePixels) -> tuple[Mark, ...]:
    """Return the reader's marks in few words, whether they are shown on screen or not."""
    image, state = frame.image, session.work.state
    nipple = nipple_of(state, image)
    point = nipple.points[0] if nipple is not None else None
    values = session.measuring.statistics
    return tuple(
        Mark(each, lines_of(each, image, values(each, image), point, whole=False))
        for each in state.of_image(identity(image), frame.frame)
        if each.decision != "rejected"
    )


def _pane_of(session, image: Image) -> PaneState:
    """Return the pane that shows an image, else one as it would be hung."""
    shown = (pane for pane in session.screen.panes if _shows(pane, image))
    pane = next(shown, None)
    if pane is not None:
        return pane
    justify = {"R": "right", "L": "left"}.get(image.laterality or "", "none")
    is_top = image.view in FEET_DOWN_VIEWS
    return PaneState(0, 0, "", (image,), 0, session.remembered(image), justify, is_top)  # type: ignore[arg-type]


def _shows(pane: PaneState, image: Image) -> bool:
    return pane.viewport.image is not None and pane.viewport.image.key == image.key


def _paint(painter: QPainter, scene: Scene) -> None:
    """Paint a scene as a viewport does, but never a sketch."""
    painter.setClipRect(QRectF(scene.bounds))
    if scene.frame is not None and scene.affine is not None and not scene.failed:
        view = scene.pane.viewport
        exact = resampled(scene.frame, scene.affine, scene.size, invert=view.invert)
        draw_picture(painter, painted(exact, scene.frame, view), QPointF(0, 0), scene.ratio)
    for overlay in OVERLAYS:
        overlay(painter, scene)
    image = scene.image
    if image is not None and scene.overlay.corner == "off" and not never_off(scene, image):
        _write_label(painter, scene, image)


def _write_label(painter: QPainter, scene: Scene, image: Image) -> None:
    """Name the view where the corner text is off: a picture by itself must say which breast it is."""
    font = theme.font(20, strong=True)
    left = MARGIN if scene.free_left else scene.bounds.right() - MARGIN - advance(image.label, font)
    edged_text(painter, QPointF(left, MARGIN + 22), image.label, theme.TEXT, font)


def _anonymous(scene: Scene) -> Scene:
    """Return a scene whose images know nobody: whatever an overlay writes, it is not of a person.

    The facts go, not the text: an overlay made later cannot let them out.
    """
    pane, frame = scene.pane, scene.frame
    view = pane.viewport
    if view.image is not None:
        view = replace(view, image=_nobody(view.image))
    pane = replace(pane, viewport=view, candidates=tuple(_nobody(image) for image in pane.candidates))
    if frame is not None:
        frame = replace(frame, image=_nobody(frame.image))
    corner = "off" if scene.overlay.corner == "off" else "short"
    overlay = replace(scene.overlay, corner=corner)
    failed = named.UNREAD if scene.failed else ""
    return replace(scene, pane=pane, frame=frame, overlay=overlay, failed=failed, masked=False)


def _nobody(image: Image) -> Image:
    """Return an image without what leads to a person: name, numbers, dates, institution, file."""
    return replace(
        image,
        path=Path(),
        sop_uid="",
        study_uid="",
        series_uid="",
        patient=PatientFacts(),
        study_date=None,
        study_description="",
        accession="",
        acquired=None,
        age="",
        corner=(),
        notes=tuple(replace(note, text="") for note in image.notes),
        label=image.label or "No view",
    )

"""The reader's marks: thin cyan lines with a dark edge, as wide at any zoom; handles on the selected one."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.core.imaging.geometry import Box
from app.core.reading.handles import handles
from app.ui import theme
from app.ui.labels import LINE, block_places, edges
from app.ui.lettering import advance, plated_text, small
from app.ui.marks import Mark
from app.ui.scene import Scene
from app.ui.shapes import RING, at_screen, box_at_screen, spots, text_rect

HANDLE: Final = 3.5
"""Half the edge of a handle in logical pixels."""
HEAD: Final = 11.0
"""Length of an arrow's head."""
ARC: Final = 18.0
"""Largest radius of the arc in an angle."""
TICK: Final = 5.0
"""Half the length of the ticks at the ends of a length."""

MOST: Final = 64
"""How many panes' words are kept in place."""
Line = tuple[QPointF, str, str]
"""Left end of the base line, words, colour."""
_PLACED: dict[object, list[Line]] = {}


def paint_marks(painter: QPainter, scene: Scene) -> None:
    """Draw the marks of this image and frame, and the one being drawn or dragged in their midst."""
    if scene.affine is None or not (scene.marks or scene.draft):
        return
    draft = scene.draft
    marks = [mark for mark in scene.marks if draft is None or mark.annotation.uid != draft.annotation.uid]
    marks += [draft] if draft is not None else []
    near = scene.bounds.adjusted(-40, -40, 40, 40)
    shown = [
        mark
        for mark in marks
        if near.intersects(box_at_screen(scene, mark.annotation).adjusted(-1, -1, 1, 1))
    ]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mark in shown:
        _draw(painter, mark, path_of(scene, mark))
    for mark in shown:
        if mark.selected and mark.annotation.decision != "rejected":
            _draw_handles(painter, at_screen(scene, handles(mark.annotation)))
    painter.restore()
    _write(painter, scene, shown)


def path_of(scene: Scene, mark: Mark) -> QPainterPath:
    """Return the lines of a mark in logical Qt coordinates."""
    annotation, path = mark.annotation, QPainterPath()
    points = at_screen(scene, annotation.points)
    rect = box_at_screen(scene, annotation)
    match annotation.kind:
        case "rectangle" | "finding":
            path.addRect(rect)
        case "ellipse":
            path.addEllipse(rect)
        case "nipple":
            path.addEllipse(points[0], RING, RING)
            path.addEllipse(points[0], 0.75, 0.75)
        case "text":
            path.addEllipse(points[0], 2.0, 2.0)
        case _:
            path.moveTo(points[0])
            for point in points[1:]:
                path.lineTo(point)
            if annotation.kind == "polygon":
                path.closeSubpath()
            elif annotation.kind == "arrow":
                _add_head(path, points[0], points[1])
            elif annotation.kind == "length":
                _add_ticks(path, points[0], points[1])
            elif annotation.kind == "angle":
                _add_arc(path, points)
    return path


def _add_head(path: QPainterPath, tail: QPointF, tip: QPointF) -> None:
    away = math.atan2(tail.y() - tip.y(), tail.x() - tip.x())
    length = min(HEAD, math.hypot(tail.y() - tip.y(), tail.x() - tip.x()))
    for side in (-0.42, 0.42):
        path.moveTo(tip)
        path.lineTo(tip + QPointF(length * math.cos(away + side), length * math.sin(away + side)))


def _add_ticks(path: QPainterPath, start: QPointF, end: QPointF) -> None:
    way = end - start
    length = math.hypot(way.x(), way.y())
    if length < 4 * TICK:
        return
    across = QPointF(-way.y(), way.x()) * (TICK / length)
    for place in (start, end):
        path.moveTo(place - across)
        path.lineTo(place + across)


def _add_arc(path: QPainterPath, points: list[QPointF]) -> None:
    vertex = points[1]
    arms = [points[0] - vertex, points[2] - vertex]
    radius = min(ARC, *(math.hypot(arm.x(), arm.y()) / 2 for arm in arms))
    begin, end = (math.degrees(math.atan2(-arm.y(), arm.x())) for arm in arms)
    sweep = (end - begin + 180) % 360 - 180
    around = QRectF(vertex.x() - radius, vertex.y() - radius, 2 * radius, 2 * radius)
    path.arcMoveTo(around, begin)
    path.arcTo(around, begin, sweep)


def _draw(painter: QPainter, mark: Mark, path: QPainterPath) -> None:
    if mark.annotation.decision == "rejected":
        pen = QPen(QColor(theme.QUIET), 1.0)
        pen.setDashPattern([2.0, 4.0])
        for each in (QPen(QColor(0, 0, 0, 90), 3.0), pen):
            painter.setPen(each)
            painter.drawPath(path)
        return
    width = 2.0 if mark.selected else 1.5
    edge = QPen(QColor(0, 0, 0, 160), width + 2.0)
    line = QPen(QColor(theme.ACCENT), width)
    for pen in (edge, line):
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if mark.pending and pen is line:
            pen.setDashPattern([4.0, 3.0])
        painter.setPen(pen)
        painter.drawPath(path)


def _draw_handles(painter: QPainter, places: list[QPointF]) -> None:
    painter.setPen(QPen(QColor(theme.ACCENT), 1.0))
    painter.setBrush(QColor(theme.WINDOW))
    for place in places:
        painter.drawRect(QRectF(place.x() - HANDLE, place.y() - HANDLE, 2 * HANDLE, 2 * HANDLE))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _write(painter: QPainter, scene: Scene, shown: list[Mark]) -> None:
    """Write beside each mark; texts stand where they were put."""
    boxes = tuple(
        finding.box
        for look in scene.looks
        for finding in look.findings
        if scene.overlay.boxes and finding not in scene.answered
    )
    breast = scene.frame.breast if scene.frame is not None else None
    # A window drag paints often and moves nothing: what stands where is worked out once.
    key = (tuple(shown), scene.affine, scene.size, scene.ratio, boxes, breast)
    if key not in _PLACED:
        if len(_PLACED) >= MOST:
            _PLACED.clear()
        _PLACED[key] = _placed(scene, shown, boxes)
    for at, line, colour in _PLACED[key]:
        plated_text(painter, at, line, colour, small(), LINE)


def _placed(scene: Scene, shown: list[Mark], boxes: tuple[Box, ...]) -> list[Line]:
    """Return every line of words with its place."""
    font = small()
    lines: list[Line] = []
    for mark in shown:
        if mark.annotation.kind == "text":
            rect = text_rect(scene, mark.annotation)
            at = QPointF(rect.left(), rect.bottom() - 4)
            lines.append((at, mark.annotation.text, theme.ACCENT_TEXT))
    worded = [(mark, words) for mark in shown if (words := _words(mark))]
    # The selected mark's words change most and come last, so that those of the others stay in place.
    worded.sort(key=lambda pair: pair[0].selected)
    items = [
        (_anchor(scene, mark), QSizeF(max(advance(line, font) for line in words), LINE * len(words)))
        for mark, words in worded
    ]
    avoid = np.vstack(
        [edges([scene.box_to_qt(box) for box in boxes]), *(spots(scene, mark) for mark in shown)]
    )
    tissue = scene.box_to_qt(scene.frame.breast) if scene.frame is not None else None
    for place, (mark, words) in zip(block_places(scene.bounds, items, avoid, tissue), worded, strict=True):
        colour = theme.TEXT if mark.annotation.decision == "rejected" else theme.ACCENT_TEXT
        for number, line in enumerate(words):
            at = QPointF(place.left(), place.top() + LINE * (number + 1) - 4)
            lines.append((at, line, colour))
    return lines


def _words(mark: Mark) -> tuple[str, ...]:
    """Return the lines beside a mark: without a text's own words, of a rejected one only when selected."""
    if mark.annotation.kind == "text":
        return mark.lines[1:]
    if mark.annotation.decision == "rejected" and not mark.selected:
        return ()
    return mark.lines


def _anchor(scene: Scene, mark: Mark) -> QRectF:
    """Return what words stand beside: the mark's box, of a line its right end, of an arrow its tail."""
    annotation = mark.annotation
    points = at_screen(scene, annotation.points)
    if annotation.kind in ("length", "angle", "arrow"):
        at = points[0] if annotation.kind == "arrow" else max(points, key=lambda point: point.x())
        return QRectF(at.x() - TICK, at.y() - TICK, 2 * TICK, 2 * TICK)
    if annotation.kind == "text":
        return text_rect(scene, annotation)
    grown = RING if annotation.kind == "nipple" else 0.0
    return (
        box_at_screen(scene, annotation)
        .adjusted(-grown, -grown, grown, grown)
        .intersected(scene.bounds.adjusted(-grown, -grown, grown, grown))
    )

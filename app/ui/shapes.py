"""The lines of marks on screen, and what the mouse is near to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from app.core.reading.annotations import Annotation
from app.core.reading.findings import Finding
from app.core.reading.handles import BOXES, handles
from app.ui.labels import edges
from app.ui.lettering import advance, small
from app.ui.marks import Mark
from app.ui.scene import Scene

REACH: Final = 6.0
"""Logical pixels within which a mark is taken hold of."""
RING: Final = 6.0
"""Radius of the nipple's ring in logical pixels."""
SPOT: Final = 8.0
"""Edge of the squares along a line, in logical pixels."""
LONGEST: Final = 64
"""Most squares along one side."""
ROUND: Final = 72
"""Corners of the polygon that stands for an ellipse while the mouse looks for it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What lies under the mouse: a mark, and which of its handles (None: its lines)."""

    annotation: Annotation
    handle: int | None = None


def at_screen(scene: Scene, points) -> list[QPointF]:
    """Return stored (row, col) points as logical Qt points."""
    assert scene.affine is not None
    return [scene.to_qt(row, col) for row, col in scene.affine.apply(np.asarray(points, float)).tolist()]


def box_at_screen(scene: Scene, annotation: Annotation) -> QRectF:
    """Return the upright box around a mark in logical Qt coordinates."""
    points = at_screen(scene, annotation.points)
    xs, ys = [point.x() for point in points], [point.y() for point in points]
    return QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys)))


def text_rect(scene: Scene, annotation: Annotation) -> QRectF:
    """Return where a text mark's words stand: to the right of its point, within the pane if they fit."""
    (at,) = at_screen(scene, annotation.points)
    width = advance(annotation.text, small())
    left = max(min(at.x() + 8, scene.bounds.right() - width - 4), scene.bounds.left() + 4)
    return QRectF(left, at.y() - 8, width, 16)


def hit(scene: Scene, at: QPointF) -> Hit | None:
    """Return what the mouse is near: a handle of the selected mark first, then the nearest line of any.

    Rejected findings are not taken hold of on the image: the list does that.
    """
    if scene.affine is None:
        return None
    here = np.array([at.x(), at.y()])
    for mark in scene.marks:
        if mark.selected and mark.annotation.decision != "rejected":
            places = _xy(at_screen(scene, handles(mark.annotation)))
            distances = np.hypot(*(places - here).T)
            if distances.min() <= REACH:
                return Hit(mark.annotation, int(distances.argmin()))
    best: tuple[float, Hit] | None = None
    for mark in scene.marks:
        if mark.annotation.decision == "rejected":
            continue
        distance = _distance(scene, mark, here)
        if distance <= REACH and (best is None or distance <= best[0]):
            best = (distance, Hit(mark.annotation))
    return None if best is None else best[1]


def finding_at(scene: Scene, at: QPointF) -> Finding | None:
    """Return the model's finding whose outline the mouse is near, of those that are drawn as such."""
    if not scene.overlay.boxes or scene.affine is None:
        return None
    for look in scene.looks:
        for finding in look.findings:
            rect = scene.box_to_qt(finding.box)
            is_shown = (
                finding.score >= scene.overlay.score_threshold
                and finding.frame == scene.pane.viewport.frame
                and finding not in scene.answered
            )
            outer, inner = (
                rect.adjusted(-REACH, -REACH, REACH, REACH),
                rect.adjusted(REACH, REACH, -REACH, -REACH),
            )
            if is_shown and outer.contains(at) and not (inner.isValid() and inner.contains(at)):
                return finding
    return None


def spots(scene: Scene, mark: Mark) -> npt.NDArray[np.float64]:
    """Return small squares along the lines of a mark, which words must not cover: rows of `labels.edges`."""
    if mark.annotation.kind == "text":
        return edges([text_rect(scene, mark.annotation)])
    if mark.annotation.kind == "nipple":
        return edges([box_at_screen(scene, mark.annotation).adjusted(-RING, -RING, RING, RING)])
    line = _outline(scene, mark.annotation)
    counts = np.minimum(LONGEST, np.hypot(*np.diff(line, axis=0).T) // SPOT + 1)
    at = np.concatenate([[0.0], counts.cumsum()])
    steps = np.arange(at[-1] + 1)
    centres = np.column_stack([np.interp(steps, at, line[:, 0]), np.interp(steps, at, line[:, 1])])
    return np.hstack([centres - SPOT / 2, centres + SPOT / 2])


def _xy(points: list[QPointF]) -> npt.NDArray[np.float64]:
    return np.array([[point.x(), point.y()] for point in points])


def _distance(scene: Scene, mark: Mark, here: npt.NDArray[np.float64]) -> float:
    """Return how far (logical pixels) a place is from the lines of a mark."""
    annotation = mark.annotation
    if annotation.kind == "text":
        rect = text_rect(scene, annotation).adjusted(-10, 0, 0, 0)
        dx = max(rect.left() - here[0], 0.0, here[0] - rect.right())
        dy = max(rect.top() - here[1], 0.0, here[1] - rect.bottom())
        return float(np.hypot(dx, dy))
    if annotation.kind == "nipple":
        (place,) = _xy(at_screen(scene, annotation.points))
        return float(max(0.0, np.hypot(*(here - place)) - RING))
    line = _outline(scene, annotation)
    starts, ways = line[:-1], np.diff(line, axis=0)
    lengths = np.maximum((ways**2).sum(axis=1), 1e-12)
    shares = np.clip(((here - starts) * ways).sum(axis=1) / lengths, 0.0, 1.0)
    return float(np.hypot(*(here - (starts + shares[:, None] * ways)).T).min())


def _outline(scene: Scene, annotation: Annotation) -> npt.NDArray[np.float64]:
    """Return a mark's line as (x, y) corners; closed where it is."""
    if annotation.kind not in (*BOXES, "polygon"):
        return _xy(at_screen(scene, annotation.points))
    if annotation.kind == "ellipse":
        rect = box_at_screen(scene, annotation)
        turns = np.linspace(0.0, 2 * np.pi, ROUND + 1)
        x = rect.center().x() + rect.width() / 2 * np.cos(turns)
        y = rect.center().y() + rect.height() / 2 * np.sin(turns)
        return np.column_stack([x, y])
    corners = annotation.points if annotation.kind == "polygon" else handles(annotation)[:4]
    return _xy(at_screen(scene, [*corners, corners[0]]))

"""Truth against prediction over the image: told apart by line, colour and words alike.

Truth is in white dashes; what the model proposes in amber. A hit is drawn through, a box that points at
nothing dotted, a lesion that was missed in a double frame; each says so in a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.core.audit.matching import Matching
from app.core.manifest import Box
from app.ui import theme
from app.ui.labels import LINE, label_places
from app.ui.lettering import advance, plated_text, small
from app.ui.scene import Scene

DASHES: Final = (4.0, 4.0)
DOTS: Final = (1.0, 3.0)
SOLID: Final = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A box with how it is drawn: words beside it, colour, dash pattern, and whether in a double frame."""

    box: Box
    words: str
    colour: str
    pattern: tuple[float, ...] = SOLID
    double: bool = False


def outlines(
    matching: Matching | None,
    *,
    truth: bool = True,
    boxes: bool = True,
    marks: tuple[Box, ...] = (),
    points: bool = True,
    told: bool = True,
) -> tuple[Outline, ...]:
    """Return what is drawn over an image: lesions of the truth, predicted boxes, a reader's marks.

    Parameters
    ----------
    points
        Whether the model draws boxes at all: only then is a lesion found or not.
    told
        Whether the truth may be seen: without it a box says neither hit nor nothing there.
    """
    found = [Outline(box, "your mark", theme.ACCENT) for box in marks]
    if matching is not None and truth:
        found += _lesions(matching, points=points)
    if matching is not None and boxes:
        found += _boxes(matching, told=told)
    return tuple(found)


def _lesions(matching: Matching, *, points: bool) -> Iterator[Outline]:
    for each in matching.lesions:
        if each.lesion.box is not None:
            name = " ".join(word for word in (each.lesion.pathology, each.lesion.label) if word)
            state = ", found" if each.state == "found" else ", not found"
            words = f"truth: {name or 'lesion'}{state if points else ''}"
            missed = points and each.state == "missed"
            yield Outline(each.lesion.box, words, theme.TRUTH, DASHES, missed)


def _boxes(matching: Matching, *, told: bool) -> Iterator[Outline]:
    words = {"hit": "hit", "repeat": "hit again", "false": "nothing there"}
    if not matching.lesions:
        words["false"] = "no lesion known"
    for each in matching.boxes:
        said = each.said
        text = f"{said.label}  {said.score:.2f}"
        if told:
            text += f", {words[each.state]}"
        pattern = DOTS if told and each.state == "false" else SOLID
        yield Outline(said.box, text, theme.WARNING, pattern)


def paint_outlines(painter: QPainter, scene: Scene, shown: tuple[Outline, ...]) -> None:
    """Draw outlines over a scene, with their words where they hide least."""
    if scene.affine is None or not shown:
        return
    placed = [(scene.box_to_qt(each.box), each) for each in shown]
    placed = [each for each in placed if each[0].intersects(scene.bounds)]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for rect, each in placed:
        _outline(painter, rect.adjusted(-3, -3, 3, 3) if each.pattern == DASHES else rect, each)
    painter.restore()
    places = label_places(scene.bounds, [(rect, advance(each.words, small())) for rect, each in placed])
    for place, (_, each) in zip(places, placed, strict=True):
        plated_text(painter, place, each.words, each.colour, small(), LINE)


def _outline(painter: QPainter, rect: QRectF, each: Outline) -> None:
    frames = [rect, rect.adjusted(-4, -4, 4, 4)] if each.double else [rect]
    for frame in frames:
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3.0))
        painter.drawRect(frame)
        pen = QPen(QColor(each.colour), 1.5)
        if each.pattern:
            pen.setDashPattern(list(each.pattern))
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        painter.drawRect(frame)

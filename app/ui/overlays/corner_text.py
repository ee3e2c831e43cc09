"""Text in the two corners away from the chest wall: short, full (the IHE set), or off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QPainter

from app.core.hanging.candidates import tiles_of
from app.core.hanging.placement import sizing_label
from app.core.imaging.greyscale import voi_names
from app.core.imaging.image import Image
from app.ui import identity, theme, wording
from app.ui.lettering import advance, edged_text, elided, small, wrapped
from app.ui.scene import FOOT, MARGIN, Scene

LEADING: Final = 16
"""Logical pixels from one line to the next."""
SHARE: Final = 0.46
"""Part of the pane's width that text may take."""
COLUMN: Final = 0.28
"""Part of the pane's width that one column of the full set may take."""
SAID: Final = ("Patient name", "Age", "Acquired")
"""Names of the full set that stand in the upper corner already."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text in a colour; `big` for the view label."""

    text: str
    colour: str = theme.TEXT
    big: bool = False


def badges(scene: Scene, image: Image) -> tuple[Line, ...]:
    """Return what must not be overlooked about this pane, in fixed words; which of several is plain."""
    view, pane = scene.pane.viewport, scene.pane
    marks = (
        ("PUT HERE BY HAND", pane.has_guest),
        ("FLIPPED", view.flip_h or view.flip_v),
        ("INVERTED", view.invert),
        ("FOR PROCESSING", image.intent == "processing"),
        (" ".join(("PARTIAL", *image.partial)), bool(image.partial)),
        ("IMPLANT", image.implant),
    )
    found = [Line(text, theme.WARNING) for text, is_on in marks if is_on]
    if scene.key_image:
        found.append(Line("KEY IMAGE", theme.ACCENT))
    tiles = [tile.key for tile in tiles_of(pane.candidates, image)]
    if tiles:
        found.append(Line(f"{tiles.index(image.key) + 1}/{len(tiles)} mosaic"))
    if len(pane.candidates) > max(1, len(tiles)):
        found.append(Line(f"{pane.shown + 1}/{len(pane.candidates)}"))
    if image.frames > 1:
        found.append(Line(f"frame {view.frame + 1}/{image.frames}"))
    return tuple(found)


def never_off(scene: Scene, image: Image) -> tuple[Line, ...]:
    """Return what stands even when the corner text is off: which view, where it is not as it should be."""
    prior = (Line(scene.pane.prior, theme.ACCENT),) if scene.pane.prior else ()
    marks = (*prior, *badges(scene, image))
    return (Line(identity.label(image, masked=scene.masked), big=True), *marks) if marks else ()


def head(scene: Scene, image: Image) -> tuple[Line, ...]:
    """Return the lines of the upper corner; an image of nobody says its file instead."""
    label = identity.label(image, masked=scene.masked)
    lines = [Line(label, big=True)]
    if scene.pane.prior:
        lines.append(Line(scene.pane.prior, theme.ACCENT))
    lines += badges(scene, image)
    name = identity.of_image(image, masked=scene.masked)
    who = "  ".join(x for x in (name, wording.age(image.age)) if x)
    if who != label:
        lines.append(Line(who))
    if image.acquired is not None:
        lines.append(Line(wording.moment(image.acquired)))
    return tuple(lines)


def doubts(image: Image, *, whole: bool) -> tuple[Line, ...]:
    """Return what was inferred or needs the reader's eye, in amber.

    `whole` gives the sentences; else the notes' codes as words, so that little stands over the image.
    """
    notes = [note for note in image.notes if note.level != "info"]
    if whole:
        return tuple(Line(note.text, theme.WARNING) for note in notes)
    codes = ["said by hand" if note.code.endswith("-by-hand") else note.code for note in notes]
    words = ", ".join(dict.fromkeys(code.replace("-", " ") for code in codes))
    return (Line(words, theme.WARNING),) if words else ()


def foot(scene: Scene, image: Image) -> tuple[Line, ...]:
    """Return the lines of the lower corner: window, zoom; spacing stands at the scale bar."""
    lines = []
    view = scene.pane.viewport
    if scene.frame is not None:
        index = min(view.window.voi, len(scene.frame.alternatives) - 1)
        voi = scene.frame.alternatives[index]
        name = voi_names(scene.frame.alternatives)[index]
        lines.append(Line(f"{wording.window_text(voi, view.window)}  {name}"))
    if scene.affine is not None:
        lines.append(Line(f"×{zoom_of(scene):.2f}  {sizing_label(image, view, scene.screen)}"))
    return tuple(lines)


def zoom_of(scene: Scene) -> float:
    """Return device pixels per stored pixel (the mean of both directions)."""
    assert scene.affine is not None
    rows, columns = scene.affine.scales
    return (rows * columns) ** 0.5


def paint_corner_text(painter: QPainter, scene: Scene) -> None:
    """Write both corners, never one line over another; what has no room is told by an ellipsis."""
    image = scene.image
    if image is None or scene.failed:
        return
    if scene.overlay.corner == "off":
        _write_down(painter, scene, never_off(scene, image), scene.bounds.bottom())
        return
    whole = scene.overlay.corner == "full" and not scene.masked  # a sentence may cite what the file says
    upper = head(scene, image) + doubts(image, whole=whole)
    lower = foot(scene, image)
    bottom = scene.bounds.bottom() - MARGIN - FOOT
    above = bottom - LEADING * len(lower) - 8
    top = _write_down(painter, scene, upper, above)
    _write_up(painter, scene, lower, bottom)
    if scene.overlay.corner == "full":
        _write_table(painter, scene, image, top + 8, above)


def _fonts(line: Line) -> tuple[QFont, int]:
    return (theme.font(20, strong=True), 26) if line.big else (small(), LEADING)


def _write_down(painter: QPainter, scene: Scene, lines: tuple[Line, ...], bottom: float) -> float:
    """Write from the top and return where it ended; the last line that fits stands for those that do not."""
    parts = [
        Line(part, line.colour, line.big)
        for line in lines
        for part in wrapped(line.text, _fonts(line)[0], scene.bounds.width() * SHARE)
    ]
    top = float(MARGIN)
    for number, part in enumerate(parts):
        font, leading = _fonts(part)
        is_last = top + leading + LEADING > bottom and number + 1 < len(parts)
        top += leading
        _write(painter, scene, Line(f"{part.text} …" if is_last else part.text, part.colour), font, top - 4)
        if is_last:
            break
    return top


def _write_up(painter: QPainter, scene: Scene, lines: tuple[Line, ...], bottom: float) -> None:
    for line in reversed(lines):
        _write(painter, scene, line, small(), bottom)
        bottom -= LEADING


def _write(
    painter: QPainter, scene: Scene, line: Line, font: QFont, base: float, column: float = 0.0
) -> None:
    area = scene.bounds
    text = elided(line.text, font, area.width() * SHARE + 1)
    wide = advance(text, font)
    left = MARGIN + column if scene.free_left else area.right() - MARGIN - column - wide
    edged_text(painter, QPointF(left, base), text, line.colour, font)


def _write_table(painter: QPainter, scene: Scene, image: Image, top: float, bottom: float) -> None:
    """Write the full set between the corners, in as many columns as the height asks for."""
    said = identity.corner(image, masked=scene.masked)
    texts = [f"{name}  {text}" for name, text in said if name not in SAID]
    area, font = scene.bounds, small()
    shown = [elided(text, font, area.width() * COLUMN) for text in texts]
    widths = [float(advance(text, font)) for text in shown]
    # The middle of the free edge belongs to the orientation letter.
    places = table_places(widths, top, bottom, area.center().y(), area.width() * SHARE)
    if places and len(places) < len(shown):
        shown[len(places) - 1] = f"… {len(shown) - len(places) + 1} more"
    for text, (column, base) in zip(shown, places, strict=False):
        _write(painter, scene, Line(text, theme.QUIET), font, base, column)


def table_places(
    widths: list[float], top: float, bottom: float, middle: float, width: float
) -> list[tuple[float, float]]:
    """Return (column, base line) of as many lines as fit, column by column.

    Parameters
    ----------
    widths
        Of the lines, in logical pixels.
    top, bottom
        Between which they stand.
    middle
        Height that no line of the first column may touch.
    width
        Beyond which no column begins.
    """
    step = LEADING - 2
    places: list[tuple[float, float]] = []
    column, base, widest = 0.0, top, 0.0
    for line in widths:
        if column == 0.0 and abs(base + LEADING - middle) < LEADING:
            base = middle + LEADING
        base += step
        if base > bottom:
            column, base, widest = column + widest + 16, top + step, 0.0
        if column > width or base > bottom:
            break
        widest = max(widest, line)
        places.append((column, base))
    return places

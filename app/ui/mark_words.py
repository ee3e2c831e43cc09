"""How marks are written for the reader: values with their basis, grey values, place. Pure, no Qt."""

from __future__ import annotations

import math
from typing import Final

from app.core.imaging.image import Image
from app.core.reading.annotations import Annotation, Kind, Point
from app.core.reading.location import location
from app.core.reading.measure import Statistics, angle, area, measured, size

NAMES: Final[dict[Kind, str]] = {
    "length": "Length",
    "angle": "Angle",
    "rectangle": "Rectangle",
    "ellipse": "Ellipse",
    "polygon": "Polygon",
    "arrow": "Arrow",
    "text": "Text",
    "nipple": "Nipple",
    "finding": "Finding",
}

ICONS: Final[dict[Kind, str]] = {
    "length": "line-segment",
    "angle": "caret-left",
    "rectangle": "rectangle",
    "ellipse": "circle",
    "polygon": "polygon",
    "arrow": "arrow-up-right",
    "text": "text-t",
    "nipple": "record",
    "finding": "bounding-box",
}
"""Of the one icon family (`app.ui.icons`)."""


def value_words(annotation: Annotation, image: Image) -> str:
    """Return the number of a mark with its basis, for example ``12.3 mm at detector``; empty without one."""
    if annotation.kind == "angle":
        degrees = angle(*annotation.points[:3], image.spacing)
        if degrees is None:
            return ""
        return f"{degrees:.1f}°" + ("" if image.spacing else "  px: no spacing")
    if annotation.kind == "polygon" and area("polygon", annotation.points, image.spacing) is None:
        return "crosses itself: no area"
    found = measured(annotation, image)
    return "" if found is None or isinstance(found, float) else found.label


def size_words(annotation: Annotation, image: Image) -> str:
    """Return the sides of the box around a mark, the longer one first: ``12.3 × 8.1 mm``."""
    longer, shorter = size(annotation.points, image.spacing)
    digits = 1 if longer.unit == "mm" else 0
    return f"{longer.value:.{digits}f} × {shorter.value:.{digits}f} {longer.unit}"


def place_words(annotation: Annotation, image: Image, nipple: Point | None) -> tuple[str, ...]:
    """Return distance to the nipple and depth, each on a line; nothing where neither is known."""
    if annotation.kind == "nipple":
        return ()
    found = location(annotation, image, nipple)
    lines = []
    if found.nipple is not None:
        lines.append(f"{found.nipple.label}, to nipple")
    if found.third is not None:
        lines.append(f"{found.third} third, {found.basis}")
    return tuple(lines)


def grey_words(found: Statistics, *, whole: bool) -> tuple[str, ...]:
    """Return grey values as lines: mean and SD, and where `whole` least, most and number of pixels."""
    if not found.count:
        return ("no values: padding alone",)
    lines = [f"mean {_grey(found.mean)}  SD {_grey(found.sd)}"]
    if whole:
        lines.append(f"min {_grey(found.least)}  max {_grey(found.most)}  n {found.count}")
    return tuple(lines)


def _grey(value: float) -> str:
    """Four figures and no more: modality values of mammograms are whole numbers of up to 65535."""
    if math.isfinite(value) and abs(value) < 1000 and not float(value).is_integer():
        return f"{value:.1f}"
    return f"{value:.0f}"


def title_words(annotation: Annotation) -> str:
    """Return the reader's words for a mark; of a model's finding also what became of it."""
    if annotation.kind == "finding" and annotation.decision is not None:
        return f"{annotation.text}  {annotation.decision}"
    return annotation.text


def lines_of(
    annotation: Annotation,
    image: Image,
    found: Statistics | None = None,
    nipple: Point | None = None,
    *,
    whole: bool = False,
) -> tuple[str, ...]:
    """Return what is written beside a mark on the image.

    Parameters
    ----------
    found
        Grey values, as soon as they are known.
    nipple
        Where it is marked on this image, or None.
    whole
        Of the selected mark: all that is known.
    """
    if annotation.kind == "nipple":
        return ("nipple",) if whole else ()
    lines = [title_words(annotation)]
    if annotation.kind in ("rectangle", "ellipse") or (annotation.kind == "finding" and whole):
        lines.append(size_words(annotation, image) if whole else "")
    if annotation.kind != "finding":
        lines.append(value_words(annotation, image))
    elif whole and image.spacing is not None:
        lines[-1] += f" {image.spacing.label}"
    if found is not None:
        lines += grey_words(found, whole=whole)
    if whole:
        lines += place_words(annotation, image, nipple)
    return tuple(line for line in lines if line)


def list_words(annotation: Annotation, image: Image | None) -> str:
    """Return a mark as one line of a list: its words, else its number, else its kind."""
    value = value_words(annotation, image) if image is not None and annotation.kind != "finding" else ""
    parts = [part for part in (title_words(annotation), value) if part]
    return "  ".join(parts) or NAMES[annotation.kind]

"""Sample sheets: a few images of each class, view, density, age and subtlety, the extremes, and twins.

Each image is decoded and embedded once, however many sheets show it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.core.imaging.background import padding_mask
from app.core.imaging.model_input import model_pixels
from app.core.manifest import Row
from trainer.audit.balance import age_of, subtlety_of
from trainer.audit.run import Looked

_EACH = 5
_GROUPS = 8
_TWINS = 8
_SIDE = 220
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Sheet:
    """A title, what it shows in one sentence, and rows of pictures: (caption, numbers of manifest rows)."""

    title: str
    about: str
    groups: tuple[tuple[str, tuple[int, ...]], ...]


def _by(
    title: str,
    about: str,
    rows: Sequence[Row],
    readable: Sequence[int],
    value: Callable[[Row], str],
    order: Sequence[int],
) -> Sheet | None:
    groups: dict[str, list[int]] = {}
    place = {number: position for position, number in enumerate(order)}
    for number in sorted(readable, key=place.__getitem__):
        groups.setdefault(value(rows[number]), []).append(number)
    groups.pop("", None)
    if len(groups) < 2 and title != "Class":
        return None
    kept = sorted(groups)[:_GROUPS]
    captions = tuple((f"{name} ({len(groups[name])} images)", tuple(groups[name][:_EACH])) for name in kept)
    return Sheet(title, about, captions)


def _band(row: Row) -> str:
    age = age_of(row)
    return "" if age is None else "under 50" if age < 50 else "50 to 69" if age < 70 else "70 and over"


def _extremes(looked: Looked, readable: Sequence[int]) -> Sheet:
    facts = looked.facts
    asked = (
        ("darkest", facts["mean"]), ("brightest", -facts["mean"]), ("least contrast", facts["std"]),
        ("most at the largest value", -facts["at_high"]), ("brightest border", -facts["edge_mean"].mean(1)),
    )  # fmt: skip
    known = np.asarray(readable, np.intp)
    groups = tuple(
        (caption, tuple(int(n) for n in known[np.argsort(values[known], kind="stable")[:_EACH]]))
        for caption, values in asked
    )
    return Sheet("Pixel statistics", "The images at the ends of the data set: look for junk here.", groups)


def _twins(looked: Looked, rows: Sequence[Row]) -> Sheet | None:
    number = {row.image_id: n for n, row in enumerate(rows)}
    groups = [("identical", tuple(number[i] for i in ids[:_EACH])) for ids in looked.audit.twins[:_TWINS]]
    for pair in looked.audit.alike[:_TWINS]:
        groups.append((f"alike {pair.likeness:.2f}", (number[pair.images[0]], number[pair.images[1]])))
    if not groups:
        return None
    return Sheet("Twins", "Identical pixels, and pictures alike to the eye, in any position.", tuple(groups))


def sheets(looked: Looked, rows: Sequence[Row]) -> list[Sheet]:
    """Return the sheets of a data set; the same manifest shows the same images."""
    readable = [number for number, reason in enumerate(looked.reasons) if not reason]
    if not readable:
        return []
    order = [int(number) for number in np.random.default_rng(0).permutation(len(rows))]
    # Images with boxes first: what a lesion looks like is what one wants to see.
    order.sort(key=lambda number: not any(lesion.box for lesion in rows[number].findings))
    asked: Mapping[str, tuple[str, Callable[[Row], str]]] = {
        "Class": ("Each label, images with boxes first.", lambda row: row.label),
        "Finding": ("By the first lesion.", lambda row: row.findings[0].label if row.findings else ""),
        "View": ("By view.", lambda row: row.view),
        "Density": ("By density as the data set gives it.", lambda row: row.density),
        "Age": ("By age.", _band),
        "Subtlety": ("By the curators' rating, 1 the hardest to see.", subtlety_of),
    }
    made = [_by(title, about, rows, readable, value, order) for title, (about, value) in asked.items()]
    return [sheet for sheet in (*made, _extremes(looked, readable), _twins(looked, rows)) if sheet]


def thumbnail(row: Row) -> tuple[str, int, int] | None:
    """Return (JPEG as a data address, width, height), or None where the file can no longer be read."""
    try:
        image = read_image(row.path)
        stored = read_frame(image, row.frame).stored
    except MammoviewError:
        return None
    grey = image.grey_of(row.frame)
    values = model_pixels(stored, grey, padding_mask(stored, grey))
    # A stretched edition is shown as the breast is: a millimetre is as long down as across.
    down, across = row.spacing_mm or (1.0, 1.0)
    high, wide = values.shape[0] * down, values.shape[1] * across
    scale = _SIDE / max(high, wide)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    done, jpeg = cv2.imencode(".jpg", (small >> 8).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode(), *size


def _boxes(row: Row, wide: int, high: int) -> str:
    parts = []
    for lesion in row.findings:
        if lesion.box is not None and row.columns and row.rows:
            across, down = wide / row.columns, high / row.rows
            row0, col0, row1, col1 = lesion.box
            parts.append(
                f'<rect x="{col0 * across:.1f}" y="{row0 * down:.1f}" width="{(col1 - col0) * across:.1f}" '
                f'height="{(row1 - row0) * down:.1f}" fill="none" stroke="#f0a020"/>'
            )
    return "".join(parts)


class Pictures:
    """The embedded images of a page: each once, referred to by its number.

    Parameters
    ----------
    rows
        Of the manifest.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._sizes: dict[int, tuple[int, int] | None] = {}
        self._symbols: list[str] = []

    def figure(self, number: int) -> str:
        """Return an image with its boxes, its id and its label; "" where it cannot be read."""
        row = self._rows[number]
        if number not in self._sizes:
            made = thumbnail(row)
            self._sizes[number] = made and made[1:]
            if made:
                address, wide, high = made
                self._symbols.append(
                    f'<image id="i{number}" href="{address}" width="{wide}" height="{high}"/>'
                )
        size = self._sizes[number]
        if size is None:
            return ""
        wide, high = size
        facts = " ".join(word for word in (row.label, row.laterality + row.view, row.density) if word)
        return (
            f'<figure><svg viewBox="0 0 {wide} {high}" width="{wide * 0.6:.0f}" height="{high * 0.6:.0f}">'
            f'<use href="#i{number}"/>{_boxes(row, wide, high)}</svg>'
            f"<figcaption>{escape(row.image_id)}<br>{escape(facts)}</figcaption></figure>"
        )

    def symbols(self) -> str:
        """Return the images themselves, to stand once on the page."""
        return '<svg width="0" height="0" class="hidden"><defs>' + "\n".join(self._symbols) + "</defs></svg>"

"""What the reader says of an image by hand: laterality and view, what made it, its spacing; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from app.core.dicom.codes import label_of
from app.core.dicom.spacing import MISSING
from app.core.imaging.image import Collection, Image, Laterality, Note, Source, Spacing

NOTE = "assigned-by-hand"
SUPERSEDED = frozenset(
    [
        NOTE,
        "laterality-conflict",
        "laterality-inferred",
        "laterality-unknown",
        "orientation-contradicted",
        "orientation-inferred",
        "view-conflict",
        "view-inferred",
        "view-unknown",
    ]
)
"""Notes that no longer hold once the reader has said what the image is."""

INFERRED = frozenset(["laterality-inferred", "view-inferred"])
"""Notes that ask the reader to confirm what was taken from elsewhere."""

SOURCE_NOTE = "source-by-hand"
SPACING_NOTE = "spacing-by-hand"
COARSEST_MM = 2.0
"""A larger pixel spacing is no mammogram's but a slip of the hand."""
SOURCE_WORDS: dict[Source, str] = {
    "film": "a digitised film",
    "ffdm": "a full-field digital mammogram",
    "synthetic2d": "a synthetic 2-D image",
    "phantom": "a synthetic phantom",
    "unknown": "of unknown origin",
}
"""What the reader may say made an image."""


def assigned(image: Image, laterality: str | None, view: str | None) -> Image:
    """Return an image with another laterality and view, and the note that says so.

    An orientation that was inferred is taken back: it was inferred for another side.

    Raises
    ------
    ValueError
        When the laterality is not L, R, B or None.
    """
    if laterality not in ("L", "R", "B", None):
        raise ValueError(f"laterality {laterality!r}")
    inferred = any(note.code == "orientation-inferred" for note in image.notes)
    notes = _without(image, *SUPERSEDED)
    label = label_of(laterality, view, image.modifiers)
    note = Note(NOTE, f"Laterality and view were assigned by hand: {label or 'unknown'}.", "inferred")
    return replace(
        image,
        laterality=cast("Laterality | None", laterality),
        view=view,
        label=label,
        orientation=None if inferred else image.orientation,
        notes=(*notes, note),
    )


def confirms(image: Image, laterality: str | None, view: str | None) -> bool:
    """Tell whether a laterality and view say more of an image than is known: others, or what was inferred."""
    inferred = any(_has(image, code) for code in INFERRED)
    return inferred or (laterality, view) != (image.laterality, image.view)


def lacks_source(image: Image) -> bool:
    """Tell whether the file does not say what made the image, so that the reader may."""
    return image.source == "unknown" or _has(image, SOURCE_NOTE)


def lacks_spacing(image: Image) -> bool:
    """Tell whether the file states no spacing, so that the reader may."""
    return image.spacing is None or image.spacing.basis == "by hand"


def described(image: Image, source: Source, spacing_mm: float | None) -> Image:
    """Return an image with what made it and its spacing, where the file does not say so itself.

    Parameters
    ----------
    source
        One of `SOURCE_WORDS`; ``unknown`` takes back what was said before.
    spacing_mm
        Between pixel centres, the same in both directions; None: not known.

    Raises
    ------
    ValueError
        When the spacing is not above 0 and at most `COARSEST_MM`.
    """
    if lacks_source(image) and source != image.source:
        notes = _without(image, SOURCE_NOTE)
        if source != "unknown":
            words = f"The image was said by hand to be {SOURCE_WORDS[source]}."
            notes = (*notes, Note(SOURCE_NOTE, words, "inferred"))
        image = replace(image, source=source, notes=notes)
    if not lacks_spacing(image) or spacing_mm == (image.spacing.row_mm if image.spacing else None):
        return image
    notes = _without(image, SPACING_NOTE, MISSING.code)
    if spacing_mm is None:
        return replace(image, spacing=None, notes=(*notes, MISSING))
    if not 0.0 < spacing_mm <= COARSEST_MM:
        raise ValueError(f"spacing {spacing_mm} mm")
    note = Note(SPACING_NOTE, f"The pixel spacing was given by hand: {spacing_mm:g} mm.", "inferred")
    return replace(image, spacing=Spacing(spacing_mm, spacing_mm, "by hand"), notes=(*notes, note))


def alike(collection: Collection, image: Image) -> tuple[Image, ...]:
    """Return the other pictures of an image's folder, which were most likely made the same way."""
    return tuple(
        other
        for patient in collection.patients
        for study in patient.studies
        for other in study.images
        if other.key != image.key
        and other.kind == image.kind == "raster"
        and other.path.parent == image.path.parent
    )


def replaced(collection: Collection, news: Mapping[tuple[str, str], Image]) -> Collection:
    """Return a collection with the images of some keys replaced."""
    patients = []
    for patient in collection.patients:
        studies = tuple(
            replace(study, images=tuple(news.get(each.key, each) for each in study.images))
            for study in patient.studies
        )
        patients.append(replace(patient, studies=studies))
    return replace(collection, patients=tuple(patients))


def _has(image: Image, code: str) -> bool:
    return any(note.code == code for note in image.notes)


def _without(image: Image, *codes: str) -> tuple[Note, ...]:
    return tuple(note for note in image.notes if note.code not in codes)

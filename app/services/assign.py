"""Laterality and view given by hand; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from app.core.dicom.codes import label_of
from app.core.imaging.image import Collection, Image, Laterality, Note

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
    notes = tuple(note for note in image.notes if note.code not in SUPERSEDED)
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


def replaced(collection: Collection, image: Image) -> Collection:
    """Return a collection with an image of the same key replaced."""
    patients = []
    for patient in collection.patients:
        studies = tuple(
            replace(study, images=tuple(image if each.key == image.key else each for each in study.images))
            for study in patient.studies
        )
        patients.append(replace(patient, studies=studies))
    return replace(collection, patients=tuple(patients))

"""A manifest's row as a model sees it: the same steps as in the workstation, facts from the manifest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.imaging.background import padding_mask
from app.core.imaging.image import Image, Source, Spacing
from app.core.imaging.model_input import model_pixels
from app.core.manifest import Row, check_unchanged
from model_zoo.contract import ArrayView
from trainer.datasets import stored_orientation


def _stated(image: Image, row: Row) -> Image:
    """Return the image with the facts that the manifest states; the file's own fill the rest."""
    spacing = image.spacing
    if row.spacing_mm is not None:
        basis: Literal["at detector", "at film"] = "at film" if row.source == "film" else "at detector"
        spacing = Spacing(*row.spacing_mm, basis)
    laterality = row.laterality or image.laterality
    return replace(
        image,
        laterality=cast(Literal["L", "R", "B"] | None, laterality or None),
        view=row.view or image.view,
        spacing=spacing,
        source=cast(Source, row.source or image.source),
        orientation=stored_orientation(row) or image.orientation,
    )


def read_view(row: Row) -> ArrayView:
    """Decode the file of a row and return the view.

    Raises
    ------
    ManifestError
        The file is not there, or is no longer the one that was indexed.
    ReadError
        It cannot be read.
    """
    check_unchanged(row)
    return _view(_stated(read_image(row.path), row), row.image_id, row.frame)


def read_file(path: Path) -> ArrayView:
    """Decode an image file that stands in no manifest, with its own facts; raises ReadError."""
    return _view(read_image(path), path.name, 0)


def _view(image: Image, uid: str, frame: int) -> ArrayView:
    stored = read_frame(image, frame).stored
    image = complete(image, stored)
    grey = image.grey_of(frame)
    mask = padding_mask(stored, grey)
    return ArrayView(
        uid=uid,
        pixels=model_pixels(stored, grey, mask),
        padding=mask,
        orientation=image.orientation,
        laterality=image.laterality,
        view=image.view,
        spacing_mm=(image.spacing.row_mm, image.spacing.col_mm) if image.spacing else None,
        spacing_basis=image.spacing.label if image.spacing else None,
        intent=image.intent,
        source=image.source,
        bits_stored=grey.bits_stored,
        frame=frame,
        implant=image.implant,
    )

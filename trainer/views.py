"""A manifest's row as a model sees it: the same steps as in the workstation, facts from the manifest."""

from __future__ import annotations

from pathlib import Path

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete, read_image
from app.core.imaging.background import padding_mask
from app.core.imaging.image import Image
from app.core.imaging.model_input import model_pixels
from app.core.manifest import Row, check_unchanged
from app.core.stated import stated
from model_zoo.contract import ArrayView


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
    return _view(stated(read_image(row.path), row), row.image_id, row.frame)


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

"""The workstation's images as a model sees them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import complete
from app.core.imaging.background import padding_mask
from app.core.imaging.image import Image
from app.core.imaging.model_input import model_pixels
from model_zoo.contract import ArrayView


def model_view(image: Image, stored: npt.NDArray[np.generic], frame: int = 0) -> ArrayView:
    """Return one frame of a completed image (see `app.core.dicom.reader.complete`) for a model.

    Parameters
    ----------
    stored
        (rows, columns) stored values of the frame.
    frame
        0-based.
    """
    grey = image.grey_of(frame)
    mask = padding_mask(stored, grey)
    return ArrayView(
        uid=image.sop_uid,
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


def read_model_view(image: Image, frame: int = 0) -> ArrayView:
    """Decode a frame (0-based) of an image and return it for a model; raises `ReadError`."""
    stored = read_frame(image, frame).stored
    return model_view(complete(image, stored), stored, frame)

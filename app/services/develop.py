"""From decoded pixels to what the screen needs of them: runs on a worker thread, knows no Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.core.dicom.pixels import Frame, first_look, read_frame
from app.core.dicom.reader import complete
from app.core.imaging.background import breast_box, surroundings
from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import automatic_window, table8
from app.core.imaging.image import Image
from app.core.imaging.orientation import canonical, hang_affine, hung_shape
from app.core.imaging.pyramid import build
from app.core.imaging.resample import paint, resample
from app.services.frames import FramePixels
from app.services.jobs import Report
from app.services.memory import give_back

THUMBNAIL_PX = 160
LOOK_PX = 512
"""Least length of the longer side of a first look."""


def decode_frame(image: Image, frame: int, report: Report) -> FramePixels:
    """Decode and develop a whole frame; a truncated one comes marked incomplete.

    Raises
    ------
    ReadError
        When the frame cannot be decoded.
    Cancelled
        When nobody wants it any more.
    """
    report(0, 2)
    decoded = read_frame(image, frame, allow_incomplete=True)
    report(1, 2)
    try:
        return develop(image, frame, decoded)
    finally:
        give_back()


def decode_look(image: Image, frame: int, report: Report) -> FramePixels | None:
    """Decode and develop a frame at reduced resolution; None where its codec has none.

    Raises
    ------
    ReadError, Cancelled
        As `decode_frame`.
    """
    report(0, 1)
    decoded = first_look(image, frame, reduce=_reduction(image, LOOK_PX))
    return None if decoded is None else develop(image, frame, decoded, refining=True)


def decode_thumbnail(image: Image, frame: int, report: Report) -> npt.NDArray[np.uint8]:
    """Decode a frame, at reduced resolution where that is possible, for its `thumbnail`.

    Raises
    ------
    ReadError, Cancelled
        As `decode_frame`.
    """
    report(0, 1)
    decoded = first_look(image, frame, reduce=_reduction(image, THUMBNAIL_PX))
    decoded = decoded or read_frame(image, frame, allow_incomplete=True)
    return thumbnail(develop(image, frame, decoded, refining=True))


def develop(image: Image, frame: int, decoded: Frame, *, refining: bool = False) -> FramePixels:
    """Return a decoded frame with its mask, pyramid, VOI alternatives and breast.

    Parameters
    ----------
    image
        Header facts; completed here by what the pixels tell.
    frame
        0-based.
    decoded
        Stored values, of reduced resolution while `refining`.
    """
    stored = decoded.stored
    stored.setflags(write=False)
    grey = image.grey_of(frame)
    around = surroundings(stored, grey)
    mask = around.dark
    mask.setflags(write=False)
    to_stored = _to_stored(image, stored.shape)
    # A look doubts nothing that the file states: what the pixels contradict is told with the whole frame.
    told = image if refining and image.orientation is not None else complete(image, stored)
    return FramePixels(
        image=told,
        frame=frame,
        stored=stored,
        mask=mask,
        pyramid=build(stored, around, grey),
        alternatives=grey.voi or (automatic_window(stored, mask, grey),),
        refining=refining,
        incomplete=decoded.incomplete,
        breast=_breast(mask, to_stored, image),
        to_stored=to_stored,
    )


def thumbnail(frame: FramePixels) -> npt.NDArray[np.uint8]:
    """Return a frame hung, in its first window, at most 160 pixels a side; uint8, 0 is black."""
    image, grey = frame.image, frame.image.grey_of(frame.frame)
    rows, columns = frame.pyramid.shape
    hang = canonical(image.orientation, image.laterality, image.view)
    height, width = hung_shape(hang, rows, columns)
    factor = THUMBNAIL_PX / max(height, width)
    shape = (max(1, round(height * factor)), max(1, round(width * factor)))
    shrink = Affine.scale_edges(shape[0] / height, shape[1] / width)
    sampled = resample(frame.pyramid, shrink.after(hang_affine(hang, rows, columns)), shape)
    return paint(sampled, table8(grey, frame.alternatives[0]))


def _reduction(image: Image, least: int) -> int:
    """Return the powers of two by which the longer side may shrink and stay at least `least`; 1 to 3."""
    return min(max(int(np.log2(max(image.rows, image.columns, 1) / least)), 1), 3)


def _to_stored(image: Image, shape: tuple[int, ...]) -> Affine:
    """Return the map of a reduced grid's pixel centres to those of the full resolution."""
    if shape[:2] == (image.rows, image.columns):
        return Affine.identity()
    return Affine.scale_edges(image.rows / shape[0], image.columns / shape[1])


def _breast(mask: npt.NDArray[np.bool_], to_stored: Affine, image: Image) -> tuple[int, int, int, int]:
    row0, col0, row1, col1 = to_stored.apply_box(breast_box(mask))
    return (
        max(0, int(np.floor(row0))),
        max(0, int(np.floor(col0))),
        min(image.rows, int(np.ceil(row1))),
        min(image.columns, int(np.ceil(col1))),
    )

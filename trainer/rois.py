"""Places of lesions: masks of any kind brought to the size of their image, boxes of masks and of outlines.

A box is (row0, col0, row1, col1): edges at pixel corners, half-open, stored pixels, as in the manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from app.core.dicom.codestream import CodecError
from app.core.dicom.header import read_header
from app.core.dicom.layout import read_layout
from app.core.dicom.pictures import decode_picture
from app.core.dicom.pixels import read_frame
from app.core.dicom.raster import is_picture
from app.core.errors import ReadError
from app.core.imaging.image import Image
from app.core.manifest import Box
from trainer.errors import TrainerError

Mask = npt.NDArray[np.bool_]
ASPECT_DOUBT = 0.02
"""A mask whose sides differ from its image's by ratios further apart than this may be another film's."""
_GREY_SHARE = 0.02
"""Share of pixels between black and white that the JPEG copy of a mask still has at its edges."""


def read_pixels(path: Path) -> npt.NDArray[np.generic]:
    """Return the stored values of a DICOM file or picture, mammogram or not, (rows, columns).

    Raises
    ------
    TrainerError
        The file is missing, broken or cut off.
    """
    try:
        if is_picture(path):
            return decode_picture(path)
        layout = read_layout(read_header(path))
        bare = Image(path, "", rows=layout.rows, columns=layout.columns, frames=layout.frames)
        return read_frame(bare).stored
    except ReadError as error:
        raise TrainerError(str(error)) from error
    except CodecError as error:
        raise TrainerError(f"{path}: {error}") from error


def as_mask(pixels: npt.NDArray[np.generic]) -> Mask | None:
    """Return where a picture of two values (and a little JPEG noise) is high; None if it is no mask.

    One value alone is a mask: empty where it is 0, else full.
    """
    values: npt.NDArray[np.float32] = pixels.astype(np.float32)
    low, high = float(np.amin(values)), float(np.amax(values))
    if low == high:
        return np.full(pixels.shape, high > 0, np.bool_)
    span = high - low
    values -= low
    grey = np.greater(values, 0.12 * span) & np.less(values, 0.88 * span)
    between = int(np.count_nonzero(grey))
    if between > _GREY_SHARE * values.size:
        return None
    marked: Mask = np.greater_equal(values, 0.5 * span)
    # The noise of a picture with next to no bright pixel, as a film's, is not the noise of a mask.
    return None if between > max(16, 3 * int(np.count_nonzero(marked))) else marked


def resized(mask: Mask, rows: int, columns: int) -> Mask:
    """Return a mask at another size by the nearest pixel, centres mapped to centres."""
    if mask.shape == (rows, columns):
        return mask
    row = ((np.arange(rows) + 0.5) * mask.shape[0] / rows).astype(np.intp)
    col = ((np.arange(columns) + 0.5) * mask.shape[1] / columns).astype(np.intp)
    return mask[np.ix_(row, col)]


def read_mask(path: Path, rows: int, columns: int) -> Mask:
    """Return the mask of an image of this size: what `Lesion.mask` names, brought to the image's size.

    Raises
    ------
    TrainerError
        It cannot be read, or is no picture of two values.
    """
    mask = as_mask(read_pixels(path))
    if mask is None:
        raise TrainerError(f"{path}: holds more than two values, so it is no mask")
    return resized(mask, rows, columns)


def aspect_difference(mask: tuple[int, int], image: tuple[int, int]) -> float:
    """Return by how much the ratios of the two sides, (rows, columns), differ; 0 for a scaled copy."""
    return abs((image[0] * mask[1]) / (mask[0] * image[1]) - 1)


def box_of(mask: Mask) -> Box | None:
    """Return the box of all marked pixels, None where none is."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1)


def parts_of(mask: Mask) -> tuple[Box, ...]:
    """Return the box of each connected part (corners connect), from the top."""
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    slices = (part for part in ndimage.find_objects(labels) if part is not None)
    return tuple((float(r.start), float(c.start), float(r.stop), float(c.stop)) for r, c in slices)


def scaled(box: Box, before: tuple[int, int], after: tuple[int, int]) -> Box:
    """Return a box of an image of the size `before`, (rows, columns), in one of the size `after`."""
    down, across = after[0] / before[0], after[1] / before[1]
    return box[0] * down, box[1] * across, box[2] * down, box[3] * across


def clipped(box: Sequence[float], rows: int, columns: int) -> Box | None:
    """Return a box inside its image, None where nothing of it is."""
    row0, col0 = max(float(box[0]), 0.0), max(float(box[1]), 0.0)
    row1, col1 = min(float(box[2]), float(rows)), min(float(box[3]), float(columns))
    return (row0, col0, row1, col1) if row1 > row0 and col1 > col0 else None


def box_of_points(points: Sequence[tuple[float, float]]) -> Box | None:
    """Return the box of the pixels at (row, col) centres; a single point is one pixel."""
    if not points:
        return None
    rows, columns = [point[0] for point in points], [point[1] for point in points]
    return min(rows), min(columns), max(rows) + 1, max(columns) + 1

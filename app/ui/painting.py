"""Stored values of a frame to an 8-bit picture on the device: the two steps, apart."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QImage

from app.core.imaging.geometry import Affine
from app.core.imaging.greyscale import table8
from app.core.imaging.resample import Sampled, paint, resample
from app.services.frames import FramePixels
from app.services.state import ViewportState


def resampled(frame: FramePixels, affine: Affine, size: tuple[int, int], *, invert: bool) -> Sampled:
    """Return the visible stored values at device resolution.

    Parameters
    ----------
    affine
        Stored pixel centres of the full resolution -> device pixel centres.
    size
        (rows, columns) in device pixels.
    invert
        The reader's inversion: air is then covered up.
    """
    return resample(frame.pyramid, affine.after(frame.to_stored), size, invert=invert)


def painted(sampled: Sampled, frame: FramePixels, view: ViewportState) -> QImage:
    """Return the picture under the reader's window, one byte per device pixel."""
    index = min(view.window.voi, len(frame.alternatives) - 1)
    table = table8(
        frame.image.grey_of(frame.frame),
        frame.alternatives[index],
        shift=view.window.shift,
        stretch=view.window.stretch,
        invert=view.invert,
    )
    pixels = np.empty(sampled.shape, np.uint8)
    paint(sampled, table, pixels)
    rows, columns = sampled.shape
    picture = QImage(pixels.data, columns, rows, columns, QImage.Format.Format_Grayscale8)
    picture.pixels = pixels  # type: ignore[attr-defined]  # QImage borrows the memory: keep it alive
    return picture
